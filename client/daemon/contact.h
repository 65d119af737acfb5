/* First contact with a project and its bulletins: keys, revocations, news, certificates. */
#ifndef CLIENT_DAEMON_CONTACT_H
#define CLIENT_DAEMON_CONTACT_H

#include "client/daemon/attached.h"

/* An authority that the keyring does not list (any more) is trusted no more. */
void contact_check_ca(struct attached *project);

void contact_start(struct daemon *daemon, struct attached *project);
void bulletin_start(struct daemon *daemon, struct attached *project);

#endif
