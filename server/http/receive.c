/* How a connection takes in a request: its head, the handler's wish, its body. */
#include <assert.h>
#include <string.h>

#include "common/base/log.h"
#include "server/http/connection.h"
#include "server/http/exchange.h"

#define HEAD_READ_BYTES 4096
#define BODY_READ_BYTES 16384
#define NEVER           INT64_MAX

static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";

static const struct http_limits *limits(const struct http_connection *connection)
{
    return &connection->loop->shared->limits;
}

static struct http_parse_limits parse_limits(const struct http_connection *connection)
{
    const struct http_limits *limit = limits(connection);

    return (struct http_parse_limits){.head_bytes = limit->head_bytes,
                                      .target_bytes = limit->target_bytes,
                                      .fields = limit->fields,
                                      .body_bytes = limit->body_bytes};
}

static enum http_step refuse(struct http_connection *connection, const struct http_refusal *refusal)
{
    char peer[HTTP_PEER_TEXT_MAX];

    http_peer_text(&connection->peer, peer);
    LOG(LOG_DEBUG, "http.refused", LOG_S("peer", peer), LOG_N("status", refusal->status),
        LOG_S("why", refusal->why));
    http_connection_refuse(connection, refusal->status, refusal->why);
    return HTTP_STEP_ON;
}

static enum http_step wait_for_reply(struct http_connection *connection)
{
    connection->phase = HTTP_PHASE_WAIT;
    http_connection_set_deadline(connection,
                                 connection->loop->now_mono_ms + limits(connection)->reply_wait_ms);
    return HTTP_STEP_STOP;
}

static enum http_step complete(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;

    http_exchange_owe(exchange);
    (void)wait_for_reply(connection);
    http_body_complete(&connection->body, exchange);
    http_connection_discharge(connection);
    return HTTP_STEP_STOP;
}

static void start_body(struct http_connection *connection)
{
    const struct http_limits *limit = limits(connection);
    int64_t now = connection->loop->now_mono_ms;

    connection->body_end_mono_ms = now + limit->body_ms;
    connection->interim_sent = 0;
    http_pace_start(&connection->pace, now, limit->pace_window_ms);
    http_connection_set_deadline(connection, limit->body_ms < limit->pace_window_ms
                                                 ? connection->body_end_mono_ms
                                                 : connection->pace.end_mono_ms);
}

/* What the handler said in its head(). */
static enum http_step obey_handler(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;
    bool has_bytes = connection->in.length > connection->in_start;

    if (http_exchange_is_replied(exchange))
        return wait_for_reply(connection);
    if (connection->body.wish == HTTP_BODY_UNWANTED) {
        http_exchange_owe(exchange);
        return wait_for_reply(connection);
    }
    connection->phase = HTTP_PHASE_BODY;
    if (http_body_is_too_large(&connection->body)) {
        http_connection_refuse(connection, 413, "the body is too large");
        return HTTP_STEP_ON;
    }
    if (connection->body.is_over)
        return complete(connection);
    start_body(connection);
    if (exchange->head.expects_continue && !has_bytes)
        connection->phase = HTTP_PHASE_CONTINUE;
    return HTTP_STEP_ON;
}

/* Too many connections: this one was let in to be told so. */
static enum http_step turn_away(struct http_connection *connection)
{
    struct http_reply reply;
    struct error err = {0};

    error_set(&err, STATUS_BUSY, "too many connections; try again later");
    error_retry_after(&err, 30);
    http_reply_problem(&reply, &err);
    connection->closes = true;
    http_connection_start_reply(connection, &reply);
    return HTTP_STEP_ON;
}

static enum http_step begin_exchange(struct http_connection *connection, size_t length)
{
    struct http_loop *loop = connection->loop;
    struct http_parse_limits limit = parse_limits(connection);
    struct http_exchange *exchange =
        http_exchange_new(loop, connection, connection->in.bytes + connection->in_start, length);
    struct http_refusal refusal;

