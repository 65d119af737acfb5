/*
 * server/http/parser and chunked against libhttp-parser: ours never accepts what that refuses, and
 * what both accept they read alike. The seed is printed; DUGNAD_SEED=N repeats a run, and
 * DUGNAD_ROUNDS=N makes it longer.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/env/real.h"
#include "server/http/body.h"
#include "server/http/parser.h"
#include "tests/support/fake_env.h"

#define ROUNDS        200000
#define REQUEST_MAX   4096
#define THEIR_FIELDS  64
#define COUNT(array)  (sizeof(array) / sizeof *(array))
#define PICK(array)   ((array)[fake_env_below(&chance, COUNT(array))])
#define ONE_IN(times) (fake_env_below(&chance, (times)) == 0)

static const struct http_parse_limits limits = {
    .head_bytes = 2000, .target_bytes = 200, .fields = 32, .body_bytes = 100000};

static struct fake_env chance;
static struct buffer request = {.max = REQUEST_MAX};

/* --- what is sent ----------------------------------------------------------------------------- */

static const char *const methods[] = {"GET",  "GET",    "HEAD",     "POST",    "PUT",   "PATCH",
                                      "POST", "DELETE", "OPTIONS",  "CONNECT", "TRACE", "get",
                                      "",     "G T",    "M-SEARCH", "PRI"};
static const char *const targets[] = {
    "/",     "/a/b?c=d",        "/a%20b", "*",   "/?",  "/a?b?c", "http://a/", "/\x80",    "/a#b",
    "/..",   "/.a/..b",         "/a\"",   "a:1", "//a", "/%zz",   "/%2e%2e/a", "/a;b=c,d", "/\x7f",
    "/a\tb", "/~a!$&'()*+,;=:@"};
static const char *const versions[] = {"HTTP/1.1", "HTTP/1.1", "HTTP/1.1",  "HTTP/1.0", "HTTP/1.2",
                                       "HTTP/2.0", "http/1.1", "HTTP/1.1 ", "HTTP/11",  ""};
static const char *const lines[] = {
    "Accept: */*",
    "X-Long:  value with blanks \t",
    "Empty:",
    "Connection: close",
    "Connection: keep-alive",
    "connection: x, Close ,y",
    "Connection: upgrade",
    "Upgrade: websocket",
    "Content-Length: 5",
    "Content-Length: 5",
    "Content-Length: 0",
    "Content-Length: 05",
    "Content-Length: 5, 5",
    "Content-Length: 5 5",
    "Content-Length: +5",
    "Content-Length: -5",
    "Content-Length: 99999999999999999999",
    "Content-Length:",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked",
    "transfer-encoding: CHUNKED",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked, gzip",
    "Transfer-Encoding: identity",
    "Transfer-Encoding:\x0b"
    "chunked",
    "Transfer-Encoding : chunked",
    "Expect: 100-continue",
    "Proxy-Connection: close",
    "X: a\r\n folded",
    "X: \x01",
    "X: \x80\xff",
    "X: a\rb",
    "X: a\nY: b",
    " X: a",
    "X",
    ": a",
    "X Y: a",
    "\"X\": a",
    "Host: b",
};
static const char *const bodies[] = {"",
                                     "hello",
                                     "hello, and more",
                                     "5\r\nhello\r\n0\r\n\r\n",
                                     "5;a=b\r\nhello\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n",
                                     "05\r\nhello\r\n000\r\n\r\n",
                                     "5\nhello\n0\n\n",
                                     "5 \r\nhello\r\n0\r\n\r\n",
                                     "0x5\r\nhello\r\n0\r\n\r\n",
                                     "-5\r\nhello\r\n0\r\n\r\n",
                                     "ffffffffffffffff\r\nhello",
                                     "fffffffffffff\r\nhello",
                                     "5\r\nhelloX0\r\n\r\n",
                                     "5\r\nhello\r\n0\r\nContent-Length: 7\r\n\r\n",
                                     "5\r\nhello\r\n0\r\n: x\r\n\r\n",
                                     "5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n"};

