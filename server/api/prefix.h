/* The address prefix that a stranger is counted by: IPv4 /24, IPv6 /56. */
#ifndef SERVER_API_PREFIX_H
#define SERVER_API_PREFIX_H

#include "server/http/head.h"

#define PREFIX_TEXT_MAX 48

struct prefix {
    char text[PREFIX_TEXT_MAX + 1]; /* "192.0.2.0/24", "2001:db8:0:100::/56" or "local" */
};

struct prefix prefix_of(const struct http_peer *peer);

#endif
