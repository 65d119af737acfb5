/*
 * The PROXY protocol, version 2 (HAProxy's proxy-protocol.txt): what a proxy says of its client at
 * the front of a connection. Pure.
 */
#ifndef SERVER_HTTP_PROXY_H
#define SERVER_HTTP_PROXY_H

#include <stddef.h>

#include "server/http/head.h"

#define HTTP_PROXY_FIXED_BYTES 16   /* the part that tells how long the rest is */
#define HTTP_PROXY_MAX_BYTES   1024 /* the whole, extensions included */

enum http_proxy { HTTP_PROXY_MORE, HTTP_PROXY_WHOLE, HTTP_PROXY_REFUSED };

/*
 * MORE: `*ret_needed` bytes in all are needed to go on (no byte beyond them belongs to the header).
 * WHOLE: the header is `*ret_needed` bytes and the peer is known; LOCAL when the proxy speaks for
 * itself (a health check) or of a unix socket. Refused are version 1, datagrams, unspecified
 * families under PROXY, addresses that are cut, and headers beyond the maximum.
 */
enum http_proxy http_proxy_parse(const unsigned char *bytes, size_t length, size_t *ret_needed,
                                 struct http_peer *ret_peer);

/* An IPv4-mapped IPv6 address becomes the IPv4 one, so that one peer has one name. */
void http_peer_normalise(struct http_peer *peer);

#endif
