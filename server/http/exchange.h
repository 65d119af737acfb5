/* The inside of an exchange. It is counted: it outlives its connection while something is owed. */
#ifndef SERVER_HTTP_EXCHANGE_H
#define SERVER_HTTP_EXCHANGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "server/http/loop.h"
#include "server/http/server.h"

struct http_exchange {
    struct http_loop *loop;
    struct http_connection *connection; /* NULL: gone, or the exchange is over */
    atomic_bool is_gone;
    atomic_int references; /* connection, owed reply, each resume to come, being in the inbox */
    TAILQ_ENTRY(http_exchange) in_loop;

    struct http_head head;
    char *head_bytes; /* owned; the head points into it */
    void *user;
    void (*free_user)(void *user);

    bool is_owed;           /* the handler owes a reply */
    int resumes_to_come;    /* LATERs that were not answered */
    struct http_reply kept; /* its producer may still be used by who will resume */

    /* Under the loop's lock. */
    bool is_in_inbox, is_replied, has_reply;
    int resumes;
    struct http_reply reply;
    struct http_exchange *next_in_inbox;
};

/* One reference, the connection's. `bytes` are copied. */
struct http_exchange *http_exchange_new(struct http_loop *loop, struct http_connection *connection,
                                        const char *bytes, size_t length);
void http_exchange_hold(struct http_exchange *exchange);
void http_exchange_release(struct http_exchange *exchange);

/* The handler owes a reply from now on. */
void http_exchange_owe(struct http_exchange *exchange);

/* A callback said LATER. */
void http_exchange_await(struct http_exchange *exchange);

/* Has the handler replied, so that the inbox will bring it? */
bool http_exchange_is_replied(struct http_exchange *exchange);

/* The connection ends its part. What `sender` still has of a producer is kept while needed. */
void http_exchange_detach(struct http_exchange *exchange, struct http_reply *reply);

/* Do what other threads (and callbacks) have asked for; false: there is more of it. */
bool http_exchange_empty_inbox(struct http_loop *loop);

/* At the very end: no thread is left. */
void http_exchange_end_all(struct http_loop *loop);

#endif
