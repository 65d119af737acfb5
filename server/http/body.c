#include "server/http/body.h"

#include <assert.h>

void http_body_init(struct http_body *body, int64_t content_length)
{
    *body = (struct http_body){.is_chunked =
                                   content_length<0, .left = content_length> 0 ? content_length : 0,
                               .is_over = content_length == 0};
}

bool http_body_is_too_large(const struct http_body *body)
{
    return body->wish != HTTP_BODY_UNWANTED && body->left > body->max;
}

enum http_chunk http_body_next(struct http_body *body, const char *bytes, size_t length,
                               size_t *ret_taken, size_t *ret_data,
                               struct http_refusal *ret_refusal)
{
    enum http_chunk step;

    if (body->is_chunked) {
        step = http_chunked_next(&body->chunked, bytes, length, ret_taken, ret_data, ret_refusal);
        body->is_over = step == HTTP_CHUNK_END;
        return step;
    }
    *ret_data = (int64_t)length < body->left ? length : (size_t)body->left;
    *ret_taken = *ret_data;
    body->left -= (int64_t)*ret_data;
    body->is_over = body->left == 0;
    if (*ret_data > 0)
        return HTTP_CHUNK_DATA;
    return body->is_over ? HTTP_CHUNK_END : HTTP_CHUNK_MORE;
}

bool http_body_has_room(const struct http_body *body, size_t length)
{
    return body->wish == HTTP_BODY_UNWANTED || (int64_t)length <= body->max - body->taken;
}

enum http_flow http_body_give(struct http_body *body, struct http_exchange *exchange,
                              const char *bytes, size_t length, struct error *err)
{
    enum http_flow flow;

    if (body->wish == HTTP_BODY_UNWANTED)
        return HTTP_FLOW_MORE;
    assert(http_body_has_room(body, length));
    body->taken += (int64_t)length;
    if (body->wish == HTTP_BODY_COLLECTED)
        return buffer_append(&body->collected, bytes, length, err) == STATUS_OK ? HTTP_FLOW_MORE
                                                                                : HTTP_FLOW_FAIL;
    flow = body->sink.take(http_exchange_user(exchange), exchange, bytes, length, err);
    assert(flow != HTTP_FLOW_END);
    return flow;
}

void http_body_complete(struct http_body *body, struct http_exchange *exchange)
{
    void *user = http_exchange_user(exchange);

    if (body->wish == HTTP_BODY_COLLECTED)
        body->complete(user, exchange, &body->collected);
    else if (body->wish == HTTP_BODY_STREAMED)
        body->sink.complete(user, exchange);
}

void http_body_abort(struct http_body *body, struct http_exchange *exchange)
{
    if (body->wish == HTTP_BODY_STREAMED && body->sink.aborted != NULL)
        body->sink.aborted(http_exchange_user(exchange), exchange);
}
