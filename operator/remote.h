/* Talking to the site of a profile. Repeats what may be repeated; everything else is told. */
#ifndef OPERATOR_REMOTE_H
#define OPERATOR_REMOTE_H

#include "common/http/client.h"
#include "operator/profile.h"

#define REMOTE_ATTEMPTS   6
#define REMOTE_WAIT_MAX_S 60 /* between two attempts; a server that says more is not waited for */

/* What is asked; the path begins with "/v1/". */
struct remote_request {
    enum http_method method;
    const char *path;
    const char *content_type; /* NULL: application/json */
    struct http_body body;
    int64_t max_bytes; /* of the answer */
    struct http_sink *sink;
};

/*
 * A 2xx answer, or the failure: what the server said (session->was_refused) or what went wrong on
 * the way there. Repeats after STATUS_UNREACHABLE, BUSY, LIMITED, each time waiting as told.
 */
enum status remote_ask(struct profile *profile, const struct remote_request *request,
                       struct http_response *ret_response, struct error *err) MUST_USE;

/*
 * The same in two steps, so that several requests are under way at once. What the body points to
 * has to stay until the second one. remote_end() waits; a failure that may pass is tried again as
 * remote_ask() does. In any case *exchange is NULL afterwards.
 */
enum status remote_begin(struct profile *profile, const struct remote_request *request,
                         struct http_exchange **ret_exchange, struct error *err) MUST_USE;
enum status remote_end(struct profile *profile, const struct remote_request *request,
                       struct http_exchange **exchange, struct http_response *ret_response,
                       struct error *err) MUST_USE;

/*
 * For who has several under way and waits for none: is this one over? Then *ret_status is how, as
 * of remote_end() but never tried again, and *exchange is NULL.
 */
bool remote_is_over(struct profile *profile, struct http_exchange **exchange,
                    enum status *ret_status, struct http_response *ret_response, struct error *err)
    MUST_USE;

/* Move on what is under way, without waiting; break one of them off (NULL is fine). */
void remote_move(struct profile *profile);
void remote_forget(struct profile *profile, struct http_exchange *exchange);

/* GET; and POST of JSON. The answer's body into `ret_body`, which is initialised. */
enum status remote_get(struct profile *profile, const char *path, size_t max_bytes,
                       struct buffer *ret_body, struct error *err) MUST_USE;
enum status remote_post(struct profile *profile, const char *path, const char *json,
                        size_t max_bytes, struct buffer *ret_body, struct error *err) MUST_USE;

/* An answer that cannot be read: STATUS_UNREACHABLE rather than "invalid", which is our input. */
enum status remote_misunderstood(const struct error *why, struct error *err);

#endif
