/*
 * How many connections each peer has, so that none can take them all. Peers are counted in buckets
 * by a secret hash of their address (IPv6: its /56): those of one bucket share its budget, which is
 * far above what one of them needs, and nobody can choose whom to share with.
 */
#ifndef SERVER_HTTP_PEERS_H
#define SERVER_HTTP_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "server/http/head.h"

#define HTTP_PEER_BUCKETS 4096 /* a power of two */

struct env;

struct http_peers {
    uint64_t secret[2];
    int counts[HTTP_PEER_BUCKETS];
};

void http_peers_init(struct http_peers *peers, struct env *env);

/*
 * One connection more; false: that would be more than `most`. Unix sockets and loopback always may:
 * whoever is there, a proxy above all, speaks for many.
 */
bool http_peers_enter(struct http_peers *peers, const struct http_peer *peer, int most);
void http_peers_leave(struct http_peers *peers, const struct http_peer *peer); /* after a true */

#endif
