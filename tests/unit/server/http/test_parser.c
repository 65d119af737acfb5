/* server/http/parser: what is accepted and what refused, as one table. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "server/http/parser.h"

#define OK   200 /* accepted */
#define MORE 0   /* not whole yet */
#define H    "Host: a\r\n"
#define GET  "GET / HTTP/1.1\r\n" H
#define POST "POST / HTTP/1.1\r\n" H

static const struct http_parse_limits limits = {
    .head_bytes = 1000, .target_bytes = 100, .fields = 8, .body_bytes = 1000000};

static char bytes[4096];
static struct http_head head;
static struct http_refusal refusal;

/* What becomes of these bytes: OK, MORE, or the status of the refusal. */
static int parse_bytes(const char *text, size_t length)
{
    struct http_scanner scanner = {0};
    size_t head_length = 0;
    enum http_scan scan;

    cr_assert(length < sizeof bytes);
    memcpy(bytes, text, length);
    refusal = (struct http_refusal){0};
    scan = http_scan_head(&scanner, bytes, length, &limits, &head_length, &refusal);
    if (scan == HTTP_SCAN_MORE)
        return MORE;
    if (scan == HTTP_SCAN_WHOLE && http_parse_head(bytes, head_length, &limits, &head, &refusal))
        return OK;
    cr_assert(refusal.why != NULL);
    return refusal.status;
}

static int parse(const char *text)
{
    return parse_bytes(text, strlen(text));
}

