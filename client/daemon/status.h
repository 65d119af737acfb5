/*
 * What the daemon says of itself.
 */
#ifndef CLIENT_DAEMON_STATUS_H
#define CLIENT_DAEMON_STATUS_H

#include <jansson.h>

struct daemon;

json_t *status_of_daemon(struct daemon *daemon);

#endif