static void add(const char *text)
{
    cr_assert(buffer_append_text(&request, text, NULL) == STATUS_OK);
}

static const char *line_end(void)
{
    static const char *const ends[] = {"\n", "\r", "\r\r\n", "\n\r", ""};

    return ONE_IN(60) ? PICK(ends) : "\r\n";
}

static const char *blank(void)
{
    static const char *const blanks[] = {"  ", "\t", "", " \t"};

    return ONE_IN(60) ? PICK(blanks) : " ";
}

/* The first entries are the plain ones: mostly those, or nothing would ever be accepted. */
static const char *mostly(const char *const *from, size_t plain, size_t count)
{
    return from[fake_env_below(&chance, ONE_IN(8) ? count : plain)];
}

static void change_a_byte(void)
{
    size_t at = fake_env_below(&chance, request.length);
    static const char odd[] = "\r\n\t :,;/?#%0\x00\x7f\x80\xff";

    request.bytes[at] = ONE_IN(2) ? odd[fake_env_below(&chance, sizeof odd - 1)]
                                  : (char)fake_env_below(&chance, 256);
}

static void drop_or_double_some(void)
{
    size_t at = fake_env_below(&chance, request.length);
    size_t count = 1 + fake_env_below(&chance, 4);

    if (count > request.length - at)
        count = request.length - at;
    if (ONE_IN(2)) {
        memmove(request.bytes + at, request.bytes + at + count, request.length - at - count);
        request.length -= count;
    } else if (buffer_reserve(&request, count) != NULL) {
        memmove(request.bytes + at + count, request.bytes + at, request.length - at);
        buffer_commit(&request, count);
    }
}

static void make_request(void)
{
    size_t count = fake_env_below(&chance, 5);

    buffer_reset(&request);
    add(mostly(methods, 9, COUNT(methods)));
    add(blank());
    add(mostly(targets, 6, COUNT(targets)));
    add(blank());
    add(mostly(versions, 4, COUNT(versions)));
    add(line_end());
    if (!ONE_IN(20)) {
        add(ONE_IN(2) ? "Host: a" : "HOST:\t[::1]:443 ");
        add(line_end());
    }
    for (size_t i = 0; i < count; i++) {
        add(ONE_IN(3) ? PICK(lines) : lines[fake_env_below(&chance, 20)]);
        add(line_end());
    }
    add(line_end());
    add(PICK(bodies));
    while (ONE_IN(3) && request.length > 0)
        ONE_IN(2) ? change_a_byte() : drop_or_double_some();
}

/* --- what they read --------------------------------------------------------------------------- */

static struct {
    struct buffer url, body;
    struct {
        struct buffer name, value;
    } fields[THEIR_FIELDS];
    size_t field_count;
    bool in_value, has_head, is_whole, in_trailer, keeps;
    const char *method;
} theirs;

static int append(struct buffer *to, const char *bytes, size_t length)
{
    if (to->max == 0)
        buffer_init(to, REQUEST_MAX);
    return buffer_append(to, bytes, length, NULL) == STATUS_OK ? 0 : -1;
}

static int on_url(http_parser *parser, const char *bytes, size_t length)
{
    (void)parser;
    return append(&theirs.url, bytes, length);
}

static int on_name(http_parser *parser, const char *bytes, size_t length)
{
    char lower[REQUEST_MAX];

    (void)parser;
    if (theirs.has_head)
        return 0; /* a trailer */
    if (theirs.in_value)
        theirs.field_count++;
    theirs.in_value = false;
    for (size_t i = 0; i < length; i++)
        lower[i] = (char)(bytes[i] >= 'A' && bytes[i] <= 'Z' ? bytes[i] + 32 : bytes[i]);
    return append(&theirs.fields[theirs.field_count].name, lower, length);
}

