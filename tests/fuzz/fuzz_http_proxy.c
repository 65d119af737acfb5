/* server/http/proxy: never asks for more than it may, and names a peer of a known kind. */
#include "server/http/proxy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct http_peer peer;
    size_t needed = 0;
    enum http_proxy step = http_proxy_parse(bytes, length, &needed, &peer);
    char text[HTTP_PEER_TEXT_MAX];

    if (step == HTTP_PROXY_MORE)
        assert(needed > length && needed <= HTTP_PROXY_MAX_BYTES);
    if (step == HTTP_PROXY_WHOLE) {
        assert(needed <= length && needed >= HTTP_PROXY_FIXED_BYTES);
        assert(peer.kind == HTTP_PEER_LOCAL || peer.kind == HTTP_PEER_IPV4 ||
               peer.kind == HTTP_PEER_IPV6);
        http_peer_text(&peer, text);
    }
    return 0;
}
