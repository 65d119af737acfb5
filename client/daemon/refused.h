/*
 * What a site offered that this client refused, and that is no task's (protocol/refused.h). Each is
 * told to the site with every visit until one that told it was answered, and then not again as long
 * as it is remembered; after a start it may be told once more.
 */
#ifndef CLIENT_DAEMON_REFUSED_H
#define CLIENT_DAEMON_REFUSED_H

#include "client/daemon/attached.h"
#include "protocol/scheduler_request.h"

/* `json` is what should have been an envelope. Logged when it is new. */
void refused_note(struct attached *project, enum refused_kind what, enum refusal refusal,
                  const char *json);

void refused_add(const struct attached *project, struct scheduler_request *request);
void refused_answered(struct attached *project, const struct scheduler_request *asked);

/* Is there something, and may the place in use be told, as far as is known? */
bool refused_is_to_be_told(const struct attached *project);

/* Why what has this digest is not here; REFUSAL_NONE: it was not refused, or that is forgotten. */
enum refusal refused_why(const struct attached *project, const struct digest *digest);

#endif
