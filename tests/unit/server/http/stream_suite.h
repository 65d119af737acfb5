/*
 * What the tests of the suite http_stream share: a server whose exchanges have a story each, and
 * threads that answer later. One test program includes this once and says what it serves.
 */
#ifndef TESTS_UNIT_SERVER_HTTP_STREAM_SUITE_H
#define TESTS_UNIT_SERVER_HTTP_STREAM_SUITE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/env/real.h"
#include "tests/support/web_server.h"

#define HOST       "Host: localhost\r\n"
#define TEXT       "text/plain"
#define BODY_BYTES 500000
#define WORKER_MAX 4096

/* What one exchange has come to; read by the test when the destructor has run. */
struct story {
    struct buffer taken;
    int lines; /* of a producer */
};

static struct web_server web;
static struct web_client client;
static struct http_exchange *_Atomic waiting; /* that a test answers by hand */
static atomic_int ended;

/* What the program serves besides /wait: an exchange of any other path. */
static void serve(struct http_exchange *exchange, const char *path);

/* A thread that does what must not be done in a callback. */
static pthread_t workers[WORKER_MAX];
static int worker_count;

static inline void in_background(void *(*work)(void *), void *argument)
{
    cr_assert(worker_count < WORKER_MAX);
    cr_assert(pthread_create(&workers[worker_count++], NULL, work, argument) == 0);
}

static inline void *resume_later(void *argument)
{
    struct env *env = web.config.env;

    env->sleep_ms(env, 2);
    http_exchange_resume(argument);
    return NULL;
}

static inline void say(struct http_exchange *exchange, const char *text)
{
    struct http_reply reply;

    http_reply_init(&reply, 200);
    http_reply_text(&reply, TEXT, text);
    http_exchange_reply(exchange, &reply);
}

static void end_story(void *user)
{
    struct story *story = user;

    buffer_clear(&story->taken);
    free(story);
    (void)atomic_fetch_add(&ended, 1);
}

static void wait_for_test(void *user, struct http_exchange *exchange, struct buffer *body)
{
    (void)user, (void)body;
    atomic_store(&waiting, exchange);
}

static void head(void *context, struct http_exchange *exchange)
{
    const char *path = http_exchange_head(exchange)->path;
    struct story *story = must_alloc(1, sizeof *story);

    (void)context;
    buffer_init(&story->taken, 2 * BODY_BYTES);
    http_exchange_set_user(exchange, story, end_story);
    if (strcmp(path, "/wait") == 0)
        http_exchange_collect(exchange, 1000, wait_for_test);
    else
        serve(exchange, path);
}

static void set_up(void)
{
    web_server_init(&web, head, NULL);
    web.config.limits.linger_ms = 300;
    web_server_start(&web);
}

static void tear_down(void)
{
    for (int i = 0; i < worker_count; i++)
        (void)pthread_join(workers[i], NULL);
    web_server_clear(&web);
}

TestSuite(http_stream, .init = set_up, .fini = tear_down);

static inline bool becomes(atomic_int *value, int wanted)
{
    struct env *env = env_real();

    for (int i = 0; i < 400 && atomic_load(value) != wanted; i++)
        env->sleep_ms(env, 10);
    return atomic_load(value) == wanted;
}

static inline struct http_exchange *wait_for_exchange(void)
{
    struct env *env = env_real();

    for (int i = 0; i < 400 && atomic_load(&waiting) == NULL; i++)
        env->sleep_ms(env, 10);
    cr_assert(atomic_load(&waiting) != NULL);
    return atomic_exchange(&waiting, NULL);
}

#endif
