#include "server/http/exchange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "server/http/connection.h"

#define ERRANDS_PER_ROUND 256 /* then sockets come first: an answer may bring the next request */

struct http_exchange *http_exchange_new(struct http_loop *loop, struct http_connection *connection,
                                        const char *bytes, size_t length)
{
    struct http_exchange *exchange = must_alloc(1, sizeof *exchange);

    exchange->loop = loop;
    exchange->connection = connection;
    exchange->head_bytes = text_copy_n(bytes, length);
    atomic_init(&exchange->is_gone, false);
    atomic_init(&exchange->references, 1);
    TAILQ_INSERT_TAIL(&loop->exchanges, exchange, in_loop);
    return exchange;
}

static void end(struct http_exchange *exchange)
{
    TAILQ_REMOVE(&exchange->loop->exchanges, exchange, in_loop);
    http_reply_clear(&exchange->kept);
    http_reply_clear(&exchange->reply);
    if (exchange->free_user != NULL)
        exchange->free_user(exchange->user);
    free(exchange->head_bytes);
    free(exchange);
}

void http_exchange_hold(struct http_exchange *exchange)
{
    (void)atomic_fetch_add(&exchange->references, 1);
}

void http_exchange_release(struct http_exchange *exchange)
{
    int before = atomic_fetch_sub(&exchange->references, 1);

    assert(before > 0);
    if (before == 1)
        end(exchange);
}

void http_exchange_owe(struct http_exchange *exchange)
{
    assert(!exchange->is_owed);
    exchange->is_owed = true;
    http_exchange_hold(exchange);
}

void http_exchange_await(struct http_exchange *exchange)
{
    exchange->resumes_to_come++;
    http_exchange_hold(exchange);
}

bool http_exchange_is_replied(struct http_exchange *exchange)
{
    bool is_replied;

    (void)pthread_mutex_lock(&exchange->loop->lock);
    is_replied = exchange->is_replied;
    (void)pthread_mutex_unlock(&exchange->loop->lock);
    return is_replied;
}

void http_exchange_detach(struct http_exchange *exchange, struct http_reply *reply)
{
    if (exchange->resumes_to_come > 0) {
        exchange->kept = *reply;
        *reply = (struct http_reply){0};
    }
    exchange->connection = NULL;
    atomic_store(&exchange->is_gone, true);
    http_exchange_release(exchange);
}

/*
 * Under the lock. After it is released, the exchange may be gone at any moment. True: the inbox was
 * empty. With something in it the loop has been woken already, or is not through with it yet: an
 * engine that lets a hundred replies go wakes each loop once.
 */
static bool post(struct http_exchange *exchange)
{
    struct http_loop *loop = exchange->loop;
    bool was_empty = loop->inbox_first == NULL;

    if (exchange->is_in_inbox)
        return false;
    exchange->is_in_inbox = true;
    http_exchange_hold(exchange);
    exchange->next_in_inbox = NULL;
    if (loop->inbox_last != NULL)
        loop->inbox_last->next_in_inbox = exchange;
    else
        loop->inbox_first = exchange;
    loop->inbox_last = exchange;
    return was_empty;
}

/* The loop empties its inbox each round before it waits: its own thread need not be woken. */
static void wake(struct http_loop *loop)
{
    if (!pthread_equal(loop->thread, pthread_self()))
        http_loop_wake(loop);
}

void http_exchange_resume(struct http_exchange *exchange)
{
    struct http_loop *loop = exchange->loop;
    bool is_first;

    (void)pthread_mutex_lock(&loop->lock);
    exchange->resumes++;
    is_first = post(exchange);
    (void)pthread_mutex_unlock(&loop->lock);
    if (is_first)
        wake(loop);
}

void http_exchange_reply(struct http_exchange *exchange, struct http_reply *reply)
{
    struct http_loop *loop = exchange->loop;
    bool is_first;

    (void)pthread_mutex_lock(&loop->lock);
    assert(!exchange->is_replied && reply->status >= 200);
    exchange->is_replied = exchange->has_reply = true;
    exchange->reply = *reply;
    *reply = (struct http_reply){0};
    is_first = post(exchange);
    (void)pthread_mutex_unlock(&loop->lock);
    if (is_first)
        wake(loop);
}

void http_exchange_fail(struct http_exchange *exchange, const struct error *err)
{
    struct http_reply reply;

    http_reply_problem(&reply, err);
    http_exchange_reply(exchange, &reply);
}

/* What was asked of one exchange, taken out of it. */
struct errand {
    struct http_exchange *exchange;
    bool has_reply;
    struct http_reply reply;
    int resumes;
};

static bool next_errand(struct http_loop *loop, struct errand *ret_errand)
{
    struct http_exchange *first;

    (void)pthread_mutex_lock(&loop->lock);
    first = loop->inbox_first;
    if (first != NULL) {
        loop->inbox_first = first->next_in_inbox;
        if (loop->inbox_first == NULL)
            loop->inbox_last = NULL;
        *ret_errand = (struct errand){.exchange = first,
                                      .has_reply = first->has_reply,
                                      .reply = first->reply,
                                      .resumes = first->resumes};
        first->is_in_inbox = first->has_reply = false;
        first->reply = (struct http_reply){0};
        first->resumes = 0;
    }
    (void)pthread_mutex_unlock(&loop->lock);
    return first != NULL;
}

/* The reply first: a body whose reply is there already is not read on. */
static void run_errand(struct errand *errand)
{
    struct http_exchange *exchange = errand->exchange;

    if (errand->has_reply) {
        if (exchange->connection != NULL)
            http_connection_answer(exchange->connection, &errand->reply);
        http_reply_clear(&errand->reply);
        if (exchange->is_owed)
            http_exchange_release(exchange);
        exchange->is_owed = false;
    }
    for (; errand->resumes > 0; errand->resumes--) {
        assert(exchange->resumes_to_come > 0);
        exchange->resumes_to_come--;
        if (exchange->connection != NULL)
            http_connection_resume(exchange->connection);
        http_exchange_release(exchange);
    }
    http_exchange_release(exchange);
}

bool http_exchange_empty_inbox(struct http_loop *loop)
{
    struct errand errand;

    for (int i = 0; i < ERRANDS_PER_ROUND; i++) {
        if (!next_errand(loop, &errand))
            return true;
        run_errand(&errand);
    }
    return false;
}

void http_exchange_end_all(struct http_loop *loop)
{
    struct http_exchange *exchange;

    while ((exchange = TAILQ_FIRST(&loop->exchanges)) != NULL)
        end(exchange);
}

const struct http_head *http_exchange_head(const struct http_exchange *exchange)
{
    return &exchange->head;
}

void http_exchange_set_user(struct http_exchange *exchange, void *user, void (*free_user)(void *))
{
    exchange->user = user;
    exchange->free_user = free_user;
}

void *http_exchange_user(const struct http_exchange *exchange)
{
    return exchange->user;
}

bool http_exchange_is_gone(const struct http_exchange *exchange)
{
    return atomic_load(&exchange->is_gone);
}
