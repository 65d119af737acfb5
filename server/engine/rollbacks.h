/* What visits show of a site that went back in time (server/policy/rollback.h). */
#ifndef SERVER_ENGINE_ROLLBACKS_H
#define SERVER_ENGINE_ROLLBACKS_H

#include "server/engine/visit.h"

/* Of a new visit, before anything of it is taken. */
enum rollback_sign rollbacks_sign(const struct cycle *cycle, const struct visit_state *state,
                                  const struct host *host);

/* After the commit: what the visit showed is remembered. */
void rollbacks_note(struct cycle *cycle, const struct visit_state *state);

/* Every second: say it where it is likely. */
void rollbacks_say(struct engine *engine);

#endif