    connection->in_start += length;
    connection->scanner = (struct http_scanner){0};
    connection->requests++;
    if (!http_parse_head(exchange->head_bytes, length, &limit, &exchange->head, &refusal)) {
        http_exchange_release(exchange);
        return refuse(connection, &refusal);
    }
    exchange->head.peer = connection->peer;
    exchange->head.is_tls = connection->is_tls;
    connection->exchange = exchange;
    connection->is_head = strcmp(exchange->head.method, "HEAD") == 0;
    connection->is_old = exchange->head.is_old;
    connection->closes = exchange->head.is_last || loop->is_draining;
    http_body_init(&connection->body, exchange->head.content_length);
    if (connection->is_surplus)
        return turn_away(connection);
    (void)atomic_fetch_add(&loop->shared->requests, 1);
    loop->shared->handler.head(loop->shared->handler.context, exchange);
    return obey_handler(connection);
}

enum http_step http_connection_step_head(struct http_connection *connection)
{
    struct http_parse_limits limit = parse_limits(connection);
    struct http_refusal refusal;
    size_t length = 0;

    switch (
        http_scan_head(&connection->scanner, buffer_text(&connection->in) + connection->in_start,
                       connection->in.length - connection->in_start, &limit, &length, &refusal)) {
    case HTTP_SCAN_WHOLE:
        return begin_exchange(connection, length);
    case HTTP_SCAN_REFUSED:
        return refuse(connection, &refusal);
    case HTTP_SCAN_MORE:
        break;
    }
    return http_connection_read_more(connection, HEAD_READ_BYTES);
}

enum http_step http_connection_step_continue(struct http_connection *connection)
{
    size_t left = sizeof interim - 1 - connection->interim_sent, sent = 0;
    enum http_io io =
        http_wire_write(&connection->wire, interim + connection->interim_sent, left, &sent);

    if (io != HTTP_IO_DONE)
        return http_connection_blocked(connection, io);
    connection->interim_sent += sent;
    if (connection->interim_sent == sizeof interim - 1)
        connection->phase = HTTP_PHASE_BODY;
    return HTTP_STEP_ON;
}

bool http_connection_charge(struct http_connection *connection, size_t length)
{
    struct http_shared *shared = connection->loop->shared;
    int64_t before = atomic_fetch_add(&shared->collected_bytes, (long long)length);

    connection->body.charged += (int64_t)length;
    return before + (int64_t)length <= shared->limits.collected_bytes;
}

void http_connection_discharge(struct http_connection *connection)
{
    struct http_body *body = &connection->body;

    buffer_clear(&body->collected);
    (void)atomic_fetch_sub(&connection->loop->shared->collected_bytes, body->charged);
    body->charged = 0;
}

static enum http_step fail_body(struct http_connection *connection, const struct error *err)
{
    struct http_reply reply;

    http_reply_problem(&reply, err);
    connection->phase = HTTP_PHASE_WAIT; /* so that the sink, which said so, is told nothing */
    http_connection_abort_exchange(connection);
    connection->closes = true;
    http_connection_start_reply(connection, &reply);
    return HTTP_STEP_ON;
}

static enum http_step plead_memory(struct http_connection *connection)
{
    struct error err = {0};

    error_set(&err, STATUS_BUSY, "too much is being received just now; try again later");
    error_retry_after(&err, 10);
    return fail_body(connection, &err);
}

/* STOP: no more of the body is to be read now, whatever the reason. */
static enum http_step give(struct http_connection *connection, const char *bytes, size_t length)
{
    struct error err = {0};
    enum http_flow flow;

