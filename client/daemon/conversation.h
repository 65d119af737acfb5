/* What is said to a project next, and when. The rules are client/agent/talk.h's. */
#ifndef CLIENT_DAEMON_CONVERSATION_H
#define CLIENT_DAEMON_CONVERSATION_H

#include "client/daemon/attached.h"

void talk_step(struct daemon *daemon, struct attached *project);

/* When talk_step() has something to do by itself; monotonic ms. */
int64_t talk_wake(struct daemon *daemon, struct attached *project);

#endif
