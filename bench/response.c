#include "bench/response.h"

#include <string.h>
#include <strings.h>

#include "common/base/text.h"

#define LINE_MAX_BYTES 1024
#define STATUS_LINE    13 /* "HTTP/1.1 200 " */

struct head {
    int64_t content_length; /* -1: not said */
    bool is_chunked;
};

static enum status not_http(struct error *err)
{
    return error_set(err, STATUS_INVALID, "the server's answer is not the HTTP it should be");
}

/* Does the field's name end here? Then its value begins behind blanks. */
static const char *field_value(const char *line, const char *name)
{
    size_t length = strlen(name);

    if (strncasecmp(line, name, length) != 0 || line[length] != ':')
        return NULL;
    return line + length + 1 + strspn(line + length + 1, " \t");
}

static enum status take_field(const char *line, struct head *head, struct response *response,
                              struct error *err)
{
    const char *value;

    if ((value = field_value(line, "Content-Length")) != NULL) {
        if (!text_to_integer(value, 0, INT64_MAX, &head->content_length))
            return not_http(err);
        if (head->content_length > RESPONSE_BODY_MAX)
            return error_set(err, STATUS_TOO_LARGE, "a body of more than %d bytes",
                             RESPONSE_BODY_MAX);
    }
    if ((value = field_value(line, "Transfer-Encoding")) != NULL)
        head->is_chunked = strcasecmp(value, "chunked") == 0;
    if ((value = field_value(line, "Connection")) != NULL && strcasecmp(value, "close") == 0)
        response->ends_connection = true;
    if ((value = field_value(line, "Location")) != NULL)
        (void)text_fit(response->location, sizeof response->location, value);
    return STATUS_OK;
}

static enum status read_head(const char *bytes, const char *end, struct head *ret_head,
                             struct response *response, struct error *err)
{
    const char *line = bytes;
    char text[LINE_MAX_BYTES];
    int64_t status = 0;

    *ret_head = (struct head){.content_length = -1};
    for (bool is_first = true; line < end; is_first = false) {
        const char *stop = memmem(line, (size_t)(end - line) + 2, "\r\n", 2);
        size_t length = stop != NULL ? (size_t)(stop - line) : sizeof text;

        if (length >= sizeof text || memchr(line, '\0', length) != NULL)
            return not_http(err);
        memcpy(text, line, length);
        text[length] = '\0';
        line = stop + 2;
        if (!is_first) {
            TRY(take_field(text, ret_head, response, err));
            continue;
        }
        if (length < STATUS_LINE || strncmp(text, "HTTP/1.1 ", 9) != 0)
            return not_http(err);
        text[12] = '\0';
        if (!text_to_integer(text + 9, 100, 599, &status))
            return not_http(err);
        response->status = (int)status;
    }
    return STATUS_OK;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A chunk's size line. *ret_line 0: it is not whole yet. */
static enum status chunk_size(const char *bytes, size_t length, size_t *ret_line, size_t *ret_size,
                              struct error *err)
{
    size_t size = 0, i = 0;

    *ret_line = 0;
    for (; i < length && hex_value(bytes[i]) >= 0; i++) {
        size = size * 16 + (size_t)hex_value(bytes[i]);
        if (size > RESPONSE_BODY_MAX)
            return error_set(err, STATUS_TOO_LARGE, "a body of more than %d bytes",
                             RESPONSE_BODY_MAX);
    }
    if (i + 2 > length)
        return STATUS_OK;
    if (i == 0 || bytes[i] != '\r' || bytes[i + 1] != '\n')
        return not_http(err);
    *ret_line = i + 2;
    *ret_size = size;
    return STATUS_OK;
}

/* Where all chunks end, or 0; `into` (may be NULL) receives them put together. */
static enum status walk_chunks(const char *bytes, size_t length, char *into, size_t *ret_bytes,
                               size_t *ret_used, struct error *err)
{
    size_t at = 0, total = 0, line, size = 1;

    *ret_used = 0;
    while (size > 0) {
        TRY(chunk_size(bytes + at, length - at, &line, &size, err));
        if (line == 0 || length - at - line < size + 2)
            return STATUS_OK;
        if (memcmp(bytes + at + line + size, "\r\n", 2) != 0)
            return not_http(err);
        if (into != NULL)
            memmove(into + total, bytes + at + line, size);
        at += line + size + 2;
        total += size;
        if (total > RESPONSE_BODY_MAX)
            return error_set(err, STATUS_TOO_LARGE, "a body of more than %d bytes",
                             RESPONSE_BODY_MAX);
    }
    *ret_bytes = total;
    *ret_used = at;
    return STATUS_OK;
}

static enum status read_body(char *body, size_t length, const struct head *head,
                             struct response *response, size_t *ret_used, struct error *err)
{
    response->body = body;
    if (head->is_chunked) {
        TRY(walk_chunks(body, length, NULL, &response->body_length, ret_used, err));
        return *ret_used == 0
                   ? STATUS_OK
                   : walk_chunks(body, length, body, &response->body_length, ret_used, err);
    }
    response->body_length = head->content_length > 0 ? (size_t)head->content_length : 0;
    *ret_used = response->body_length;
    return STATUS_OK;
}

enum status response_read(char *bytes, size_t length, struct response *ret_response,
                          size_t *ret_used, struct error *err)
{
    size_t searched = length < RESPONSE_HEAD_MAX ? length : RESPONSE_HEAD_MAX;
    char *end = memmem(bytes, searched, "\r\n\r\n", 4);
    struct response response = {0};
    struct head head;
    size_t body, used = 0;

    *ret_used = 0;
    if (end == NULL && length >= RESPONSE_HEAD_MAX)
        return error_set(err, STATUS_TOO_LARGE, "a head of more than %d bytes", RESPONSE_HEAD_MAX);
    if (end == NULL)
        return STATUS_OK;
    TRY(read_head(bytes, end, &head, &response, err));
    body = (size_t)(end - bytes) + 4;
    TRY(read_body(end + 4, length - body, &head, &response, &used, err));
    if (head.is_chunked ? used == 0 : length - body < used)
        return STATUS_OK;
    *ret_response = response;
    *ret_used = body + used;
    return STATUS_OK;
}
