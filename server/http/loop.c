#include "server/http/loop.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/env.h"
#include "common/base/log.h"
#include "server/http/connection.h"
#include "server/http/exchange.h"
#include "server/http/listener.h"

#define EVENTS_PER_ROUND  128
#define ACCEPTS_PER_ROUND 64
#define CHECK_EVERY_MS    20  /* deadlines are looked at no more often */
#define LISTEN_AGAIN_MS   250 /* after accept() found no room */
#define NEVER             INT64_MAX

enum status http_loop_init(struct http_loop *loop, struct http_shared *shared, struct error *err)
{
    loop->shared = shared;
    loop->next_check_mono_ms = NEVER;
    loop->wake_watch.kind = HTTP_WATCH_WAKE;
    http_peers_init(&loop->peers, shared->env);
    TAILQ_INIT(&loop->connections);
    TAILQ_INIT(&loop->idle);
    TAILQ_INIT(&loop->ready);
    TAILQ_INIT(&loop->dead);
    TAILQ_INIT(&loop->exchanges);
    (void)pthread_mutex_init(&loop->lock, NULL);
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    loop->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->epoll < 0 || loop->wake < 0) {
        error_set(err, STATUS_STORAGE, "the kernel gives no epoll");
        error_detail(err, "%s", strerror(errno));
        return STATUS_STORAGE;
    }
    return STATUS_OK;
}

void http_loop_note_deadline(struct http_loop *loop, int64_t at_mono_ms)
{
    if (at_mono_ms < loop->next_check_mono_ms)
        loop->next_check_mono_ms = at_mono_ms;
}

void http_loop_wake(struct http_loop *loop)
{
    static const uint64_t one = 1;

    /* EAGAIN: the counter is full, so the loop is being woken anyway. */
    (void)!write(loop->wake, &one, sizeof one);
}

static void listen_to(struct http_loop *loop, bool on)
{
    for (size_t i = 0; i < loop->listener_count; i++) {
        struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE,
                                    .data.ptr = &loop->listeners[i]};

        if (loop->listeners[i].socket >= 0)
            (void)epoll_ctl(loop->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
                            loop->listeners[i].socket, &event);
    }
}

/* Make room for somebody new at the cost of who has been silent longest. */
static bool close_an_idle_one(struct http_loop *loop)
{
    struct http_connection *longest = TAILQ_FIRST(&loop->idle);

    if (longest == NULL)
        return false;
    http_connection_close(longest);
    return true;
}

static void welcome(struct http_loop *loop, const struct http_loop_listener *listener, int socket,
                    const struct http_address *address)
{
    struct http_peer peer = http_address_peer(address);
    int room = loop->shared->connections;
    int surplus = room / 8 + 2; /* so many more are let in to be answered 503 */
    bool is_full = loop->connection_count >= room && !close_an_idle_one(loop);

    (void)atomic_fetch_add(&loop->shared->accepted, 1);
    if (is_full)
        (void)atomic_fetch_add(&loop->shared->turned_away, 1);
    if (is_full && loop->connection_count >= room + surplus)
        (void)close(socket);
    else
        http_connection_open(loop, listener, socket, &peer, is_full);
}

/* No descriptor or memory is left: without a pause, the listener would wake us for ever. */
static void pause_listening(struct http_loop *loop)
{
    if (close_an_idle_one(loop))
        return;
    LOG(LOG_WARN, "http.accept_failed", LOG_S("why", strerror(errno)));
    listen_to(loop, false);
    loop->listen_again_mono_ms = loop->now_mono_ms + LISTEN_AGAIN_MS;
    http_loop_note_deadline(loop, loop->listen_again_mono_ms);
}

