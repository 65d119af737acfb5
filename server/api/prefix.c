#include "server/api/prefix.h"

#include <stdio.h>

static unsigned group(const struct http_peer *peer, size_t index)
{
    return (unsigned)peer->address[2 * index] << 8 | peer->address[2 * index + 1];
}

struct prefix prefix_of(const struct http_peer *peer)
{
    struct prefix prefix = {"local"};

    if (peer->kind == HTTP_PEER_IPV4)
        (void)snprintf(prefix.text, sizeof prefix.text, "%u.%u.%u.0/24", peer->address[0],
                       peer->address[1], peer->address[2]);
    else if (peer->kind == HTTP_PEER_IPV6)
        (void)snprintf(prefix.text, sizeof prefix.text, "%x:%x:%x:%x::/56", group(peer, 0),
                       group(peer, 1), group(peer, 2), group(peer, 3) & 0xff00U);
    return prefix;
}
