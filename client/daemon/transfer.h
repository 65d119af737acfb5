/*
 * Files to and from the project: up to FETCHES_MAX exchanges for large ones, one for a bundle of
 * small ones, and one for what is uploaded.
 */
#ifndef CLIENT_DAEMON_TRANSFER_H
#define CLIENT_DAEMON_TRANSFER_H

#include "client/daemon/attached.h"

void download_step(struct daemon *daemon, struct attached *project);

/* Is this file on its way by itself? */
bool download_has(const struct attached *project, const struct digest *file);

/* Break off what is fetched for the task; parts stay for another time. */
void download_stop(struct daemon *daemon, struct attached *project, int64_t task);
void download_stop_all(struct daemon *daemon, struct attached *project);

/* When download_step() has something to do that nothing else wakes it for; mono ms. `now`, which is
 * the time: a part from before is hashed, some of it at each step. Else when a file that failed may
 * be asked for again; TALK_NEVER: neither. */
int64_t download_wake(struct attached *project, int64_t now);

/*
 * Small files of the project's tasks, those of earliest deadline first, by one exchange where they
 * are several (fetch/bundle.h). To be called before download_step(), which fetches all else.
 */
void bundle_step(struct daemon *daemon, struct attached *project);

/* Is this file on its way in a bundle, or will the next one bring it? */
bool bundle_takes(const struct attached *project, const struct needed_file *file);

/*
 * A request for files failed. If that is the server's state, not a file's, nothing else is asked of
 * it for a while.
 */
void download_hold_all(struct daemon *daemon, struct attached *project, enum status status,
                       const struct error *err);
void upload_step(struct daemon *daemon, struct attached *project);

#endif
