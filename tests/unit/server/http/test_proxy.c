/* server/http/proxy: the PROXY protocol, version 2. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "server/http/proxy.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static unsigned char bytes[HTTP_PROXY_MAX_BYTES + 64];
static size_t length, needed;
static struct http_peer peer;

static void header(unsigned command, unsigned family, size_t rest)
{
    memset(bytes, 0, sizeof bytes);
    memcpy(bytes, SIGNATURE, 12);
    bytes[12] = (unsigned char)command;
    bytes[13] = (unsigned char)family;
    bytes[14] = (unsigned char)(rest >> 8);
    bytes[15] = (unsigned char)rest;
    length = HTTP_PROXY_FIXED_BYTES + rest;
}

static enum http_proxy parse(size_t given)
{
    return http_proxy_parse(bytes, given, &needed, &peer);
}

static const char *peer_text(void)
{
    static char text[HTTP_PEER_TEXT_MAX];

    http_peer_text(&peer, text);
    return text;
}

Test(http_proxy, names_the_peer_of_each_family)
{
    header(0x21, 0x11, 12);
    memcpy(bytes + 16, "\xc0\x00\x02\x01\xc0\x00\x02\x02\x12\x34\x01\xbb", 12);
    cr_assert(eq(int, parse(length), HTTP_PROXY_WHOLE));
    cr_expect(eq(str, (char *)peer_text(), "192.0.2.1"));
    cr_expect(eq(u16, peer.port, 0x1234));
    header(0x21, 0x21, 36 + 7); /* with an extension behind */
    memcpy(bytes + 16, "\x20\x01\x0d\xb8", 4);
    bytes[31] = 1;
    cr_assert(eq(int, parse(length), HTTP_PROXY_WHOLE));
    cr_expect(eq(str, (char *)peer_text(), "2001:db8::1"));
    cr_expect(eq(sz, needed, length));
    header(0x21, 0x31, 216);
    cr_assert(eq(int, parse(length), HTTP_PROXY_WHOLE));
    cr_expect(eq(str, (char *)peer_text(), "local"));
    header(0x20, 0x00, 0);
    cr_assert(eq(int, parse(length), HTTP_PROXY_WHOLE));
    cr_expect(eq(str, (char *)peer_text(), "local"));
}

Test(http_proxy, a_mapped_address_is_the_ipv4_one)
{
    header(0x21, 0x21, 36);
    memcpy(bytes + 26, "\xff\xff\xc0\x00\x02\x01", 6);
    cr_assert(eq(int, parse(length), HTTP_PROXY_WHOLE));
    cr_expect(eq(str, (char *)peer_text(), "192.0.2.1"));
    cr_expect(eq(int, (int)peer.kind, HTTP_PEER_IPV4));
}

Test(http_proxy, asks_for_exactly_what_is_missing)
{
    header(0x21, 0x11, 12);
    for (size_t given = 0; given < length; given++) {
        cr_expect(eq(int, parse(given), HTTP_PROXY_MORE));
        cr_expect(eq(sz, needed, given < 16 ? 16 : 28));
    }
    cr_expect(eq(int, parse(length + 5), HTTP_PROXY_WHOLE));
    cr_expect(eq(sz, needed, 28));
}

Test(http_proxy, everything_else_is_refused)
{
    static const struct {
        const char *it;
        unsigned command, family;
        size_t rest;
    } cases[] = {
        {"version 1", 0x11, 0x11, 12},
        {"an unknown command", 0x22, 0x11, 12},
        {"a datagram", 0x21, 0x12, 12},
        {"no family", 0x21, 0x00, 0},
        {"a cut IPv4 address", 0x21, 0x11, 11},
        {"a cut IPv6 address", 0x21, 0x21, 35},
        {"a cut unix address", 0x21, 0x31, 215},
        {"too long", 0x21, 0x11, HTTP_PROXY_MAX_BYTES - 15},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        header(cases[i].command, cases[i].family, cases[i].rest);
        cr_expect(eq(int, parse(length), HTTP_PROXY_REFUSED), "%s", cases[i].it);
    }
    memcpy(bytes, "PROXY TCP4 ", 11);
    cr_expect(eq(int, parse(11), HTTP_PROXY_REFUSED));
    memcpy(bytes, "GET / HTTP", 10);
    cr_expect(eq(int, parse(10), HTTP_PROXY_REFUSED));
}
