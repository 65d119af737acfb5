/*
 * What is kept of finished tasks, for a server that was restored from an older copy (I9): it asks
 * for it, is told which units there are results of, and grants those that it still wants anew. Such
 * a grant needs no computing: what was kept becomes its result.
 */
#ifndef CLIENT_DAEMON_KEPT_H
#define CLIENT_DAEMON_KEPT_H

#include "client/daemon/attached.h"
#include "protocol/scheduler_request.h"

/* Tell of the next ones, if the server asked; round by round. */
void kept_add(struct attached *project, struct scheduler_request *request);

/* A visit that told `asked` was answered; `goes_on`: the server asks for more. */
void kept_answered(struct attached *project, const struct scheduler_request *asked, bool goes_on);

/*
 * A task that was just granted, of a unit that another task on hand is of: true: it takes over what
 * that one has, or waits until it has it. False: there is none, it has to be computed. `task` has
 * to be in PHASE_OFFERED; others may leave the list.
 */
bool kept_serves(struct daemon *daemon, struct attached *project, struct client_task *task);

#endif
