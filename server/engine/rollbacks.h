/* What visits show of a site that went back in time (server/policy/rollback.h). */
#ifndef SERVER_ENGINE_ROLLBACKS_H
#define SERVER_ENGINE_ROLLBACKS_H

#include "server/engine/visit.h"

/* Of a new visit, before anything of it is taken. */
enum rollback_sign rollbacks_sign(const struct cycle *cycle, const struct visit_state *state,
                                  const struct host *host);

/* After the commit: what the visit showed is remembered. */
void rollbacks_note(struct cycle *cycle, const struct visit_state *state);

/* Once it is likely it is so until the site is told: keep it, so that the next start knows. Call
 * every second. */
enum status rollbacks_keep(struct engine *engine, int64_t up_s, struct error *err) MUST_USE;

/* Another server of the site kept it: of which incarnation, as in struct site. */
void rollbacks_hear(struct engine *engine, int64_t looks_restored);

/* Every second: say it where it is likely, or was. */
void rollbacks_say(struct engine *engine);

#endif
