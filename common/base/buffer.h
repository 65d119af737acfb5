/*
 * Bytes that grow up to a maximum stated when the buffer is made. What a peer sizes goes through
 * one of these; appending beyond the maximum fails and leaves the buffer as it was.
 */
#ifndef COMMON_BASE_BUFFER_H
#define COMMON_BASE_BUFFER_H

#include <stddef.h>

#include "common/base/error.h"

/* Read the members freely; change them only through the functions. Zeroed: empty, maximum 0. */
struct buffer {
    char *bytes; /* owned; NUL-terminated beyond `length` once anything was appended; else NULL */
    size_t length;
    size_t capacity;
    size_t max; /* most bytes it will ever hold, without the NUL */
};

void buffer_init(struct buffer *buffer, size_t max);
void buffer_clear(struct buffer *buffer); /* releases; the maximum stays. For CLEANUP(), too */

/* Forget the content, keep the memory. */
void buffer_reset(struct buffer *buffer);

/* STATUS_TOO_LARGE beyond the maximum. */
enum status buffer_append(struct buffer *buffer, const void *bytes, size_t length,
                          struct error *err);
enum status buffer_append_text(struct buffer *buffer, const char *text, struct error *err);
enum status buffer_printf(struct buffer *buffer, struct error *err, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Room for `length` more bytes; NULL beyond the maximum. Fill it, then buffer_commit() them. */
char *buffer_reserve(struct buffer *buffer, size_t length);
void buffer_commit(struct buffer *buffer, size_t length);

/* Drop the first `length` bytes. */
void buffer_consume(struct buffer *buffer, size_t length);

/* The content as a C string; "" when empty. Valid until the buffer changes. */
const char *buffer_text(const struct buffer *buffer);

/* Give the memory away (free() it); the buffer is empty then. Never NULL. */
char *buffer_take(struct buffer *buffer);

#endif