static int on_value(http_parser *parser, const char *bytes, size_t length)
{
    (void)parser;
    if (theirs.has_head)
        return 0;
    theirs.in_value = true;
    return append(&theirs.fields[theirs.field_count].value, bytes, length);
}

static int on_head(http_parser *parser)
{
    theirs.has_head = true;
    theirs.field_count += theirs.in_value;
    theirs.method = http_method_str(parser->method);
    theirs.keeps = http_should_keep_alive(parser) != 0;
    return 0;
}

static int on_body(http_parser *parser, const char *bytes, size_t length)
{
    (void)parser;
    return append(&theirs.body, bytes, length);
}

static int on_whole(http_parser *parser)
{
    theirs.is_whole = true;
    http_parser_pause(parser, 1);
    return 0;
}

static void forget_theirs(void)
{
    buffer_clear(&theirs.url);
    buffer_clear(&theirs.body);
    for (size_t i = 0; i < THEIR_FIELDS; i++) {
        buffer_clear(&theirs.fields[i].name);
        buffer_clear(&theirs.fields[i].value);
    }
    memset(&theirs, 0, sizeof theirs);
}

/* False: refused. */
static bool read_theirs(void)
{
    static const http_parser_settings settings = {.on_url = on_url,
                                                  .on_header_field = on_name,
                                                  .on_header_value = on_value,
                                                  .on_headers_complete = on_head,
                                                  .on_body = on_body,
                                                  .on_message_complete = on_whole};
    http_parser parser;
    enum http_errno why;

    forget_theirs();
    http_parser_init(&parser, HTTP_REQUEST);
    (void)http_parser_execute(&parser, &settings, buffer_text(&request), request.length);
    why = HTTP_PARSER_ERRNO(&parser);
    return why == HPE_OK || why == HPE_PAUSED;
}

/* --- what we read ----------------------------------------------------------------------------- */

static struct {
    enum { REFUSED, PARTIAL, WHOLE } state;
    bool has_head;
    struct http_head head;
    struct buffer bytes, body;
} ours;

static void read_our_body(const char *bytes, size_t length)
{
    struct http_body body;
    struct http_refusal refusal;
    enum http_chunk step = HTTP_CHUNK_DATA;

    http_body_init(&body, ours.head.content_length);
    while (step == HTTP_CHUNK_DATA) {
        size_t taken = 0, data = 0;

        step = http_body_next(&body, bytes, length, &taken, &data, &refusal);
        if (step == HTTP_CHUNK_DATA)
            cr_assert(append(&ours.body, bytes + taken - data, data) == 0);
        bytes += taken;
        length -= taken;
    }
    ours.state = step == HTTP_CHUNK_REFUSED ? REFUSED : step == HTTP_CHUNK_END ? WHOLE : PARTIAL;
}

static void read_ours(void)
{
    struct http_scanner scanner = {0};
    struct http_refusal refusal;
    size_t length = 0;
    enum http_scan scan;

    buffer_clear(&ours.bytes);
    buffer_clear(&ours.body);
    memset(&ours, 0, sizeof ours);
    cr_assert(append(&ours.bytes, buffer_text(&request), request.length) == 0);
    scan =
        http_scan_head(&scanner, ours.bytes.bytes, ours.bytes.length, &limits, &length, &refusal);
    ours.state = scan == HTTP_SCAN_REFUSED ? REFUSED : PARTIAL;
    if (scan != HTTP_SCAN_WHOLE)
        return;
    ours.has_head = http_parse_head(ours.bytes.bytes, length, &limits, &ours.head, &refusal);
    ours.state = REFUSED;
    if (ours.has_head)
        read_our_body(ours.bytes.bytes + length, ours.bytes.length - length);
}

/* --- what must hold --------------------------------------------------------------------------- */

static size_t without_blanks(const struct buffer *value)
{
    size_t length = value->length;

    while (length > 0 && (value->bytes[length - 1] == ' ' || value->bytes[length - 1] == '\t'))
        length--;
    return length;
}

