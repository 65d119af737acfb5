/*
 * A small, strict HTTP/1.1 server on epoll and OpenSSL. It knows nothing of Dugnad's resources:
 * each request becomes an exchange that is given to one handler.
 *
 * Threads: a connection lives on one net thread; all callbacks of its exchanges run there, and none
 * may wait. Functions here may be called from callbacks; those that say "from any thread" from
 * elsewhere, too.
 *
 * The life of an exchange:
 *   1. handler.head() is called. There, at most once, http_exchange_collect() or
 *      http_exchange_stream() asks for the body; without either, the body is nobody's.
 *   2. If asked for, the body arrives and `complete` is called; or the exchange ends before that
 *      (the peer left, was too slow, sent too much): then nothing more is called but the sink's
 *      `aborted` and, last, the user destructor, and no reply is owed.
 *   3. Once `complete` was called (or head() returned without asking for the body), exactly one
 *      http_exchange_reply() is owed: at once, or later from any thread. It stays owed when the
 *      peer leaves meanwhile, and is then dropped quietly.
 *   A reply may also be given earlier, in head() or in the sink: then the rest of the body is
 *   thrown away, within limits, or the connection is closed after it; `complete` and `aborted` are
 *   not called.
 *   4. The reply is sent; the user destructor runs; the next request of the connection begins.
 * Requests of one connection are handled one after the other, in order.
 */
#ifndef SERVER_HTTP_SERVER_H
#define SERVER_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "server/http/head.h"
#include "server/http/reply.h"

struct env;
struct http_server;
struct http_exchange;

#define HTTP_LISTENERS_MAX 16
#define HTTP_THREADS_MAX   64

struct http_listen {
    const char *address;  /* "192.0.2.1:443", "[::]:443", "127.0.0.1:0" (any port), "unix:/path" */
    bool is_tls;          /* false: refused unless the address is loopback or a unix socket */
    bool is_behind_proxy; /* every connection begins with a PROXY protocol v2 header; elsewhere one
                             is refused like any other garbage */
};

/*
 * Every limit on what comes from outside. A deadline counts from the beginning of its phase and is
 * total: no byte prolongs it. "Pace": of each whole window, so many bytes must have moved.
 */
struct http_limits {
    int connections;          /* at once, over all threads */
    int connections_per_peer; /* address (IPv6: /56) not of this machine; more are closed */
    int64_t handshake_ms;     /* from accept, PROXY header and TLS together */
    int64_t header_ms;        /* from the first byte (or the end of the handshake) */
    int64_t idle_ms;          /* between requests */
    int64_t body_ms;          /* one whole body, without the time we made it wait */
    int64_t pace_window_ms;   /* for bodies and replies alike */
    int64_t body_pace_bytes;  /* received per window */
    int64_t reply_pace_bytes; /* sent per window, while there is something to send */
    int64_t reply_wait_ms;    /* a reply owed for longer: 503, and the late one is dropped */
    int64_t linger_ms;        /* for the peer to read a last reply before we close */
    size_t head_bytes;        /* request line and header fields */
    size_t target_bytes;      /* path and query */
    size_t fields;            /* header fields, at most HTTP_HEADERS_MAX */
    int64_t body_bytes;       /* of any body, whatever the handler says */
    int64_t collected_bytes;  /* of all bodies being collected in memory; beyond: 503 */
    int64_t discard_bytes;    /* of an unwanted body, to keep the connection */
};

/* The defaults; the one place that has them. */
#define HTTP_LIMITS_DEFAULT                                                                        \
    {                                                                                              \
        .connections = 20000, .connections_per_peer = 1000, .handshake_ms = 10000,                 \
        .header_ms = 10000, .idle_ms = 60000, .body_ms = 3600000, .pace_window_ms = 10000,         \
        .body_pace_bytes = 10240, .reply_pace_bytes = 10240, .reply_wait_ms = 120000,              \
        .linger_ms = 2000, .head_bytes = 16384, .target_bytes = 4096, .fields = HTTP_HEADERS_MAX,  \
        .body_bytes = INT64_C(1) << 40, .collected_bytes = INT64_C(256) << 20,                     \
        .discard_bytes = 65536                                                                     \
    }

struct http_handler {
    /* A request's head is there and in order. The exchange is valid until its destructor ran. */
    void (*head)(void *context, struct http_exchange *exchange);
    void *context;
};

