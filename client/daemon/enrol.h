/* Becoming a host of a project. */
#ifndef CLIENT_DAEMON_ENROL_H
#define CLIENT_DAEMON_ENROL_H

#include "client/daemon/attached.h"

void enrol_start(struct daemon *daemon, struct attached *project);

#endif
