#include "server/http/connection.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "server/http/exchange.h"
#include "server/http/proxy.h"
#include "server/http/tls.h"

#define STEPS_PER_TURN 16 /* then others come first */
#define IN_READ_BYTES  16384

static int64_t now(const struct http_connection *connection)
{
    return connection->loop->now_mono_ms;
}

static const struct http_limits *limits(const struct http_connection *connection)
{
    return &connection->loop->shared->limits;
}

void http_connection_set_deadline(struct http_connection *connection, int64_t at_mono_ms)
{
    connection->deadline_mono_ms = at_mono_ms;
    http_loop_note_deadline(connection->loop, at_mono_ms);
}

static void leave_idle(struct http_connection *connection)
{
    if (connection->is_idle)
        TAILQ_REMOVE(&connection->loop->idle, connection, in_idle);
    connection->is_idle = false;
}

static void leave_ready(struct http_connection *connection)
{
    if (connection->is_ready)
        TAILQ_REMOVE(&connection->loop->ready, connection, in_ready);
    connection->is_ready = false;
}

static void enter_loop(struct http_connection *connection)
{
    struct http_loop *loop = connection->loop;
    struct epoll_event event = {.events = 0, .data.ptr = connection};

    TAILQ_INSERT_TAIL(&loop->connections, connection, in_loop);
    loop->connection_count++;
    (void)atomic_fetch_add(&loop->shared->open_now, 1);
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, connection->wire.socket, &event) != 0)
        http_connection_close(connection);
}

/* Now that it is known who is there. STOP: they have too many already. */
static enum http_step count_peer(struct http_connection *connection)
{
    struct http_loop *loop = connection->loop;

    connection->is_counted =
        http_peers_enter(&loop->peers, &connection->peer, loop->shared->connections_per_peer);
    if (connection->is_counted)
        return HTTP_STEP_ON;
    (void)atomic_fetch_add(&loop->shared->turned_away, 1);
    http_connection_close(connection);
    return HTTP_STEP_STOP;
}

