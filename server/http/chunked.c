#include "server/http/chunked.h"

#include <string.h>

#include "server/http/chars.h"

#define SIZE_DIGITS_MAX 13 /* 2^52 bytes; far beyond any limit on a body */

/* NULL: fine so far. */
static const char *end_of_line(struct http_chunked *chunked, char c, int next)
{
    if (c != '\n')
        return "a chunk's line does not end with CR and LF";
    chunked->state = next;
    return NULL;
}

static const char *take_size(struct http_chunked *chunked, char c)
{
    int digit = http_hex_value(c);

    if (digit >= 0) {
        if (++chunked->digits > SIZE_DIGITS_MAX)
            return "a chunk's size is too large";
        chunked->left = chunked->left << 4 | digit;
        return NULL;
    }
    if (chunked->digits == 0 || (c != ';' && c != '\r'))
        return "a chunk's size is not hexadecimal";
    chunked->state = c == ';' ? HTTP_CHUNKED_EXTENSION : HTTP_CHUNKED_SIZE_LF;
    chunked->line = chunked->digits;
    return NULL;
}

static const char *take_extension(struct http_chunked *chunked, char c)
{
    if (c == '\r') {
        chunked->state = HTTP_CHUNKED_SIZE_LF;
        return NULL;
    }
    if (!http_is_text_char(c))
        return "a control character in a chunk's extension";
    if (++chunked->line > HTTP_CHUNK_LINE_MAX || ++chunked->extra > HTTP_CHUNK_EXTRA_MAX)
        return "the chunks' extensions are too long";
    return NULL;
}

static const char *take_trailer_start(struct http_chunked *chunked, char c)
{
    chunked->name_length = 0;
    if (c == '\r') {
        chunked->state = HTTP_CHUNKED_LAST_LF;
        return NULL;
    }
    if (!http_is_token_char(c))
        return "a trailer is not NAME: VALUE";
    chunked->name[chunked->name_length++] = c;
    chunked->state = HTTP_CHUNKED_TRAILER_NAME;
    return NULL;
}

/* A trailer that frames or routes is an attempt to be read in two ways. */
static const char *take_trailer_name(struct http_chunked *chunked, char c)
{
    static const char *const forbidden[] = {"content-length", "transfer-encoding", "host",
                                            "connection", "upgrade"};

    if (c != ':') {
        if (!http_is_token_char(c))
            return "a trailer is not NAME: VALUE";
        if (chunked->name_length < sizeof chunked->name)
            chunked->name[chunked->name_length++] = c;
        return NULL;
    }
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++)
        if (http_equals(chunked->name, chunked->name_length, forbidden[i]))
            return "a trailer has a name it cannot have";
    chunked->state = HTTP_CHUNKED_TRAILER_VALUE;
    return NULL;
}

static const char *take_trailer_value(struct http_chunked *chunked, char c)
{
    if (c == '\r')
        chunked->state = HTTP_CHUNKED_TRAILER_LF;
    else if (!http_is_text_char(c))
        return "a control character in a trailer";
    return NULL;
}

static const char *after_size(struct http_chunked *chunked, char c)
{
    bool is_last = chunked->left == 0;

    chunked->digits = 0;
    return end_of_line(chunked, c, is_last ? HTTP_CHUNKED_TRAILER : HTTP_CHUNKED_DATA);
}

static const char *after_data(struct http_chunked *chunked, char c)
{
    if (c != '\r')
        return "a chunk is longer than its size";
    chunked->state = HTTP_CHUNKED_DATA_LF;
    return NULL;
}

static const char *take_one(struct http_chunked *chunked, char c)
{
    if (chunked->state >= HTTP_CHUNKED_TRAILER && ++chunked->trailers > HTTP_TRAILERS_MAX)
        return "the trailers are too long";
    switch (chunked->state) {
    case HTTP_CHUNKED_SIZE:
        return take_size(chunked, c);
    case HTTP_CHUNKED_EXTENSION:
        return take_extension(chunked, c);
    case HTTP_CHUNKED_SIZE_LF:
        return after_size(chunked, c);
    case HTTP_CHUNKED_DATA_CR:
        return after_data(chunked, c);
    case HTTP_CHUNKED_DATA_LF:
        return end_of_line(chunked, c, HTTP_CHUNKED_SIZE);
    case HTTP_CHUNKED_TRAILER:
        return take_trailer_start(chunked, c);
    case HTTP_CHUNKED_TRAILER_NAME:
        return take_trailer_name(chunked, c);
    case HTTP_CHUNKED_TRAILER_VALUE:
        return take_trailer_value(chunked, c);
    case HTTP_CHUNKED_TRAILER_LF:
        return end_of_line(chunked, c, HTTP_CHUNKED_TRAILER);
    case HTTP_CHUNKED_LAST_LF:
        return end_of_line(chunked, c, HTTP_CHUNKED_DONE);
    case HTTP_CHUNKED_DATA:
    case HTTP_CHUNKED_DONE:
        break;
    }
    return "the body is over";
}

static size_t take_data(struct http_chunked *chunked, size_t length)
{
    size_t taken = (int64_t)length < chunked->left ? length : (size_t)chunked->left;

    chunked->left -= (int64_t)taken;
    if (chunked->left == 0)
        chunked->state = HTTP_CHUNKED_DATA_CR;
    return taken;
}

enum http_chunk http_chunked_next(struct http_chunked *chunked, const char *bytes, size_t length,
                                  size_t *ret_taken, size_t *ret_data,
                                  struct http_refusal *ret_refusal)
{
    size_t i = 0;

    *ret_data = 0;
    while (i < length && chunked->state != HTTP_CHUNKED_DONE) {
        const char *complaint;

        if (chunked->state == HTTP_CHUNKED_DATA) {
            *ret_data = take_data(chunked, length - i);
            *ret_taken = i + *ret_data;
            return HTTP_CHUNK_DATA;
        }
        complaint = take_one(chunked, bytes[i++]);
        if (complaint != NULL) {
            *ret_refusal = (struct http_refusal){.status = 400, .why = complaint};
            return HTTP_CHUNK_REFUSED;
        }
    }
    *ret_taken = i;
    return chunked->state == HTTP_CHUNKED_DONE ? HTTP_CHUNK_END : HTTP_CHUNK_MORE;
}