static bool is_same_text(const struct buffer *theirs_text, size_t length, const char *our_text)
{
    return strlen(our_text) == length && memcmp(buffer_text(theirs_text), our_text, length) == 0;
}

static const char *disagreement_on_head(void)
{
    char url[REQUEST_MAX];
    const char *mark = strchr(buffer_text(&theirs.url), '?');

    (void)snprintf(url, sizeof url, "%s%s%s", ours.head.path, mark != NULL ? "?" : "",
                   ours.head.query);
    if (strcmp(theirs.method, ours.head.method) != 0)
        return "the method";
    if (!is_same_text(&theirs.url, theirs.url.length, url))
        return "the target";
    if (theirs.field_count != ours.head.field_count)
        return "how many fields there are";
    for (size_t i = 0; i < theirs.field_count; i++) {
        const struct buffer *value = &theirs.fields[i].value;

        if (!is_same_text(&theirs.fields[i].name, theirs.fields[i].name.length,
                          ours.head.fields[i].name))
            return "a field's name";
        if (!is_same_text(value, without_blanks(value), ours.head.fields[i].value))
            return "a field's value";
    }
    /* They take Proxy-Connection, which is no field of HTTP's, for Connection. */
    if (!ours.head.is_last && !theirs.keeps &&
        http_head_field(&ours.head, "proxy-connection") == NULL)
        return "whether the connection stays";
    return NULL;
}

static const char *disagreement(void)
{
    bool is_theirs = read_theirs();
    const char *on_the_head;

    read_ours();
    if (ours.state == REFUSED)
        return NULL;
    if (!ours.has_head) /* nothing is accepted yet: ours looks at a head when all of it is there */
        return is_theirs && theirs.has_head ? "whether the head is whole" : NULL;
    if (!is_theirs)
        return "they refuse it";
    if (!theirs.has_head)
        return "whether the head is whole";
    on_the_head = disagreement_on_head();
    if (on_the_head != NULL)
        return on_the_head;
    if (theirs.is_whole != (ours.state == WHOLE))
        return "whether the body is whole";
    if (theirs.body.length != ours.body.length ||
        memcmp(buffer_text(&theirs.body), buffer_text(&ours.body), ours.body.length) != 0)
        return "the body";
    return NULL;
}

static void show_request(void)
{
    for (size_t i = 0; i < request.length; i++) {
        unsigned char c = (unsigned char)request.bytes[i];

        (void)fprintf(stderr, c >= ' ' && c < 127 && c != '\\' ? "%c" : "\\x%02x", c);
    }
    (void)fprintf(stderr, "\n");
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

Test(http_differential, ours_is_never_laxer_and_never_reads_otherwise)
{
    struct env *env = env_real();
    uint64_t seed = number_from("DUGNAD_SEED", (uint64_t)env->now_s(env));
    uint64_t rounds = number_from("DUGNAD_ROUNDS", ROUNDS);
    uint64_t whole = 0, refused = 0;

    fake_env_init(&chance, seed);
    for (uint64_t i = 0; i < rounds; i++) {
        const char *what;

        make_request();
        what = disagreement();
        whole += ours.state == WHOLE;
        refused += ours.state == REFUSED;
        if (what != NULL)
            show_request();
        cr_assert(eq(ptr, (void *)what, NULL), "DUGNAD_SEED=%llu, round %llu: %s",
                  (unsigned long long)seed, (unsigned long long)i, what);
    }
    (void)fprintf(stderr, "DUGNAD_SEED=%llu: %llu requests, %llu whole, %llu refused\n",
                  (unsigned long long)seed, (unsigned long long)rounds, (unsigned long long)whole,
                  (unsigned long long)refused);
    cr_expect(lt(u64, rounds / 50, whole), "too few are accepted for this to say anything");
    cr_expect(lt(u64, rounds / 50, refused));
}