/* Borrowed during http_server_start() only, but for the env and what the handler points to. */
struct http_config {
    const struct http_listen *listen; /* 1..HTTP_LISTENERS_MAX */
    size_t listen_count;
    const char *certificate_path; /* PEM, leaf first, then its chain; NULL without a TLS listener */
    const char *key_path;         /* PEM, not encrypted */
    const void *ticket_secret; /* as server/http/tickets.h; NULL: tickets are this server's own */
    size_t ticket_secret_length;
    const char *server_name; /* the Server field; NULL: none is sent */
    int threads;             /* 1..HTTP_THREADS_MAX */
    struct http_limits limits;
    struct http_handler handler;
    struct env *env; /* clock, and the disk that has the certificate; outlives the server */
};

/*
 * Bind, and serve on threads of its own. STATUS_INVALID: the configuration (the words name what);
 * STATUS_BUSY: somebody has the address; STATUS_NOT_FOUND, STATUS_STORAGE: certificate or key
 * cannot be read.
 */
enum status http_server_start(const struct http_config *config, struct http_server **ret_server,
                              struct error *err);

/* The port that listener number `index` got; 0 for a unix socket. */
uint16_t http_server_port(const struct http_server *server, size_t index);

/*
 * Read certificate and key again, from any thread. Running connections keep theirs. On failure
 * (unreadable, expired, or not a pair: STATUS_INVALID) the old ones stay. Also makes new keys for
 * session tickets: call it at least once a day.
 */
enum status http_server_reload_certificate(struct http_server *server, struct error *err);

/*
 * When the certificate in use ends, Unix seconds; 0 without TLS. From any thread.
 */
int64_t http_server_certificate_end_s(struct http_server *server);

/* Since the start, except `open_now`. */
struct http_counts {
    int64_t open_now;          /* connections */
    int64_t accepted;          /* connections */
    int64_t turned_away;       /* connections, for want of room */
    int64_t handshakes;        /* TLS, finished */
    int64_t handshakes_failed; /* TLS */
    int64_t requests;          /* given to the handler */
    int64_t refused;           /* requests that were not HTTP as we want it */
    int64_t timeouts;          /* connections closed by a deadline or pace, except idle ones */
};
struct http_counts http_server_counts(const struct http_server *server); /* from any thread */

/*
 * Stop accepting, give running exchanges up to `grace_ms`, then cut what is left; joins the
 * threads. Not from a callback. Afterwards http_exchange_reply() and http_exchange_resume() may
 * still be called (and do nothing visible), until http_server_free().
 */
void http_server_stop(struct http_server *server, int64_t grace_ms);

/* Stops at once if that was not done. Runs the destructors of exchanges still owed a reply. */
void http_server_free(struct http_server *server);
DEFINE_CLEANUP(struct http_server *, http_server_free)

const struct http_head *http_exchange_head(const struct http_exchange *exchange);

/* Yours to hang something on; `free_user` (may be NULL) is called once, on a net thread. */
void http_exchange_set_user(struct http_exchange *exchange, void *user, void (*free_user)(void *));
void *http_exchange_user(const struct http_exchange *exchange);

/*
 * Has the peer gone, so that a reply would reach nobody? From any thread while a reply or a resume
 * is owed.
 */
bool http_exchange_is_gone(const struct http_exchange *exchange);

/*
 * Take the body into memory. More than `max_bytes`: the server answers 413 itself. `body` is valid
 * during the call; take it with buffer_take().
 */
void http_exchange_collect(struct http_exchange *exchange, size_t max_bytes,
                           void (*complete)(void *user, struct http_exchange *exchange,
                                            struct buffer *body));

/* Where a streamed body goes. `user` is what http_exchange_user() returns. */
struct http_sink {
    /*
     * All of these bytes are taken, whatever is answered (but END). LATER: no more of them, and no
     * deadline of the peer's, until http_exchange_resume(); a reply may be given before that, too.
     * FAIL: the server answers with `err` and closes; nothing but the destructor follows.
     */
    enum http_flow (*take)(void *user, struct http_exchange *exchange, const char *bytes,
                           size_t length, struct error *err);
    void (*complete)(void *user, struct http_exchange *exchange); /* the body was whole */
    void (*aborted)(void *user, struct http_exchange *exchange);  /* may be NULL: keep what came */
};

/* A body of more than `max_bytes` is answered with 413: at once if announced, else when met. */
void http_exchange_stream(struct http_exchange *exchange, int64_t max_bytes,
                          const struct http_sink *sink);

/* After a callback answered LATER: exactly once, from any thread, even if the peer has gone. */
void http_exchange_resume(struct http_exchange *exchange);

/*
 * Answer; from any thread. Takes the reply's content and leaves it cleared. Afterwards the exchange
 * is no longer yours, except within the callback that runs.
 */
void http_exchange_reply(struct http_exchange *exchange, struct http_reply *reply);

/* http_exchange_reply() of http_reply_problem(). */
void http_exchange_fail(struct http_exchange *exchange, const struct error *err);

#endif
