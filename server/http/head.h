/*
 * The head of a request as a handler sees it: checked whole, before anybody looks at it. Also the
 * small questions asked of it: a header, a query parameter, whether the path fits a pattern.
 */
#ifndef SERVER_HTTP_HEAD_H
#define SERVER_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define HTTP_HEADERS_MAX  64   /* header fields of one request */
#define HTTP_SEGMENTS_MAX 8    /* variable parts of one pattern */
#define HTTP_VALUE_MAX    1024 /* bytes of one decoded path segment or query parameter */

/* Who is at the other end; behind a proxy, whom the proxy named. */
struct http_peer {
    enum {
        HTTP_PEER_LOCAL /* unix socket, or a proxy's own check */,
        HTTP_PEER_IPV4,
        HTTP_PEER_IPV6
    } kind;
    uint8_t address[16]; /* network order: 4 bytes, or 16; an IPv4-mapped address became IPv4 */
    uint16_t port;
};

#define HTTP_PEER_TEXT_MAX 64
/* "192.0.2.1", "2001:db8::1" or "local", for logs. */
void http_peer_text(const struct http_peer *peer, char ret_text[HTTP_PEER_TEXT_MAX]);

struct http_field {
    const char *name;  /* lower case */
    const char *value; /* without blanks around it; no control characters but tabs within */
};

/*
 * Borrowed from the exchange, unchanged and valid as long as the exchange. These fields came at
 * most once, or the request was refused: authorization, content-encoding, content-length,
 * content-range, content-type, date, expect, from, host, idempotency-key, if-modified-since,
 * if-range, if-unmodified-since, max-forwards, origin, range, referer, transfer-encoding,
 * upload-length, upload-metadata, upload-offset, user-agent.
 */
struct http_head {
    const char *method; /* GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS; all others are refused */
    const char *path;   /* begins with '/', still percent-encoded, without "." and ".." segments;
                           or "*", of OPTIONS */
    const char *query;  /* what follows the '?', still encoded; "" when there is none */
    struct http_field fields[HTTP_HEADERS_MAX];
    size_t field_count;
    int64_t content_length; /* 0: no body; -1: chunked, known at its end */
    bool is_old;            /* HTTP/1.0: the connection ends with this reply */
    bool is_last;           /* the peer asked to close after this one; true if `is_old` */
    bool expects_continue;  /* the peer waits for our yes before it sends the body */
    bool is_tls;            /* came through a TLS listener */
    struct http_peer peer;
};

/* The value of the first field of that lower-case name; NULL: there is none. */
const char *http_head_field(const struct http_head *head, const char *name);

/*
 * Does the content type say `type` ("application/json")? Parameters after a ';' are ignored, case
 * too. No content type at all: no.
 */
bool http_head_has_type(const struct http_head *head, const char *type);

/* The token of "Authorization: Bearer TOKEN"; NULL: there is none of that form. */
const char *http_head_bearer(const struct http_head *head);

/* Does If-None-Match name this entity tag (with its quotes), or "*"? Then answer 304. */
bool http_head_has_etag(const struct http_head *head, const char *etag);

/* One decoded piece of a path or query: UTF-8 without control characters. */
struct http_value {
    char text[HTTP_VALUE_MAX + 1];
};

/*
 * The query parameter `name`, decoded ('+' is a blank). STATUS_NOT_FOUND: not there.
 * STATUS_INVALID: there twice, longer than HTTP_VALUE_MAX, wrongly encoded, or with a control
 * character; the words name the parameter.
 */
enum status http_head_parameter(const struct http_head *head, const char *name,
                                struct http_value *ret_value, struct error *err);

/* The same as an integer min..max, `otherwise` when it is not there. */
enum status http_head_parameter_integer(const struct http_head *head, const char *name, int64_t min,
                                        int64_t max, int64_t otherwise, int64_t *ret_value,
                                        struct error *err);

/* STATUS_INVALID, naming it, if a parameter is there that `names` (ends with NULL) does not list.
 */
enum status http_head_only_parameters(const struct http_head *head, const char *const *names,
                                      struct error *err);

struct http_segments {
    struct http_value at[HTTP_SEGMENTS_MAX]; /* decoded, never empty */
    size_t count;
};

/*
 * Does the path fit? In the pattern "/v1/files/{}" each {} stands for one whole segment; all else
 * is compared byte for byte. A variable part that is empty, wrongly encoded, too long, or has a
 * control character or a '/' in it does not fit. `ret_segments` is changed even if not.
 */
bool http_path_fits(const char *path, const char *pattern, struct http_segments *ret_segments);

#endif
