/* Copies that wait with one host while others are idle are offered anew: server/policy/moving.h. */
#ifndef SERVER_ENGINE_MOVES_H
#define SERVER_ENGINE_MOVES_H

#include "server/engine/burden.h"

#define MOVES_EVERY_S 2  /* looked for so often, while nothing waits and hosts are idle */
#define MOVES_MOST    64 /* copies offered anew at once */

/* After the answer: what the host has in store, and whether it is idle. */
void moves_note(struct cycle *cycle, const struct visit_state *state, const struct burden *burden);

/* After its reports were taken: copies that it began before anybody took them go on. */
void moves_undo(struct cycle *cycle, const struct visit_state *state);

/* May something soon be offered, so that this idle host should come again soon? Says yes to about
 * as many as there are copies. */
bool moves_are_near(struct engine *engine);

/* The next step, when it is time for it. */
enum status moves_make(struct engine *engine, int64_t up_s, struct error *err) MUST_USE;

#endif
