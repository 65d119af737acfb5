/* What a visit was answered. */
#ifndef CLIENT_DAEMON_ANSWER_H
#define CLIENT_DAEMON_ANSWER_H

#include "client/daemon/attached.h"

/* Take the answer to the unanswered visit. On failure nothing is lost: the visit is repeated. */
enum status answer_take(struct daemon *daemon, struct attached *project, const char *body,
                        size_t length, struct error *err) MUST_USE;

#endif
