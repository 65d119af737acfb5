/* What becomes of a connection whose time is up: every phase has its deadline. */
#include "server/http/connection.h"

#define NEVER INT64_MAX

static int64_t now(const struct http_connection *connection)
{
    return connection->loop->now_mono_ms;
}

static const struct http_limits *limits(const struct http_connection *connection)
{
    return &connection->loop->shared->limits;
}

static void time_out(struct http_connection *connection, int status, const char *why)
{
    (void)atomic_fetch_add(&connection->loop->shared->timeouts, 1);
    if (status == 0) {
        http_connection_close(connection);
        return;
    }
    http_connection_refuse(connection, status, why);
    http_connection_advance(connection);
}

static void check_body(struct http_connection *connection)
{
    const struct http_limits *limit = limits(connection);

    if (now(connection) >= connection->body_end_mono_ms ||
        !http_pace_holds(&connection->pace, now(connection), limit->pace_window_ms,
                         limit->body_pace_bytes))
        time_out(connection, 408, "the body came too slowly");
    else
        http_connection_set_deadline(connection,
                                     connection->pace.end_mono_ms < connection->body_end_mono_ms
                                         ? connection->pace.end_mono_ms
                                         : connection->body_end_mono_ms);
}

static void check_reply(struct http_connection *connection)
{
    const struct http_limits *limit = limits(connection);

    if (!http_pace_holds(&connection->pace, now(connection), limit->pace_window_ms,
                         limit->reply_pace_bytes))
        time_out(connection, 0, NULL);
    else
        http_connection_set_deadline(connection, connection->pace.end_mono_ms);
}

void http_connection_check(struct http_connection *connection)
{
    if (now(connection) < connection->deadline_mono_ms)
        return;
    connection->deadline_mono_ms = NEVER;
    switch (connection->phase) {
    case HTTP_PHASE_HEAD:
        time_out(connection, 408, "the header came too slowly");
        break;
    case HTTP_PHASE_CONTINUE:
    case HTTP_PHASE_BODY:
        check_body(connection);
        break;
    case HTTP_PHASE_WAIT:
        time_out(connection, 503, "the answer takes too long; try again");
        break;
    case HTTP_PHASE_REPLY:
        check_reply(connection);
        break;
    case HTTP_PHASE_PROXY:
    case HTTP_PHASE_HANDSHAKE:
    case HTTP_PHASE_DISCARD:
        time_out(connection, 0, NULL);
        break;
    case HTTP_PHASE_IDLE:
        if (connection->requests == 0)
            (void)atomic_fetch_add(&connection->loop->shared->timeouts, 1);
        http_connection_close(connection);
        break;
    case HTTP_PHASE_LINGER:
        http_connection_close(connection);
        break;
    case HTTP_PHASE_CLOSED:
        break;
    }
}
