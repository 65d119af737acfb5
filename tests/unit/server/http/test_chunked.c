/* server/http/chunked: the coding of a body, however it arrives. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "server/http/chunked.h"

static char content[20000];
static size_t content_length, rest;

/* Decode, given at most `step` bytes at a time; leaves content, and what was not taken. */
static enum http_chunk decode(const char *bytes, size_t length, size_t step)
{
    struct http_chunked chunked = {0};
    struct http_refusal refusal;
    enum http_chunk result = HTTP_CHUNK_MORE;

    content_length = 0;
    while (length > 0 && (result == HTTP_CHUNK_MORE || result == HTTP_CHUNK_DATA)) {
        size_t taken = 0, data = 0, given = length < step ? length : step;

        result = http_chunked_next(&chunked, bytes, given, &taken, &data, &refusal);
        if (result == HTTP_CHUNK_REFUSED)
            return result;
        memcpy(content + content_length, bytes + taken - data, data);
        content_length += data;
        bytes += taken;
        length -= taken;
    }
    content[content_length] = '\0';
    rest = length;
    return result;
}

#define WHOLE "5\r\nhello\r\n00A;a=\"b\"\r\n0123456789\r\n0\r\nX: y\r\n\r\n"

Test(http_chunked, content_is_the_same_however_it_arrives)
{
    for (size_t step = 1; step < 60; step++) {
        cr_assert(eq(int, decode(WHOLE "GET", strlen(WHOLE "GET"), step), HTTP_CHUNK_END));
        cr_expect(eq(str, content, "hello0123456789"));
        cr_expect(eq(sz, rest, 3));
    }
}

static const struct {
    const char *it;
    enum http_chunk result;
    const char *bytes;
} cases[] = {
    {"an empty body", HTTP_CHUNK_END, "0\r\n\r\n"},
    {"zeros in front", HTTP_CHUNK_END, "0000000000001\r\nx\r\n0\r\n\r\n"},
    {"half a size", HTTP_CHUNK_MORE, "1"},
    {"no last line", HTTP_CHUNK_MORE, "0\r\n"},
    {"too many digits", HTTP_CHUNK_REFUSED, "00000000000001\r\n"},
    {"a size beyond 52 bits", HTTP_CHUNK_REFUSED, "ffffffffffffffff\r\n"},
    {"no size", HTTP_CHUNK_REFUSED, "\r\n"},
    {"a sign", HTTP_CHUNK_REFUSED, "+1\r\n"},
    {"0x in front", HTTP_CHUNK_REFUSED, "0x1\r\n"},
    {"a blank after the size", HTTP_CHUNK_REFUSED, "1 \r\nx\r\n"},
    {"a blank before the size", HTTP_CHUNK_REFUSED, " 1\r\n"},
    {"a bare LF after the size", HTTP_CHUNK_REFUSED, "1\nx\r\n"},
    {"a bare LF in an extension", HTTP_CHUNK_REFUSED, "1;a\nx\r\n"},
    {"a bare CR after the size", HTTP_CHUNK_REFUSED, "1\rx"},
    {"a chunk that is longer", HTTP_CHUNK_REFUSED, "1\r\nxy\r\n"},
    {"a bare LF after the data", HTTP_CHUNK_REFUSED, "1\r\nx\n"},
    {"a folded trailer", HTTP_CHUNK_REFUSED, "0\r\nX: y\r\n z\r\n\r\n"},
    {"a trailer without a colon", HTTP_CHUNK_REFUSED, "0\r\nX\r\n\r\n"},
    {"a trailer that frames", HTTP_CHUNK_REFUSED, "0\r\nContent-Length: 3\r\n\r\n"},
    {"a trailer that frames the other way", HTTP_CHUNK_REFUSED,
     "0\r\nTRANSFER-ENCODING: chunked\r\n\r\n"},
    {"a control character in a trailer", HTTP_CHUNK_REFUSED, "0\r\nX: \x01\r\n\r\n"},
};

Test(http_chunked, every_case_of_the_table)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t step = 1; step < 4; step++)
            cr_expect(
                eq(int, decode(cases[i].bytes, strlen(cases[i].bytes), step), cases[i].result),
                "%s", cases[i].it);
}

Test(http_chunked, extensions_and_trailers_are_bounded)
{
    char bytes[20000];
    size_t used = 0;

    for (int i = 0; i < 100; i++) { /* each extension within its limit, all of them not */
        memcpy(bytes + used, "1;", 2);
        memset(bytes + used + 2, 'x', 60);
        memcpy(bytes + used + 62, "\r\nx\r\n", 5);
        used += 67;
    }
    cr_expect(eq(int, decode(bytes, used, 1000), HTTP_CHUNK_REFUSED));
    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, "1;", 2);
    cr_expect(eq(int, decode(bytes, HTTP_CHUNK_LINE_MAX + 10, 1000), HTTP_CHUNK_REFUSED));
    memcpy(bytes, "0\r\nx:", 5);
    cr_expect(eq(int, decode(bytes, HTTP_TRAILERS_MAX + 10, 1000), HTTP_CHUNK_REFUSED));
}
