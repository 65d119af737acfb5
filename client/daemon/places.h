/*
 * The places of a project: record.url is the one in use, and always one that the keyring lists, for
 * tokens go nowhere else. The rules are client/agent/place.h's.
 */
#ifndef CLIENT_DAEMON_PLACES_H
#define CLIENT_DAEMON_PLACES_H

#include "client/daemon/attached.h"

/* Before anything is said: a keyring that came may list other places than before. */
void places_settle(struct daemon *daemon, struct attached *project);

bool places_are_several(const struct attached *project);

/* Talk failed here, and the failure is one of the place: hold it back, and go to the next. */
void places_failed(struct daemon *daemon, struct attached *project, const struct error *err);

/* Talk worked here: it is asked first from now on, durably. */
void places_worked(struct attached *project);

/*
 * An older keyring than is known: an abandoned copy, or a server restored from a backup. Good
 * enough only where no other place answers.
 */
bool places_may_be_behind(struct daemon *daemon, const struct attached *project);

/* The place in use said that this is its newest keyring: is there a better place? */
void places_compare(struct daemon *daemon, struct attached *project, int64_t keyring_version);

#endif
