/*
 * One net thread: its epoll, its connections, and the inbox through which other threads reach them.
 * All members belong to that thread, but for those under the lock.
 */
#ifndef SERVER_HTTP_LOOP_H
#define SERVER_HTTP_LOOP_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "server/http/peers.h"
#include "server/http/server.h"

struct http_tls;
struct http_connection;

/* What the threads share: unchanged while they run, but for the counters. */
struct http_shared {
    struct env *env;
    struct http_limits limits;
    struct http_handler handler;
    char *server_name;            /* NULL: none */
    struct http_tls *tls;         /* NULL: none */
    int connections;              /* per loop */
    int connections_per_peer;     /* per loop */
    atomic_llong collected_bytes; /* held by all connections together */
    atomic_llong open_now, accepted, turned_away, handshakes, handshakes_failed, requests, refused,
        timeouts;
    atomic_bool is_stopping;
    atomic_llong stop_mono_ms; /* when what still runs is cut */
};

/* What an epoll event belongs to: first member of each. */
struct http_watch {
    enum { HTTP_WATCH_WAKE, HTTP_WATCH_LISTENER, HTTP_WATCH_CONNECTION } kind;
};

struct http_loop_listener {
    struct http_watch watch;
    int socket; /* owned */
    bool is_tls;
    bool is_behind_proxy;
};

TAILQ_HEAD(http_connections, http_connection);
TAILQ_HEAD(http_exchanges, http_exchange);

struct http_loop {
    struct http_shared *shared; /* borrowed */
    pthread_t thread;
    bool has_thread;
    int epoll;
    struct http_watch wake_watch;
    int wake; /* eventfd */
    struct http_loop_listener listeners[HTTP_LISTENERS_MAX];
    size_t listener_count;
    int64_t listen_again_mono_ms; /* 0: listening; else accept() found no room */

    struct http_connections connections; /* all that are open */
    struct http_connections idle;        /* those between requests, longest first */
    struct http_connections ready;       /* those that can go on without waiting */
    struct http_connections dead;        /* closed, freed at the end of the round */
    int connection_count;
    struct http_peers peers;
    struct http_exchanges exchanges;
    int64_t now_mono_ms;        /* of this round */
    int64_t next_check_mono_ms; /* not later than any connection's deadline */
    bool has_errands;           /* the inbox was not emptied */
    bool is_draining;

    pthread_mutex_t lock;
    struct http_exchange *inbox_first, *inbox_last; /* under the lock */
};

/* Listeners are filled in by the caller. STATUS_STORAGE: the kernel gives no epoll. */
enum status http_loop_init(struct http_loop *loop, struct http_shared *shared, struct error *err);
enum status http_loop_start(struct http_loop *loop, struct error *err);
void http_loop_wake(struct http_loop *loop); /* from any thread */
void http_loop_join(struct http_loop *loop);

/* After the join; ends what exchanges are left. Accepts a zeroed loop. */
void http_loop_clear(struct http_loop *loop);

/* A connection of this loop has a deadline then. */
void http_loop_note_deadline(struct http_loop *loop, int64_t at_mono_ms);

#endif
