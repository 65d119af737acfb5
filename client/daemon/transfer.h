/*
 * Files to and from the project, one each way at a time.
 */
#ifndef CLIENT_DAEMON_TRANSFER_H
#define CLIENT_DAEMON_TRANSFER_H

#include "client/daemon/attached.h"

void download_step(struct daemon *daemon, struct attached *project);

/* When a file that failed may be asked for again; mono ms, TALK_NEVER: there is none. */
int64_t download_wake(const struct attached *project, int64_t now);
void upload_step(struct daemon *daemon, struct attached *project);

#endif
