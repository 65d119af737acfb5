/* Projects come and go: from their files into memory and back. */
#ifndef CLIENT_DAEMON_PROJECTS_H
#define CLIENT_DAEMON_PROJECTS_H

#include "client/daemon/attached.h"

/* Adds an empty one, its folders made. NULL: `err` says why. */
struct attached *attached_add(struct daemon *daemon, const struct digest *project,
                              struct error *err);

/*
 * Adds and loads one. NULL: `err` says why; STATUS_NOT_FOUND: there is none. With any other failure
 * its files stay as they are, to be loaded another time.
 */
struct attached *attached_load(struct daemon *daemon, const struct digest *project,
                               struct error *err);

/* Breaks off its exchanges and tasks; its files stay. */
void attached_free(struct daemon *daemon, struct attached *project);

#endif