static const struct {
    const char *it;
    int status;
    const char *bytes;
} cases[] = {
    {"a plain request", OK, GET "\r\n"},
    {"every method we know", OK, "PATCH /a HTTP/1.1\r\n" H "\r\n"},
    {"HTTP/1.0 without a Host", OK, "GET / HTTP/1.0\r\n\r\n"},
    {"a query with a question mark", OK, "GET /?a=b?c/d HTTP/1.1\r\n" H "\r\n"},
    {"an encoded path", OK, "GET /a%20b%2Fc HTTP/1.1\r\n" H "\r\n"},
    {"OPTIONS of everything", OK, "OPTIONS * HTTP/1.1\r\n" H "\r\n"},
    {"a body of known length", OK, POST "Content-Length: 1000000\r\n\r\n"},
    {"a chunked body, in any case", OK, POST "Transfer-Encoding:\tChunked \r\n\r\n"},
    {"a tab after a value", 400, POST "Content-Length: 0\t\r\n\r\n"},
    {"an IPv6 Host", OK, "GET / HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n"},
    {"bytes above 127 in a value", OK, GET "X: \xc3\xa9\r\n\r\n"},
    {"an empty value", OK, GET "X:\r\n\r\n"},

    {"half a request", MORE, "GET / HTTP/1.1\r\nHo"},
    {"all but the last byte", MORE, GET "\r"},

    {"a bare LF after the request line", 400, "GET / HTTP/1.1\nHost: a\r\n\r\n"},
    {"a bare LF after a field", 400, "GET / HTTP/1.1\r\nHost: a\n\r\n"},
    {"a bare LF as the empty line", 400, GET "\n"},
    {"a bare CR within a value", 400, GET "X: a\rb\r\n\r\n"},
    {"an empty line first", 400, "\r\n" GET "\r\n"},
    {"a control character in a value", 400, GET "X: a\x01\r\n\r\n"},
    {"a DEL in a value", 400, GET "X: a\x7f\r\n\r\n"},
    {"TLS to the plain port", 400, "\x16\x03\x01\x02"},

    {"a method nobody knows", 501, "FETCH / HTTP/1.1\r\n" H "\r\n"},
    {"CONNECT", 501, "CONNECT a:1 HTTP/1.1\r\n" H "\r\n"},
    {"a method in lower case", 501, "get / HTTP/1.1\r\n" H "\r\n"},
    {"a method with a wrong character", 400, "G@T / HTTP/1.1\r\n" H "\r\n"},
    {"no method", 400, " / HTTP/1.1\r\n" H "\r\n"},
    {"two blanks", 400, "GET  / HTTP/1.1\r\n" H "\r\n"},
    {"a blank at the end of the line", 400, "GET / HTTP/1.1 \r\n" H "\r\n"},
    {"a tab for a blank", 400, "GET\t/ HTTP/1.1\r\n" H "\r\n"},
    {"no version (HTTP/0.9)", 400, "GET /\r\n\r\n"},
    {"HTTP/2.0", 505, "GET / HTTP/2.0\r\n" H "\r\n"},
    {"HTTP/1.2", 505, "GET / HTTP/1.2\r\n" H "\r\n"},
    {"a version in lower case", 400, "GET / http/1.1\r\n" H "\r\n"},

    {"a whole URL", 400, "GET http://a/ HTTP/1.1\r\n" H "\r\n"},
    {"a target without a slash", 400, "GET a HTTP/1.1\r\n" H "\r\n"},
    {"GET of a star", 400, "GET * HTTP/1.1\r\n" H "\r\n"},
    {"a fragment", 400, "GET /#a HTTP/1.1\r\n" H "\r\n"},
    {"a quote in the target", 400, "GET /\" HTTP/1.1\r\n" H "\r\n"},
    {"a backslash in the target", 400, "GET /a\\b HTTP/1.1\r\n" H "\r\n"},
    {"a byte above 127 in the target", 400, "GET /\xc3\xa9 HTTP/1.1\r\n" H "\r\n"},
    {"half an encoded byte", 400, "GET /%4 HTTP/1.1\r\n" H "\r\n"},
    {"a wrong encoded byte", 400, "GET /%4g HTTP/1.1\r\n" H "\r\n"},
    {"a wrong encoded byte in the query", 400, "GET /?%zz HTTP/1.1\r\n" H "\r\n"},
    {"a dot segment", 400, "GET /a/./b HTTP/1.1\r\n" H "\r\n"},
    {"dots at the end", 400, "GET /a/.. HTTP/1.1\r\n" H "\r\n"},
    {"encoded dots", 400, "GET /%2e%2E/b HTTP/1.1\r\n" H "\r\n"},
    {"half encoded dots", 400, "GET /.%2e HTTP/1.1\r\n" H "\r\n"},
    {"three dots are a name", OK, "GET /.../..a/a.. HTTP/1.1\r\n" H "\r\n"},

    {"no Host", 400, "GET / HTTP/1.1\r\n\r\n"},
    {"two Hosts", 400, GET "host: a\r\n\r\n"},
    {"an empty Host", 400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"},
    {"a Host with a path", 400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"},
    {"a Host with a user", 400, "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n"},
    {"a Host with a blank", 400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"},
    {"a Host with half a port", 400, "GET / HTTP/1.1\r\nHost: a:1x\r\n\r\n"},
    {"a blank before the colon", 400, GET "X : a\r\n\r\n"},
    {"a name with a blank", 400, GET "X Y: a\r\n\r\n"},
    {"no colon", 400, GET "X\r\n\r\n"},
    {"no name", 400, GET ": a\r\n\r\n"},
    {"a folded line", 400, GET "X: a\r\n b\r\n\r\n"},
    {"a folded first field", 400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n"},
    {"two authorizations", 400, GET "Authorization: a\r\nAUTHORIZATION: b\r\n\r\n"},
    {"two of what may come twice", OK, GET "Accept: a\r\nAccept: b\r\n\r\n"},
    {"too many fields", 431,
     GET "A: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\nE: 1\r\nF: 1\r\nG: 1\r\nH: 1\r\n\r\n"},

    {"both framings", 400, POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"both, the other way round", 400,
     POST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"},
    {"the same length twice", 400, POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"},
    {"a list of lengths", 400, POST "Content-Length: 1, 1\r\n\r\n"},
    {"a negative length", 400, POST "Content-Length: -1\r\n\r\n"},
    {"a length with a sign", 400, POST "Content-Length: +1\r\n\r\n"},
    {"a length in hexadecimal", 400, POST "Content-Length: 0x1\r\n\r\n"},
    {"a length with a leading zero", 400, POST "Content-Length: 01\r\n\r\n"},
    {"an empty length", 400, POST "Content-Length:\r\n\r\n"},
    {"a length beyond the limit", 413, POST "Content-Length: 1000001\r\n\r\n"},
    {"a length beyond 64 bits", 413, POST "Content-Length: 99999999999999999999999\r\n\r\n"},
    {"a coding we do not know", 501, POST "Transfer-Encoding: gzip\r\n\r\n"},
    {"two codings", 501, POST "Transfer-Encoding: gzip, chunked\r\n\r\n"},
    {"chunked twice", 501, POST "Transfer-Encoding: chunked, chunked\r\n\r\n"},
    {"two Transfer-Encodings", 400,
     POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"},
    {"a name that begins so", 400, POST "Transfer-Encoding4: chunked\r\n\r\n"},
    {"chunked with a vertical tab", 400, POST "Transfer-Encoding: \vchunked\r\n\r\n"},
    {"chunked in HTTP/1.0", 400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
    {"an expectation nobody knows", 417, POST "Expect: tea\r\n\r\n"},
};

Test(http_parser, every_case_of_the_table)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        cr_expect(eq(int, parse(cases[i].bytes), cases[i].status), "%s (%s)", cases[i].it,
                  refusal.why != NULL ? refusal.why : "");
}

Test(http_parser, a_nul_is_refused)
{
    cr_expect(eq(int, parse_bytes("GET /\0 HTTP/1.1\r\n" H "\r\n", 28), 400));
    cr_expect(eq(int, parse_bytes(GET "X: \0\r\n\r\n", sizeof(GET "X: \0\r\n\r\n") - 1), 400));
}

Test(http_parser, a_target_may_be_as_long_as_the_limit_and_no_longer)
{
    char text[300], target[102] = "/";

    memset(target + 1, 'x', limits.target_bytes - 1);
    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" H "\r\n", target);
    cr_expect(eq(int, parse(text), OK));
    target[limits.target_bytes] = 'x';
    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" H "\r\n", target);
    cr_expect(eq(int, parse(text), 414));
}

Test(http_parser, a_head_may_be_as_long_as_the_limit_and_no_longer)
{
    char text[1200] = GET "X: ";
    size_t used = strlen(text);

    memset(text + used, 'x', limits.head_bytes - used - 4);
    (void)strcpy(text + limits.head_bytes - 4, "\r\n\r\n");
    cr_expect(eq(int, parse(text), OK));
    (void)strcpy(text + limits.head_bytes - 4, "x\r\n\r\n");
    cr_expect(eq(int, parse(text), 431));
    memset(text, 'x', sizeof text - 1);
    cr_expect(eq(int, parse(text), 414));
}

Test(http_parser, the_head_is_what_was_sent)
{
    cr_assert(
        eq(int,
           parse("POST /a%20b?c=d&e HTTP/1.1\r\nHOST: a:1\r\nX-Y: \t a b  \r\n"
                 "Content-Length: 7\r\nExpect: 100-Continue\r\nConnection: x, Close\r\n\r\nxx"),
           OK));
    cr_expect(eq(str, (char *)head.method, "POST"));
    cr_expect(eq(str, (char *)head.path, "/a%20b"));
    cr_expect(eq(str, (char *)head.query, "c=d&e"));
    cr_expect(eq(str, (char *)http_head_field(&head, "x-y"), "a b"));
    cr_expect(eq(str, (char *)http_head_field(&head, "host"), "a:1"));
    cr_expect(eq(ptr, (void *)http_head_field(&head, "X-Y"), NULL));
    cr_expect(eq(i64, head.content_length, 7));
    cr_expect(head.expects_continue && head.is_last && !head.is_old);
    cr_assert(eq(int, parse(POST "Transfer-Encoding: chunked\r\n\r\n"), OK));
    cr_expect(eq(i64, head.content_length, -1));
    cr_expect(not(head.is_last));
    cr_assert(eq(int, parse("GET / HTTP/1.0\r\n\r\n"), OK));
    cr_expect(head.is_old && head.is_last);
}

Test(http_parser, it_does_not_matter_how_the_bytes_arrive)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_scanner scanner = {0};
        size_t length = strlen(cases[i].bytes), whole = 0, seen = 0;
        enum http_scan scan = HTTP_SCAN_MORE;
        int at_once = parse(cases[i].bytes);

        for (; seen <= length && scan == HTTP_SCAN_MORE; seen++)
            scan = http_scan_head(&scanner, cases[i].bytes, seen, &limits, &whole, &refusal);
        cr_expect(eq(int, scan == HTTP_SCAN_MORE, at_once == MORE), "%s", cases[i].it);
        if (scan == HTTP_SCAN_WHOLE)
            cr_expect(eq(sz, whole, length), "%s", cases[i].it);
    }
}
