/* `Range: bytes=` with a single range (RFC 9110, 14). */
#ifndef SERVER_HTTP_RANGE_H
#define SERVER_HTTP_RANGE_H

#include <stdint.h>

enum http_range_kind {
    HTTP_RANGE_WHOLE,      /* no range, or none we serve (several, another unit): send all, 200 */
    HTTP_RANGE_PART,       /* 206 */
    HTTP_RANGE_IMPOSSIBLE, /* 416 */
};

/* For WHOLE: 0 and the size. For PART: length > 0 and within the size. */
struct http_range {
    enum http_range_kind kind;
    int64_t offset;
    int64_t length;
};

/* `value` of the Range field (NULL: none) against a body of `size` bytes. */
struct http_range http_range_parse(const char *value, int64_t size);

#endif