static void accept_some(struct http_loop *loop, const struct http_loop_listener *listener)
{
    for (int i = 0; i < ACCEPTS_PER_ROUND && listener->socket >= 0; i++) {
        struct http_address address = {.length = sizeof address.storage};
        int socket = accept4(listener->socket, (struct sockaddr *)&address.storage, &address.length,
                             SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (socket >= 0) {
            welcome(loop, listener, socket, &address);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            if (errno != EAGAIN && errno != EWOULDBLOCK)
                pause_listening(loop);
            return;
        }
    }
}

static void be_woken(struct http_loop *loop)
{
    uint64_t count;

    (void)!read(loop->wake, &count, sizeof count);
}

static void handle(struct http_loop *loop, const struct epoll_event *event)
{
    const struct http_watch *watch = event->data.ptr;

    switch (watch->kind) {
    case HTTP_WATCH_WAKE:
        be_woken(loop);
        break;
    case HTTP_WATCH_LISTENER:
        accept_some(loop, event->data.ptr);
        break;
    case HTTP_WATCH_CONNECTION:
        http_connection_event(event->data.ptr, event->events);
        break;
    }
}

/* One turn for each that was ready before: those that stay ready come again next round. */
static void run_ready(struct http_loop *loop)
{
    struct http_connection *last = TAILQ_LAST(&loop->ready, http_connections);
    struct http_connection *connection = NULL;

    while (connection != last && (connection = TAILQ_FIRST(&loop->ready)) != NULL)
        http_connection_advance(connection);
}

static void bury_dead(struct http_loop *loop)
{
    struct http_connection *connection;

    while ((connection = TAILQ_FIRST(&loop->dead)) != NULL) {
        TAILQ_REMOVE(&loop->dead, connection, in_loop);
        http_connection_free(connection);
    }
}

static void listen_again(struct http_loop *loop)
{
    if (loop->listen_again_mono_ms == 0)
        return;
    if (loop->now_mono_ms >= loop->listen_again_mono_ms) {
        loop->listen_again_mono_ms = 0;
        listen_to(loop, true);
    } else {
        http_loop_note_deadline(loop, loop->listen_again_mono_ms);
    }
}

/* Deadlines move on with most events; so none is kept in order, and all are looked at when due. */
static void check_deadlines(struct http_loop *loop)
{
    struct http_connection *connection, *next;

    if (loop->now_mono_ms < loop->next_check_mono_ms)
        return;
    loop->next_check_mono_ms = NEVER;
    for (connection = TAILQ_FIRST(&loop->connections); connection != NULL; connection = next) {
        next = TAILQ_NEXT(connection, in_loop);
        http_connection_check(connection);
        if (connection->phase != HTTP_PHASE_CLOSED)
            http_loop_note_deadline(loop, connection->deadline_mono_ms);
    }
    listen_again(loop);
    if (loop->next_check_mono_ms < loop->now_mono_ms + CHECK_EVERY_MS)
        loop->next_check_mono_ms = loop->now_mono_ms + CHECK_EVERY_MS;
}

static void close_listeners(struct http_loop *loop)
{
    for (size_t i = 0; i < loop->listener_count; i++) {
        if (loop->listeners[i].socket >= 0)
            (void)close(loop->listeners[i].socket);
        loop->listeners[i].socket = -1;
    }
}

/* Between requests, or not even that far: nothing is lost if it ends now. */
static bool is_unused(const struct http_connection *connection)
{
    return connection->phase <= HTTP_PHASE_IDLE;
}

static void start_draining(struct http_loop *loop)
{
    struct http_connection *connection, *next;

    loop->is_draining = true;
    loop->listen_again_mono_ms = 0;
    listen_to(loop, false);
    close_listeners(loop);
    for (connection = TAILQ_FIRST(&loop->connections); connection != NULL; connection = next) {
        next = TAILQ_NEXT(connection, in_loop);
        if (is_unused(connection))
            http_connection_close(connection);
    }
}

static bool is_done(struct http_loop *loop)
{
    int64_t end_mono_ms;

    if (!atomic_load(&loop->shared->is_stopping))
        return false;
    if (!loop->is_draining)
        start_draining(loop);
    end_mono_ms = atomic_load(&loop->shared->stop_mono_ms);
    http_loop_note_deadline(loop, end_mono_ms);
    return TAILQ_EMPTY(&loop->connections) || loop->now_mono_ms >= end_mono_ms;
}

static int wait_ms(const struct http_loop *loop)
{
    int64_t left = loop->next_check_mono_ms - loop->now_mono_ms;

    if (loop->has_errands || !TAILQ_EMPTY(&loop->ready))
        return 0;
    if (loop->next_check_mono_ms == NEVER)
        return -1;
    return left < 1 ? 1 : left > 60000 ? 60000 : (int)left;
}

static void run_round(struct http_loop *loop)
{
    struct env *env = loop->shared->env;
    struct epoll_event events[EVENTS_PER_ROUND];
    int count = epoll_wait(loop->epoll, events, EVENTS_PER_ROUND, wait_ms(loop));

    loop->now_mono_ms = env->now_mono_ms(env);
    for (int i = 0; i < count; i++)
        handle(loop, &events[i]);
    run_ready(loop);
    check_deadlines(loop);
    loop->has_errands = !http_exchange_empty_inbox(loop);
    bury_dead(loop);
}

static void *run(void *argument)
{
    struct http_loop *loop = argument;
    struct env *env = loop->shared->env;
    struct http_connection *connection;

    loop->now_mono_ms = env->now_mono_ms(env);
    while (!is_done(loop))
        run_round(loop);
    while ((connection = TAILQ_FIRST(&loop->connections)) != NULL)
        http_connection_close(connection);
    bury_dead(loop);
    return NULL;
}

enum status http_loop_start(struct http_loop *loop, struct error *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &loop->wake_watch};
    sigset_t all, before;
    int cause;

    (void)epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &event);
    listen_to(loop, true);
    /* Signals are main()'s business; and with SIGPIPE blocked, OpenSSL's writes cannot kill us. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    (void)pthread_mutex_lock(&loop->lock);
    cause = pthread_create(&loop->thread, NULL, run, loop);
    loop->has_thread = cause == 0;
    (void)pthread_mutex_unlock(&loop->lock);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (cause != 0) {
        error_set(err, STATUS_STORAGE, "the kernel gives no thread");
        error_detail(err, "%s", strerror(cause));
        return STATUS_STORAGE;
    }
    return STATUS_OK;
}

void http_loop_join(struct http_loop *loop)
{
    if (!loop->has_thread)
        return;
    (void)pthread_join(loop->thread, NULL);
    loop->has_thread = false;
}

void http_loop_clear(struct http_loop *loop)
{
    if (loop->shared == NULL)
        return;
    assert(!loop->has_thread);
    while (!http_exchange_empty_inbox(loop))
        continue;
    http_exchange_end_all(loop);
    close_listeners(loop);
    if (loop->epoll >= 0)
        (void)close(loop->epoll);
    if (loop->wake >= 0)
        (void)close(loop->wake);
    (void)pthread_mutex_destroy(&loop->lock);
}