void http_connection_open(struct http_loop *loop, const struct http_loop_listener *listener,
                          int socket, const struct http_peer *peer, bool is_surplus)
{
    struct http_connection *connection = must_alloc(1, sizeof *connection);
    static const int on = 1;

    *connection = (struct http_connection){
        .watch = {.kind = HTTP_WATCH_CONNECTION},
        .loop = loop,
        .phase = listener->is_behind_proxy ? HTTP_PHASE_PROXY : HTTP_PHASE_HANDSHAKE,
        .wire = {.socket = socket},
        .peer = *peer,
        .is_tls = listener->is_tls,
        .is_behind_proxy = listener->is_behind_proxy,
        .is_surplus = is_surplus,
    };
    buffer_init(&connection->in, limits(connection)->head_bytes + IN_READ_BYTES);
    http_body_init(&connection->body, 0);
    if (peer->kind != HTTP_PEER_LOCAL)
        (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (listener->is_tls)
        connection->wire.ssl = http_tls_accept(loop->shared->tls, socket);
    enter_loop(connection);
    if (listener->is_tls && connection->wire.ssl == NULL)
        http_connection_close(connection);
    if (connection->phase == HTTP_PHASE_CLOSED ||
        (!listener->is_behind_proxy && count_peer(connection) == HTTP_STEP_STOP))
        return;
    http_connection_set_deadline(connection, now(connection) + limits(connection)->handshake_ms);
    http_connection_advance(connection);
}

void http_connection_abort_exchange(struct http_connection *connection)
{
    struct http_exchange *exchange = connection->exchange;

    if (exchange == NULL)
        return;
    connection->exchange = NULL;
    connection->is_paused = false;
    if (connection->phase == HTTP_PHASE_BODY || connection->phase == HTTP_PHASE_CONTINUE)
        http_body_abort(&connection->body, exchange);
    http_exchange_detach(exchange, &connection->sender.reply);
}

void http_connection_close(struct http_connection *connection)
{
    struct http_loop *loop = connection->loop;

    if (connection->phase == HTTP_PHASE_CLOSED)
        return;
    http_connection_abort_exchange(connection);
    connection->phase = HTTP_PHASE_CLOSED;
    leave_idle(connection);
    leave_ready(connection);
    if (connection->is_counted)
        http_peers_leave(&loop->peers, &connection->peer);
    http_wire_close(&connection->wire);
    http_sender_clear(&connection->sender);
    http_connection_discharge(connection);
    buffer_clear(&connection->in);
    TAILQ_REMOVE(&loop->connections, connection, in_loop);
    TAILQ_INSERT_TAIL(&loop->dead, connection, in_loop);
    loop->connection_count--;
    (void)atomic_fetch_sub(&loop->shared->open_now, 1);
}

void http_connection_free(struct http_connection *connection)
{
    assert(connection->phase == HTTP_PHASE_CLOSED);
    free(connection);
}

enum http_step http_connection_blocked(struct http_connection *connection, enum http_io io)
{
    if (io == HTTP_IO_WANT_READ)
        connection->wanted = EPOLLIN;
    else if (io == HTTP_IO_WANT_WRITE)
        connection->wanted = EPOLLOUT;
    else
        http_connection_close(connection);
    return HTTP_STEP_STOP;
}

enum http_step http_connection_read_more(struct http_connection *connection, size_t size)
{
    struct buffer *in = &connection->in;
    size_t room, got = 0;
    char *bytes;
    enum http_io io;

    buffer_consume(in, connection->in_start);
    connection->in_start = 0;
    room = in->max - in->length;
    assert(room > 0);
    size = size < room ? size : room;
    bytes = buffer_reserve(in, size);
    io = http_wire_read(&connection->wire, bytes, size, &got);
    if (io != HTTP_IO_DONE)
        return http_connection_blocked(connection, io);
    buffer_commit(in, got);
    return HTTP_STEP_ON;
}

void http_connection_become_idle(struct http_connection *connection)
{
    const struct http_limits *limit = limits(connection);
    bool has_more = connection->in.length > connection->in_start;
    bool is_new = connection->requests == 0;

    connection->scanner = (struct http_scanner){0};
    connection->is_head = connection->is_old = false;
    connection->phase = has_more ? HTTP_PHASE_HEAD : HTTP_PHASE_IDLE;
    http_connection_set_deadline(
        connection, now(connection) + (has_more || is_new ? limit->header_ms : limit->idle_ms));
    if (has_more)
        return;
    buffer_clear(&connection->in);
    connection->in_start = 0;
    if (connection->loop->is_draining) {
        http_connection_close(connection);
    } else if (!is_new) {
        connection->is_idle = true;
        TAILQ_INSERT_TAIL(&connection->loop->idle, connection, in_idle);
    }
}

/* Read exactly the header's bytes: what follows may be TLS, which reads the socket itself. */
static enum http_step step_proxy(struct http_connection *connection)
{
    struct buffer *in = &connection->in;
    size_t needed = 0, got = 0;
    enum http_proxy step = http_proxy_parse((const unsigned char *)buffer_text(in), in->length,
                                            &needed, &connection->peer);
    char *room;
    enum http_io io;

    if (step == HTTP_PROXY_REFUSED) {
        (void)atomic_fetch_add(&connection->loop->shared->refused, 1);
        http_connection_close(connection);
        return HTTP_STEP_STOP;
    }
    if (step == HTTP_PROXY_WHOLE) {
        buffer_reset(in);
        connection->phase = HTTP_PHASE_HANDSHAKE;
        return count_peer(connection);
    }
    room = buffer_reserve(in, needed - in->length);
    assert(room != NULL);
    io = http_wire_read_raw(&connection->wire, room, needed - in->length, &got);
    if (io != HTTP_IO_DONE)
        return http_connection_blocked(connection, io);
    buffer_commit(in, got);
    return HTTP_STEP_ON;
}

static enum http_step step_handshake(struct http_connection *connection)
{
    struct http_shared *shared = connection->loop->shared;
    enum http_io io = http_wire_handshake(&connection->wire);

    if (io == HTTP_IO_BROKEN || io == HTTP_IO_END)
        (void)atomic_fetch_add(&shared->handshakes_failed, 1);
    if (io != HTTP_IO_DONE)
        return http_connection_blocked(connection, io);
    if (connection->is_tls)
        (void)atomic_fetch_add(&shared->handshakes, 1);
    http_connection_become_idle(connection);
    return connection->phase == HTTP_PHASE_CLOSED ? HTTP_STEP_STOP : HTTP_STEP_ON;
}

static enum http_step step_idle(struct http_connection *connection)
{
    if (http_connection_read_more(connection, IN_READ_BYTES / 4) == HTTP_STEP_STOP) {
        if (connection->phase == HTTP_PHASE_IDLE)
            buffer_clear(&connection->in);
        return HTTP_STEP_STOP;
    }
    leave_idle(connection);
    if (connection->requests > 0)
        http_connection_set_deadline(connection, now(connection) + limits(connection)->header_ms);
    connection->phase = HTTP_PHASE_HEAD;
    return HTTP_STEP_ON;
}

static enum http_step step(struct http_connection *connection)
{
    switch (connection->phase) {
    case HTTP_PHASE_PROXY:
        return step_proxy(connection);
    case HTTP_PHASE_HANDSHAKE:
        return step_handshake(connection);
    case HTTP_PHASE_IDLE:
        return step_idle(connection);
    case HTTP_PHASE_HEAD:
        return http_connection_step_head(connection);
    case HTTP_PHASE_CONTINUE:
        return http_connection_step_continue(connection);
    case HTTP_PHASE_BODY:
        return http_connection_step_body(connection);
    case HTTP_PHASE_REPLY:
        return http_connection_step_reply(connection);
    case HTTP_PHASE_DISCARD:
        return http_connection_step_discard(connection);
    case HTTP_PHASE_LINGER:
        return http_connection_step_linger(connection);
    case HTTP_PHASE_WAIT:
    case HTTP_PHASE_CLOSED:
        break;
    }
    return HTTP_STEP_STOP;
}

static void tell_kernel(struct http_connection *connection)
{
    struct epoll_event event = {.events = connection->wanted, .data.ptr = connection};

    if (connection->phase == HTTP_PHASE_CLOSED || connection->wanted == connection->registered)
        return;
    connection->registered = connection->wanted;
    if (epoll_ctl(connection->loop->epoll, EPOLL_CTL_MOD, connection->wire.socket, &event) != 0)
        http_connection_close(connection);
}

void http_connection_advance(struct http_connection *connection)
{
    enum http_step more = HTTP_STEP_ON;

    leave_ready(connection);
    connection->wanted = 0;
    for (int i = 0; i < STEPS_PER_TURN && more == HTTP_STEP_ON; i++)
        more = step(connection);
    if (more == HTTP_STEP_ON && connection->phase != HTTP_PHASE_CLOSED) {
        connection->is_ready = true;
        TAILQ_INSERT_TAIL(&connection->loop->ready, connection, in_ready);
    }
    tell_kernel(connection);
}

void http_connection_event(struct http_connection *connection, uint32_t events)
{
    if (connection->phase == HTTP_PHASE_CLOSED)
        return;
    /* Nobody listens to the socket just now: then only its end can have woken us. */
    if ((events & (EPOLLERR | EPOLLHUP)) != 0 && connection->wanted == 0 && !connection->is_ready)
        http_connection_close(connection);
    else
        http_connection_advance(connection);
}

void http_connection_answer(struct http_connection *connection, struct http_reply *reply)
{
    if (connection->phase != HTTP_PHASE_WAIT && connection->phase != HTTP_PHASE_BODY)
        return;
    http_connection_start_reply(connection, reply);
    http_connection_advance(connection);
}

void http_connection_resume(struct http_connection *connection)
{
    if (connection->phase == HTTP_PHASE_BODY && connection->is_paused) {
        connection->is_paused = false;
        connection->body_end_mono_ms += now(connection) - connection->paused_mono_ms;
        http_pace_start(&connection->pace, now(connection), limits(connection)->pace_window_ms);
        http_connection_set_deadline(connection, connection->pace.end_mono_ms);
        http_connection_advance(connection);
    } else if (connection->phase == HTTP_PHASE_REPLY && connection->sender.is_waiting) {
        http_sender_resume(&connection->sender);
        http_pace_start(&connection->pace, now(connection), limits(connection)->pace_window_ms);
        http_connection_set_deadline(connection, connection->pace.end_mono_ms);
        http_connection_advance(connection);
    }
}