    if (!http_body_has_room(&connection->body, length)) {
        http_connection_refuse(connection, 413, "the body is too large");
        return HTTP_STEP_ON;
    }
    if (connection->body.wish == HTTP_BODY_COLLECTED && !http_connection_charge(connection, length))
        return plead_memory(connection);
    flow = http_body_give(&connection->body, connection->exchange, bytes, length, &err);
    if (flow == HTTP_FLOW_LATER) {
        http_exchange_await(connection->exchange);
        connection->is_paused = true;
        connection->paused_mono_ms = connection->loop->now_mono_ms;
        http_connection_set_deadline(connection, NEVER);
    }
    if (http_exchange_is_replied(connection->exchange))
        return wait_for_reply(connection);
    return flow == HTTP_FLOW_FAIL    ? fail_body(connection, &err)
           : flow == HTTP_FLOW_LATER ? HTTP_STEP_STOP
                                     : HTTP_STEP_ON;
}

/* One piece of what is in `in`. */
static enum http_step take_piece(struct http_connection *connection, enum http_chunk *ret_step)
{
    const char *bytes = buffer_text(&connection->in) + connection->in_start;
    struct http_refusal refusal;
    size_t taken = 0, data = 0;

    *ret_step =
        http_body_next(&connection->body, bytes, connection->in.length - connection->in_start,
                       &taken, &data, &refusal);
    connection->in_start += taken;
    connection->pace.moved += (int64_t)taken;
    if (*ret_step == HTTP_CHUNK_REFUSED)
        return refuse(connection, &refusal);
    return *ret_step == HTTP_CHUNK_DATA && connection->phase == HTTP_PHASE_BODY
               ? give(connection, bytes + taken - data, data)
               : HTTP_STEP_ON;
}

enum http_step http_connection_step_body(struct http_connection *connection)
{
    enum http_chunk step;

    if (connection->is_paused)
        return HTTP_STEP_STOP;
    if (connection->in.length == connection->in_start && !connection->body.is_over &&
        http_connection_read_more(connection, BODY_READ_BYTES) == HTTP_STEP_STOP)
        return HTTP_STEP_STOP;
    do {
        if (take_piece(connection, &step) == HTTP_STEP_STOP)
            return HTTP_STEP_STOP;
        if (connection->phase != HTTP_PHASE_BODY)
            return HTTP_STEP_ON;
    } while (step == HTTP_CHUNK_DATA && connection->in.length > connection->in_start);
    return connection->body.is_over ? complete(connection) : HTTP_STEP_ON;
}

enum http_step http_connection_step_discard(struct http_connection *connection)
{
    enum http_chunk step = HTTP_CHUNK_MORE;

    if (connection->in.length == connection->in_start &&
        http_connection_read_more(connection, BODY_READ_BYTES) == HTTP_STEP_STOP)
        return HTTP_STEP_STOP;
    while (connection->phase == HTTP_PHASE_DISCARD && !connection->body.is_over &&
           connection->in.length > connection->in_start)
        (void)take_piece(connection, &step);
    if (connection->phase == HTTP_PHASE_DISCARD && connection->body.is_over)
        http_connection_become_idle(connection);
    return connection->phase == HTTP_PHASE_CLOSED ? HTTP_STEP_STOP : HTTP_STEP_ON;
}

void http_exchange_collect(struct http_exchange *exchange, size_t max_bytes,
                           void (*completed)(void *user, struct http_exchange *exchange,
                                             struct buffer *body))
{
    struct http_body *body = &exchange->connection->body;

    assert(body->wish == HTTP_BODY_UNWANTED && completed != NULL);
    body->wish = HTTP_BODY_COLLECTED;
    body->max = (int64_t)max_bytes;
    body->complete = completed;
    buffer_init(&body->collected, max_bytes);
}

void http_exchange_stream(struct http_exchange *exchange, int64_t max_bytes,
                          const struct http_sink *sink)
{
    struct http_body *body = &exchange->connection->body;
    int64_t most = exchange->loop->shared->limits.body_bytes;

    assert(body->wish == HTTP_BODY_UNWANTED && sink->take != NULL && sink->complete != NULL);
    body->wish = HTTP_BODY_STREAMED;
    body->max = max_bytes < most ? max_bytes : most;
    body->sink = *sink;
}
