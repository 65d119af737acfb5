/* Others get a copy of what hosts have that are silent: server/policy/silence.h. */
#ifndef SERVER_ENGINE_SILENCES_H
#define SERVER_ENGINE_SILENCES_H

#include "server/engine/state.h"

#define SILENCES_EVERY_S 10

/*
 * A slice of the tasks that are out is looked at, a whole round in as many slices as it takes. Call
 * with every tick while the clock is believed.
 */
enum status silences_meet(struct engine *engine, const struct engine_clock *clock,
                          struct error *err) MUST_USE;

#endif
