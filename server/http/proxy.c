#include "server/http/proxy.h"

#include <string.h>

enum { COMMAND_LOCAL = 0x20, COMMAND_PROXY = 0x21 };
enum { STREAM_IPV4 = 0x11, STREAM_IPV6 = 0x21, STREAM_UNIX = 0x31 };

#define IPV4_BYTES 12 /* two addresses, two ports */
#define IPV6_BYTES 36
#define UNIX_BYTES 216

static const unsigned char signature[12] = "\r\n\r\n\0\r\nQUIT\n";

void http_peer_normalise(struct http_peer *peer)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    if (peer->kind != HTTP_PEER_IPV6 || memcmp(peer->address, mapped, sizeof mapped) != 0)
        return;
    peer->kind = HTTP_PEER_IPV4;
    memmove(peer->address, peer->address + sizeof mapped, 4);
    memset(peer->address + 4, 0, 12);
}

static struct http_peer peer_of(int kind, const unsigned char *address, size_t size,
                                const unsigned char *port)
{
    struct http_peer peer = {.kind = kind, .port = (uint16_t)(port[0] << 8 | port[1])};

    memcpy(peer.address, address, size);
    http_peer_normalise(&peer);
    return peer;
}

static enum http_proxy parse_peer(const unsigned char *bytes, size_t rest,
                                  struct http_peer *ret_peer)
{
    const unsigned char *addresses = bytes + HTTP_PROXY_FIXED_BYTES;

    if (bytes[12] == COMMAND_LOCAL) {
        *ret_peer = (struct http_peer){.kind = HTTP_PEER_LOCAL};
    } else if (bytes[13] == STREAM_IPV4 && rest >= IPV4_BYTES) {
        *ret_peer = peer_of(HTTP_PEER_IPV4, addresses, 4, addresses + 8);
    } else if (bytes[13] == STREAM_IPV6 && rest >= IPV6_BYTES) {
        *ret_peer = peer_of(HTTP_PEER_IPV6, addresses, 16, addresses + 32);
    } else if (bytes[13] == STREAM_UNIX && rest >= UNIX_BYTES) {
        *ret_peer = (struct http_peer){.kind = HTTP_PEER_LOCAL};
    } else {
        return HTTP_PROXY_REFUSED;
    }
    return HTTP_PROXY_WHOLE;
}

enum http_proxy http_proxy_parse(const unsigned char *bytes, size_t length, size_t *ret_needed,
                                 struct http_peer *ret_peer)
{
    size_t rest;

    *ret_needed = HTTP_PROXY_FIXED_BYTES;
    if (memcmp(bytes, signature, length < sizeof signature ? length : sizeof signature) != 0)
        return HTTP_PROXY_REFUSED;
    if (length < HTTP_PROXY_FIXED_BYTES)
        return HTTP_PROXY_MORE;
    rest = (size_t)bytes[14] << 8 | bytes[15];
    *ret_needed += rest;
    if (*ret_needed > HTTP_PROXY_MAX_BYTES ||
        (bytes[12] != COMMAND_LOCAL && bytes[12] != COMMAND_PROXY))
        return HTTP_PROXY_REFUSED;
    return length < *ret_needed ? HTTP_PROXY_MORE : parse_peer(bytes, rest, ret_peer);
}
