#include "common/base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALLEST_CAPACITY 64

void buffer_init(struct buffer *buffer, size_t max)
{
    *buffer = (struct buffer){.max = max};
}

void buffer_clear(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){.max = buffer->max};
}

void buffer_reset(struct buffer *buffer)
{
    buffer->length = 0;
    if (buffer->bytes != NULL)
        buffer->bytes[0] = '\0';
}

static void grow_to(struct buffer *buffer, size_t needed)
{
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : SMALLEST_CAPACITY;
    char *bytes;

    while (capacity < needed + 1)
        capacity *= 2;
    if (capacity > buffer->max + 1)
        capacity = buffer->max + 1;
    bytes = realloc(buffer->bytes, capacity);
    if (bytes == NULL)
        abort();
    buffer->bytes = bytes;
    buffer->capacity = capacity;
}

char *buffer_reserve(struct buffer *buffer, size_t length)
{
    assert(buffer->length <= buffer->max);
    if (length > buffer->max - buffer->length)
        return NULL;
    if (buffer->bytes == NULL || buffer->length + length + 1 > buffer->capacity)
        grow_to(buffer, buffer->length + length);
    return buffer->bytes + buffer->length;
}

void buffer_commit(struct buffer *buffer, size_t length)
{
    assert(buffer->bytes != NULL && buffer->length + length < buffer->capacity);
    buffer->length += length;
    buffer->bytes[buffer->length] = '\0';
}

enum status buffer_append(struct buffer *buffer, const void *bytes, size_t length,
                          struct error *err)
{
    char *room = buffer_reserve(buffer, length);

    if (room == NULL)
        return error_set(err, STATUS_TOO_LARGE, "more than %zu bytes", buffer->max);
    if (length > 0)
        memcpy(room, bytes, length);
    buffer_commit(buffer, length);
    return STATUS_OK;
}

enum status buffer_append_text(struct buffer *buffer, const char *text, struct error *err)
{
    return buffer_append(buffer, text, strlen(text), err);
}

enum status buffer_printf(struct buffer *buffer, struct error *err, const char *fmt, ...)
{
    va_list args, again;
    char *room;
    int length;

    va_start(args, fmt);
    va_copy(again, args);
    length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    assert(length >= 0);

    room = buffer_reserve(buffer, (size_t)length);
    if (room != NULL) {
        (void)vsnprintf(room, (size_t)length + 1, fmt, again);
        buffer_commit(buffer, (size_t)length);
    }
    va_end(again);
    if (room == NULL)
        return error_set(err, STATUS_TOO_LARGE, "more than %zu bytes", buffer->max);
    return STATUS_OK;
}

void buffer_consume(struct buffer *buffer, size_t length)
{
    assert(length <= buffer->length);
    if (length == 0)
        return;
    memmove(buffer->bytes, buffer->bytes + length, buffer->length - length + 1);
    buffer->length -= length;
}

const char *buffer_text(const struct buffer *buffer)
{
    return buffer->bytes != NULL ? buffer->bytes : "";
}

char *buffer_take(struct buffer *buffer)
{
    char *bytes = buffer->bytes != NULL ? buffer->bytes : must_alloc(1, 1);

    *buffer = (struct buffer){.max = buffer->max};
    return bytes;
}
