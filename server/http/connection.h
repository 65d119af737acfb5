/*
 * One connection: a small machine that goes from phase to phase, each with its deadline.
 *
 *   PROXY → HANDSHAKE → IDLE ⇄ HEAD → (CONTINUE →) BODY → WAIT → REPLY → (DISCARD →) IDLE
 *                                                                   └→ LINGER → closed
 */
#ifndef SERVER_HTTP_CONNECTION_H
#define SERVER_HTTP_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/base/buffer.h"
#include "server/http/body.h"
#include "server/http/loop.h"
#include "server/http/pace.h"
#include "server/http/parser.h"
#include "server/http/sender.h"
#include "server/http/wire.h"

struct http_connection {
    struct http_watch watch;
    struct http_loop *loop;
    TAILQ_ENTRY(http_connection) in_loop; /* connections or dead */
    TAILQ_ENTRY(http_connection) in_idle;
    TAILQ_ENTRY(http_connection) in_ready;
    bool is_idle, is_ready; /* is in that list */

    enum {
        HTTP_PHASE_PROXY,
        HTTP_PHASE_HANDSHAKE,
        HTTP_PHASE_IDLE,
        HTTP_PHASE_HEAD,
        HTTP_PHASE_CONTINUE,
        HTTP_PHASE_BODY,
        HTTP_PHASE_WAIT,
        HTTP_PHASE_REPLY,
        HTTP_PHASE_DISCARD,
        HTTP_PHASE_LINGER,
        HTTP_PHASE_CLOSED,
    } phase;
    int64_t deadline_mono_ms; /* INT64_MAX: none */
    int64_t body_end_mono_ms; /* of the whole body */
    struct http_pace pace;

    struct http_wire wire;
    uint32_t wanted;     /* epoll events that the last step waits for */
    uint32_t registered; /* epoll events that the kernel was told */
    struct http_peer peer;
    bool is_tls, is_behind_proxy, is_surplus;
    bool is_counted; /* among its peer's connections */
    int64_t requests;

    struct buffer in; /* received; from `in_start` not yet used */
    size_t in_start;
    struct http_scanner scanner;
    struct http_exchange *exchange; /* NULL: none runs */
    struct http_body body;
    bool is_paused; /* the sink said LATER */
    int64_t paused_mono_ms;
    size_t interim_sent; /* bytes of "100 Continue" */
    struct http_sender sender;
    bool closes; /* after this reply */
    bool is_head, is_old;
    int64_t dropped; /* bytes thrown away while lingering */
};

/* Takes the socket. */
void http_connection_open(struct http_loop *loop, const struct http_loop_listener *listener,
                          int socket, const struct http_peer *peer, bool is_surplus);

/* Go on as far as possible without waiting, and without keeping others waiting for long. */
void http_connection_advance(struct http_connection *connection);

/* The kernel reports these epoll events. */
void http_connection_event(struct http_connection *connection, uint32_t events);

/* The handler's reply is there; takes its content (or leaves it, if it comes too late). */
void http_connection_answer(struct http_connection *connection, struct http_reply *reply);
void http_connection_resume(struct http_connection *connection);

/* Its deadline may have passed. */
void http_connection_check(struct http_connection *connection);

/* Moves it to the loop's dead ones. */
void http_connection_close(struct http_connection *connection);
void http_connection_free(struct http_connection *connection);

/* The parts of connection.c that other files have. */
enum http_step { HTTP_STEP_ON, HTTP_STEP_STOP };

enum http_step http_connection_step_head(struct http_connection *connection);
enum http_step http_connection_step_continue(struct http_connection *connection);
enum http_step http_connection_step_body(struct http_connection *connection);
enum http_step http_connection_step_discard(struct http_connection *connection);
enum http_step http_connection_step_reply(struct http_connection *connection);
enum http_step http_connection_step_linger(struct http_connection *connection);

/* Read more into `in`. STOP: nothing came; what to wait for is noted, or the connection closed. */
enum http_step http_connection_read_more(struct http_connection *connection, size_t size);
/* An operation did not finish. Always STOP. */
enum http_step http_connection_blocked(struct http_connection *connection, enum http_io io);

void http_connection_set_deadline(struct http_connection *connection, int64_t at_mono_ms);
void http_connection_become_idle(struct http_connection *connection);

/* Answer by ourselves, end the exchange if there is one, and close after that. */
void http_connection_refuse(struct http_connection *connection, int status, const char *why);
void http_connection_start_reply(struct http_connection *connection, struct http_reply *reply);

/* Collected bytes are charged to an account that all share. False: it is full. */
bool http_connection_charge(struct http_connection *connection, size_t length);
void http_connection_discharge(struct http_connection *connection);

/* The exchange is over for the connection. Its sink hears of it if the body was not whole. */
void http_connection_abort_exchange(struct http_connection *connection);

#endif
