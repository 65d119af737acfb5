/* The last copies of a batch are computed once more by idle hosts: server/policy/tail.h. */
#ifndef SERVER_ENGINE_TAILS_H
#define SERVER_ENGINE_TAILS_H

#include "server/engine/visit.h"

void tails_clear(struct tails *tails);

/* A copy more was made of its unit. */
void tails_remember(struct tails *tails, const struct tail *facts);

/* After the commit: units that ended have no such copy any more. */
void tails_learn(struct cycle *cycle);

/* May the host have a copy of the unit, where all that waits of it is for this reason? `task_ms`:
 * what it takes the host; 0: not known. */
bool tails_let_have(const struct cycle *cycle, const struct visit_state *state,
                    const struct unit *unit, int64_t task_ms);

/* Those first that wait for such a copy and have at least half as much left as the longest; else
 * they stay as they were drawn. The fast hosts are few, and are to have what is needed most. */
void tails_sort(const struct cycle *cycle, int64_t units[], size_t count);

/* Does little wait but such copies? Then a visit may look at all that waits. */
bool tails_are_most(const struct engine *engine);

/* The next step. Call where nothing waits but such copies, and hosts are idle. */
enum status tails_make(struct engine *engine, int64_t up_s, struct error *err) MUST_USE;

#endif
