/*
 * Leaving a project: what is not finished is handed back, what is done is reported and uploaded if
 * it was asked for, and then all there is of it is removed. The mark that it is being left is
 * durable; attaching again takes it back.
 *
 * How long that may take is for whoever asked to say: here it goes on until the server was told.
 */
#ifndef CLIENT_DAEMON_LEAVE_H
#define CLIENT_DAEMON_LEAVE_H

#include "client/daemon/attached.h"

/* Durable once STATUS_OK is returned. Its server is asked again at once. */
enum status leave_begin(struct daemon *daemon, struct attached *project, enum leaving how,
                        struct error *err) MUST_USE;

/* One that is left hands back what came since; when all is said it is forgotten, and freed. */
void leave_step(struct daemon *daemon, struct attached *project);

/* Its files are removed, whatever stays behind at the server, and it is freed. */
enum status leave_forget(struct daemon *daemon, struct attached *project, struct error *err)
    MUST_USE;

#endif
