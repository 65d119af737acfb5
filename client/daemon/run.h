/*
 * Tasks that run: filling slots, starting, collecting outputs, pausing.
 */
#ifndef CLIENT_DAEMON_RUN_H
#define CLIENT_DAEMON_RUN_H

#include "client/daemon/attached.h"

/* May it be started, or its slot filled, at this moment? */
bool run_may_start(struct daemon *daemon, const struct attached *project,
                   const struct client_task *task);

void run_poll_all(struct daemon *daemon);
void run_start_some(struct daemon *daemon);
void run_pause_all(struct daemon *daemon, bool is_paused);

#endif
