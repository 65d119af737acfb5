/* One visit: everything there is to say to a server, durable before it is sent. */
#ifndef CLIENT_DAEMON_VISIT_H
#define CLIENT_DAEMON_VISIT_H

#include "client/daemon/attached.h"

void visit_start(struct daemon *daemon, struct attached *project);

/* Nothing of the host we were is left: another one has its key. */
void host_is_cloned(struct daemon *daemon, struct attached *project);

#endif
