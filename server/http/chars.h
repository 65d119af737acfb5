/* The character classes of RFC 9110 and 3986, which the C library's tables do not know. */
#ifndef SERVER_HTTP_CHARS_H
#define SERVER_HTTP_CHARS_H

#include <stdbool.h>
#include <stddef.h>

bool http_is_token_char(char c); /* of methods, field names, codings */
bool http_is_path_char(char c);  /* pchar and '/', without '%' */
bool http_is_text_char(char c);  /* within a field value: printable, blank, tab, or above 127 */
int http_hex_value(char c);      /* 0..15; -1: not a hexadecimal digit */
char http_lower(char c);

/* ASCII, ignoring case; `lower` is in lower case already. */
bool http_equals(const char *text, size_t length, const char *lower);

#endif
