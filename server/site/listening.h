/* Where a new site listens, by its URL: what `init` writes unless it is told. PURE. */
#ifndef SERVER_SITE_LISTENING_H
#define SERVER_SITE_LISTENING_H

#include <stddef.h>

#define LISTENING_MAX 80 /* characters of an address with its port, and the NUL */

/*
 * `host` and `port` of a URL; an IPv6 address comes without its brackets. A loopback address,
 * `localhost` or a name below it (127.0.0.1), whatever way it is written: itself alone. Another
 * IPv6 address: every one, IPv4 and IPv6. Else every IPv4 address.
 */
void listening_for(const char *host, const char *port, char ret_address[LISTENING_MAX]);

#endif
