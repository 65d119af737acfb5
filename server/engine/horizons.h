/* What a host leaves to others, who will have done all that waits sooner: server/policy/horizon.h.
 */
#ifndef SERVER_ENGINE_HORIZONS_H
#define SERVER_ENGINE_HORIZONS_H

#include "server/engine/visit.h"

/* Is a task that takes the host `task_ms` (0: not known) left to others, although it waits? */
bool horizons_leave(struct cycle *cycle, const struct visit_state *state, int64_t task_ms);

#endif
