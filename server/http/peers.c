#include "server/http/peers.h"

#include <assert.h>
#include <string.h>

#include "common/base/env.h"

#define IPV6_PREFIX_BYTES 7

void http_peers_init(struct http_peers *peers, struct env *env)
{
    *peers = (struct http_peers){.counts = {0}};
    env->random(env, peers->secret, sizeof peers->secret);
}

static bool is_here(const struct http_peer *peer)
{
    static const uint8_t loopback[16] = {[15] = 1};

    if (peer->kind == HTTP_PEER_IPV4)
        return peer->address[0] == 127;
    return peer->kind == HTTP_PEER_LOCAL || memcmp(peer->address, loopback, sizeof loopback) == 0;
}

/* Steele, Lea and Flood's splitmix64, its finisher. */
static uint64_t mixed(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static int *count_of(struct http_peers *peers, const struct http_peer *peer)
{
    uint64_t address = 0;

    memcpy(&address, peer->address, peer->kind == HTTP_PEER_IPV4 ? 4 : IPV6_PREFIX_BYTES);
    address = mixed(mixed(address ^ peers->secret[0]) ^ peers->secret[1]);
    return &peers->counts[address % HTTP_PEER_BUCKETS];
}

bool http_peers_enter(struct http_peers *peers, const struct http_peer *peer, int most)
{
    int *count = count_of(peers, peer);

    if (is_here(peer))
        return true;
    if (*count >= most)
        return false;
    (*count)++;
    return true;
}

void http_peers_leave(struct http_peers *peers, const struct http_peer *peer)
{
    int *count = count_of(peers, peer);

    if (is_here(peer))
        return;
    assert(*count > 0);
    (*count)--;
}
