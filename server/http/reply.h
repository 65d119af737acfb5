/*
 * A reply while it is put together: a status, header fields and at most one body. The fields Date,
 * Connection, Content-Length and Transfer-Encoding are the server's business and never set here.
 */
#ifndef SERVER_HTTP_REPLY_H
#define SERVER_HTTP_REPLY_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "server/http/head.h"

struct disk_file;
struct disk;
struct http_exchange;

#define HTTP_REPLY_FIELDS_MAX_BYTES 8192

/* What a callback that moves body bytes answers. */
enum http_flow {
    HTTP_FLOW_MORE,  /* go on: all was taken, or something was filled in */
    HTTP_FLOW_LATER, /* not now: exactly one http_exchange_resume() will follow, from any thread */
    HTTP_FLOW_END,   /* producer only: what was filled in (maybe nothing) is the last */
    HTTP_FLOW_FAIL,
};

/* Makes a body as it is sent (chunked; to HTTP/1.0 until the connection closes). */
struct http_producer {
    /*
     * Fill in up to `room` (at least 1024) bytes. On a net thread: never wait here.
     * MORE with *ret_count > 0; LATER or END with any count. FAIL cuts the connection, so that the
     * peer sees that the body is incomplete.
     */
    enum http_flow (*fill)(void *context, struct http_exchange *exchange, char *ret_bytes,
                           size_t room, size_t *ret_count);
    void (*free)(void *context); /* called once, whatever happens; may be NULL */
    void *context;
};

struct http_reply {
    int status;           /* 200..599 */
    struct buffer fields; /* "Name: value\r\n"... */
    enum { HTTP_BODY_NONE, HTTP_BODY_MEMORY, HTTP_BODY_FILE, HTTP_BODY_PRODUCER } kind;
    char *bytes;            /* MEMORY: owned */
    struct disk *disk;      /* FILE: borrowed */
    struct disk_file *file; /* FILE: owned */
    int64_t offset;         /* FILE: where to begin */
    int64_t length;         /* MEMORY, FILE: bytes of the body */
    struct http_producer producer;
};

void http_reply_init(struct http_reply *reply, int status);
void http_reply_clear(struct http_reply *reply); /* releases what it still owns. For CLEANUP() */

/*
 * Add a field. The name is a constant of ours. In the value, what may not stand there (control
 * characters, above all line ends) becomes '?'. Asserts that all fields together fit
 * HTTP_REPLY_FIELDS_MAX_BYTES.
 */
void http_reply_field(struct http_reply *reply, const char *name, const char *value_fmt, ...)
    PRINTF_LIKE(3, 4);

/* `bytes` is from malloc() and becomes the reply's. The type is the Content-Type. */
void http_reply_memory(struct http_reply *reply, const char *type, char *bytes, size_t length);

/* The same with a copy of `text`. */
void http_reply_text(struct http_reply *reply, const char *type, const char *text);

/*
 * `length` bytes of the file from `offset`; the file becomes the reply's and is closed with it.
 * A file that turns out shorter cuts the connection.
 */
void http_reply_file(struct http_reply *reply, const char *type, struct disk *disk,
                     struct disk_file *file, int64_t offset, int64_t length);

void http_reply_producer(struct http_reply *reply, const char *type, struct http_producer producer);

/*
 * Initialise as an RFC 9457 problem document (protocol/problem.h), with a Retry-After field when
 * retry_after_s was said; busy and full say a time in any case.
 * `err` is a failure (never STATUS_OK).
 */
void http_reply_problem(struct http_reply *reply, const struct error *err);

/*
 * The same with a code of HTTP's that no status has (405, 412, 415, 416 …); type "http-405".
 * retry_after_s 0: not said.
 */
void http_reply_problem_http(struct http_reply *reply, int http, const char *detail,
                             int64_t retry_after_s);

/*
 * Serve a file as the request asks: If-None-Match (304), Range (206, 416) and If-Range against the
 * strong entity tag `etag` (with its quotes). Sets ETag and Accept-Ranges. The file becomes the
 * reply's whatever comes out. Initialises the reply; add further fields afterwards.
 */
void http_reply_file_for(struct http_reply *reply, const struct http_head *head, const char *type,
                         const char *etag, struct disk *disk, struct disk_file *file, int64_t size);

#endif
