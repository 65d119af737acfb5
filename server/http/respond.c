/* How a connection sends a reply, and what becomes of it afterwards. */
#include <assert.h>

#include "common/base/env.h"
#include "server/http/connection.h"
#include "server/http/exchange.h"

#define LINGER_MAX_BYTES (1 << 20) /* thrown away while the peer reads our last reply */
#define NEVER            INT64_MAX

static const struct http_limits *limits(const struct http_connection *connection)
{
    return &connection->loop->shared->limits;
}

/*
 * What is left of the body stands in the way of the next request: throw it away if it is little and
 * of known length. A peer that waits for our 100 may send it or not: nobody could tell.
 */
static bool must_close(const struct http_connection *connection)
{
    const struct http_body *body = &connection->body;
    const struct http_exchange *exchange = connection->exchange;

    if (connection->closes || connection->is_old || connection->loop->is_draining)
        return true;
    if (body->is_over)
        return false;
    return body->is_chunked || body->left > limits(connection)->discard_bytes ||
           (exchange != NULL && exchange->head.expects_continue);
}

void http_connection_start_reply(struct http_connection *connection, struct http_reply *reply)
{
    struct http_shared *shared = connection->loop->shared;
    int64_t now = connection->loop->now_mono_ms;
    struct http_sender_facts facts = {.is_head = connection->is_head,
                                      .is_old = connection->is_old,
                                      .now_s = shared->env->now_s(shared->env),
                                      .server_name = shared->server_name};

    connection->closes = must_close(connection);
    connection->is_paused = false;
    connection->phase = HTTP_PHASE_REPLY;
    facts.closes = connection->closes;
    http_connection_discharge(connection);
    http_sender_begin(&connection->sender, reply, &facts);
    http_pace_start(&connection->pace, now, limits(connection)->pace_window_ms);
    http_connection_set_deadline(connection, connection->pace.end_mono_ms);
}

void http_connection_refuse(struct http_connection *connection, int status, const char *why)
{
    struct http_reply reply;

    (void)atomic_fetch_add(&connection->loop->shared->refused, 1);
    http_connection_abort_exchange(connection);
    connection->closes = true;
    http_reply_problem_http(&reply, status, why, 0);
    http_connection_start_reply(connection, &reply);
}

static void linger(struct http_connection *connection)
{
    http_wire_finish(&connection->wire);
    connection->phase = HTTP_PHASE_LINGER;
    http_connection_set_deadline(connection,
                                 connection->loop->now_mono_ms + limits(connection)->linger_ms);
}

static enum http_step finish_reply(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;

    connection->exchange = NULL;
    if (exchange != NULL)
        http_exchange_detach(exchange, &connection->sender.reply);
    http_sender_clear(&connection->sender);
    if (connection->closes) {
        linger(connection);
    } else if (!connection->body.is_over) {
        connection->phase = HTTP_PHASE_DISCARD;
        http_connection_set_deadline(connection,
                                     connection->loop->now_mono_ms + limits(connection)->header_ms);
    } else {
        http_connection_become_idle(connection);
    }
    return connection->phase == HTTP_PHASE_CLOSED ? HTTP_STEP_STOP : HTTP_STEP_ON;
}

/* The producer has nothing: that is not the peer's fault. */
static void note_waiting(struct http_connection *connection, bool was_waiting)
{
    if (was_waiting || !connection->sender.is_waiting)
        return;
    assert(connection->exchange != NULL);
    http_exchange_await(connection->exchange);
}

enum http_step http_connection_step_reply(struct http_connection *connection)
{
    bool was_waiting = connection->sender.is_waiting;
    const char *bytes;
    size_t length = 0, sent = 0;
    enum http_io io;
    enum http_send send =
        http_sender_next(&connection->sender, connection->exchange, &bytes, &length);

    note_waiting(connection, was_waiting);
    if (send == HTTP_SEND_DONE)
        return finish_reply(connection);
    if (send == HTTP_SEND_CUT)
        http_connection_close(connection);
    else if (send == HTTP_SEND_LATER)
        http_connection_set_deadline(connection, NEVER);
    if (send != HTTP_SEND_BYTES)
        return HTTP_STEP_STOP;
    io = http_wire_write(&connection->wire, bytes, length, &sent);
    if (io != HTTP_IO_DONE)
        return http_connection_blocked(connection, io);
    http_sender_sent(&connection->sender, sent);
    connection->pace.moved += (int64_t)sent;
    return HTTP_STEP_ON;
}

/* Closing at once would reset a connection that still brings bytes, and the reply would be lost. */
enum http_step http_connection_step_linger(struct http_connection *connection)
{
    char bytes[4096];
    size_t got = 0;
    enum http_io io = http_wire_read_raw(&connection->wire, bytes, sizeof bytes, &got);

    if (io != HTTP_IO_DONE)
        return http_connection_blocked(connection, io);
    connection->dropped += (int64_t)got;
    if (connection->dropped > LINGER_MAX_BYTES)
        http_connection_close(connection);
    return connection->phase == HTTP_PHASE_CLOSED ? HTTP_STEP_STOP : HTTP_STEP_ON;
}
