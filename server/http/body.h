/* The body of a request as it arrives: where it ends, and where the handler wants it. No sockets.
 */
#ifndef SERVER_HTTP_BODY_H
#define SERVER_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "server/http/chunked.h"
#include "server/http/server.h"

struct http_body {
    bool is_chunked;
    int64_t left; /* still to come of an announced body */
    struct http_chunked chunked;
    bool is_over; /* all of it came */

    enum { HTTP_BODY_UNWANTED, HTTP_BODY_COLLECTED, HTTP_BODY_STREAMED } wish;
    int64_t max;             /* bytes the handler takes */
    int64_t taken;           /* bytes it was given */
    struct buffer collected; /* COLLECTED: owned */
    int64_t charged;         /* bytes of it in the shared account */
    void (*complete)(void *user, struct http_exchange *exchange, struct buffer *body);
    struct http_sink sink;
};

/* `content_length` as in struct http_head. */
void http_body_init(struct http_body *body, int64_t content_length);

/* Is more announced than the handler takes? */
bool http_body_is_too_large(const struct http_body *body);

/* As http_chunked_next(), for both framings. Sets is_over with END. */
enum http_chunk http_body_next(struct http_body *body, const char *bytes, size_t length,
                               size_t *ret_taken, size_t *ret_data,
                               struct http_refusal *ret_refusal);

/* Does the handler take so many bytes more? */
bool http_body_has_room(const struct http_body *body, size_t length);

/* Give content, for which there is room, to whoever wants it; answers what the sink says. */
enum http_flow http_body_give(struct http_body *body, struct http_exchange *exchange,
                              const char *bytes, size_t length, struct error *err);

/* Tell whoever wanted it that it is whole, or that the rest will not come. */
void http_body_complete(struct http_body *body, struct http_exchange *exchange);
void http_body_abort(struct http_body *body, struct http_exchange *exchange);

#endif
