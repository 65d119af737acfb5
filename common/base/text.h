/* Small, strict conversions between text and values. Nothing here skips blanks or reads on. */
#ifndef COMMON_BASE_TEXT_H
#define COMMON_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

/* A decimal integer, the whole text, min..max; no sign but one leading '-', no leading zeros. */
bool text_to_integer(const char *text, int64_t min, int64_t max, int64_t *ret_value);

/* "512M", "10G", "64KiB", "1000": bytes, binary multiples whether or not the i is written. */
bool text_to_bytes(const char *text, int64_t max, int64_t *ret_bytes);

/* "90", "90s", "15m", "6h", "14d": seconds. */
bool text_to_seconds(const char *text, int64_t max, int64_t *ret_seconds);

/* Lower-case hexadecimal. ret_text holds 2 * count + 1 chars. */
void text_from_bytes(const void *bytes, size_t count, char *ret_text);

/* The reverse: exactly 2 * count lower-case digits and nothing more. */
bool text_to_exact_bytes(const char *text, size_t count, void *ret_bytes);

/* A copy that free() releases. Never NULL. */
char *text_copy(const char *text);
char *text_copy_n(const char *text, size_t length);
char *text_format(const char *fmt, ...) PRINTF_LIKE(1, 2);

bool text_starts_with(const char *text, const char *prefix);

/* Copy into a fixed array; false (and an empty string there) when it does not fit whole. */
bool text_fit(char *ret_text, size_t size, const char *text);

/* Well-formed UTF-8: no overlong form, surrogate or value above U+10FFFF. */
bool text_is_utf8(const char *text, size_t length);

/*
 * Well-formed UTF-8 without C0/C1 controls, and without the bidirectional formatting characters
 * U+061C, U+200E, U+200F, U+202A..U+202E, U+2066..U+2069. Newline and tab only if `lines_allowed`.
 */
bool text_is_plain(const char *text, size_t length, bool lines_allowed);

/*
 * Make untrusted text fit for a terminal or log: whatever text_is_plain() (lines allowed) would
 * refuse becomes '?'. In place; the length stays.
 */
void text_sanitise(char *text, size_t length);

/* A copy that is fit to be shown; owned. */
char *text_sanitised(const char *text);

/* A file name within the payload profile: [A-Za-z0-9_][A-Za-z0-9._-]{0,127}. */
bool text_is_file_name(const char *name);
#define TEXT_FILE_NAME_MAX 128

DEFINE_CLEANUP(char *, free)

#endif
