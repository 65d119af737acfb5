/*
 * From bytes to the head of a request (RFC 9112, and stricter): pure. First the scanner finds where
 * the head ends, while it arrives; then the whole of it is parsed at once.
 *
 * Refused, so that nobody in front of us can read a request otherwise than we do: bare CR or LF, an
 * empty first line, control characters, folded lines, blanks before a colon, a target that is not
 * "/path?query" (or "*" of OPTIONS), a fragment, a wrong percent-encoding, "." and ".." segments, a
 * missing or repeated Host, repeated singletons (head.h), Content-Length beside Transfer-Encoding
 * or not in plain digits, a coding other than chunked, Transfer-Encoding in HTTP/1.0.
 */
#ifndef SERVER_HTTP_PARSER_H
#define SERVER_HTTP_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/http/head.h"

/* Why not, for the reply. */
struct http_refusal {
    int status;      /* 400, 413, 414, 417, 431, 501 or 505 */
    const char *why; /* static words for the peer */
};

struct http_parse_limits {
    size_t head_bytes; /* all of the head */
    size_t target_bytes;
    size_t fields;      /* at most HTTP_HEADERS_MAX */
    int64_t body_bytes; /* that may be announced */
};

/* Zeroed: nothing seen yet. */
struct http_scanner {
    size_t seen;       /* bytes looked at */
    size_t line_start; /* where the current line begins */
};

enum http_scan { HTTP_SCAN_MORE, HTTP_SCAN_WHOLE, HTTP_SCAN_REFUSED };

/*
 * Look at the bytes received so far, those of earlier calls unchanged at the front. WHOLE:
 * `*ret_length` bytes are the head, its empty line included, and what follows is not its. REFUSED:
 * it can no longer become one.
 */
enum http_scan http_scan_head(struct http_scanner *scanner, const char *bytes, size_t length,
                              const struct http_parse_limits *limits, size_t *ret_length,
                              struct http_refusal *ret_refusal);

/*
 * Parse what http_scan_head() found whole. The bytes are changed, and the head points into them.
 * Sets all of `ret_head` but peer and is_tls. False: `ret_head` is garbage, and says nothing.
 */
bool http_parse_head(char *bytes, size_t length, const struct http_parse_limits *limits,
                     struct http_head *ret_head, struct http_refusal *ret_refusal);

#endif
