/*
 * Base64 (RFC 4648), strictly: one way to write each sequence of bytes, so no blanks, no missing or
 * extra padding, and the bits beyond the last byte are zero.
 */
#ifndef COMMON_CRYPTO_BASE64_H
#define COMMON_CRYPTO_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Characters of `count` bytes, without the NUL: standard with padding, url-safe without. */
#define BASE64_CHARS(count)    (((count) + 2) / 3 * 4)
#define BASE64URL_CHARS(count) (((count)*4 + 2) / 3)

/* Most bytes that `chars` characters stand for. */
#define BASE64_BYTES(chars) ((chars) / 4 * 3 + (chars) % 4)

/* ret_text holds BASE64_CHARS(count) + 1. */
void base64_encode(const void *bytes, size_t count, char *ret_text);

/*
 * Standard alphabet, padded. False, with nothing in *ret_count, if `text` is not exactly that or
 * stands for more than `max` bytes.
 */
bool base64_decode(const char *text, size_t length, void *ret_bytes, size_t max, size_t *ret_count);

/* URL-safe alphabet, never padded. ret_text holds BASE64URL_CHARS(count) + 1. */
void base64url_encode(const void *bytes, size_t count, char *ret_text);

/* The reverse, of exactly `count` bytes. */
bool base64url_decode(const char *text, size_t length, void *ret_bytes, size_t count);

#endif
