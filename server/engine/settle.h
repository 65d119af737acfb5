/*
 * What becomes of tasks and units, carried out on the loaded rows: each change with all that
 * belongs to it (journal, counters, allowances, credit, references). Decided in server/policy/.
 */
#ifndef SERVER_ENGINE_SETTLE_H
#define SERVER_ENGINE_SETTLE_H

#include "server/engine/cycle.h"

/* Put a task into another state. Its host and batch count it if they are loaded. */
void settle_task(struct cycle *cycle, struct unit *unit, struct task *task, enum task_state state);

/*
 * Bring a unit to rest after its tasks changed: agree, ask for a body, accept, credit, fail, or say
 * how many copies it wants. Does nothing to a unit at rest.
 */
void settle_unit(struct cycle *cycle, struct unit *unit);

/* End a unit that is neither accepted nor failed yet. */
void settle_failure(struct cycle *cycle, struct unit *unit, enum unit_failure failure);

/* Give a failed unit another chance: errors so far count no more. settle_unit() it then. False: its
 * signed max_tasks leaves no room. */
bool settle_reopen(struct cycle *cycle, struct unit *unit);

/* Ask for one more copy of a unit whose copies are all out; where one waits already, that is it.
 * settle_unit() it then. False: it is not open, or its signed max_tasks leaves no room. */
bool settle_again(struct unit *unit);

/* Is the batch over, or does it have to pause itself? Call when all its units are settled. */
void settle_batch(struct cycle *cycle, struct batch *batch);

/* settle_unit() of all changed units, then settle_batch() of all batches. */
void settle_all(struct cycle *cycle);

void settle_batch_state(struct cycle *cycle, struct batch *batch, enum batch_state state,
                        const char *why);

#endif
