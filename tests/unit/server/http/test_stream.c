/* server/http: bodies that stream in and out, deferred replies, and peers that leave meanwhile. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/env/real.h"
#include "tests/support/web_server.h"

#define HOST       "Host: localhost\r\n"
#define TEXT       "text/plain"
#define BODY_BYTES 500000
#define LINES      5000
#define WORKER_MAX 4096

/* What one exchange has come to; read by the test when the destructor has run. */
struct story {
    struct buffer taken;
    int lines; /* of a producer */
};

static struct web_server web;
static struct web_client client;
static struct http_exchange *_Atomic waiting; /* that a test answers by hand */
static atomic_int ended, aborted, completed, freed_producers;
static atomic_llong taken_bytes;
static _Atomic enum { GO_ON, PAUSE_EACH, PAUSE_BY_HAND, FAIL_AT_ONCE, REPLY_EARLY } sink_does;

/* A thread that does what must not be done in a callback. */
static pthread_t workers[WORKER_MAX];
static int worker_count;

static void in_background(void *(*work)(void *), void *argument)
{
    cr_assert(worker_count < WORKER_MAX);
    cr_assert(pthread_create(&workers[worker_count++], NULL, work, argument) == 0);
}

static void *resume_later(void *argument)
{
    struct env *env = web.config.env;

    env->sleep_ms(env, 2);
    http_exchange_resume(argument);
    return NULL;
}

static void say(struct http_exchange *exchange, const char *text)
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

static enum http_flow take(void *user, struct http_exchange *exchange, const char *bytes,
                           size_t length, struct error *err)
{
    struct story *story = user;

    cr_assert(buffer_append(&story->taken, bytes, length, NULL) == STATUS_OK);
    (void)atomic_fetch_add(&taken_bytes, (long long)length);
    switch (atomic_load(&sink_does)) {
    case GO_ON:
        return HTTP_FLOW_MORE;
    case PAUSE_EACH:
        in_background(resume_later, exchange);
        return HTTP_FLOW_LATER;
    case PAUSE_BY_HAND:
        atomic_store(&waiting, exchange);
        return HTTP_FLOW_LATER;
    case FAIL_AT_ONCE:
        error_set(err, STATUS_FULL, "no room for this");
        return HTTP_FLOW_FAIL;
    case REPLY_EARLY:
        say(exchange, "enough");
        return HTTP_FLOW_MORE;
    }
    return HTTP_FLOW_MORE;
}

static void complete(void *user, struct http_exchange *exchange)
{
    struct story *story = user;
    struct http_reply reply;
    size_t length = story->taken.length;

    (void)atomic_fetch_add(&completed, 1);
    http_reply_init(&reply, 200);
    http_reply_memory(&reply, TEXT, buffer_take(&story->taken), length);
    http_exchange_reply(exchange, &reply);
}

static void abort_story(void *user, struct http_exchange *exchange)
{
    (void)user, (void)exchange;
    (void)atomic_fetch_add(&aborted, 1);
}

static const struct http_sink sink = {.take = take, .complete = complete, .aborted = abort_story};

/* Lines, every tenth time only later. */
static enum http_flow fill(void *context, struct http_exchange *exchange, char *ret_bytes,
                           size_t room, size_t *ret_count)
{
    struct story *story = context;

    for (*ret_count = 0; story->lines < LINES && room - *ret_count >= 16; story->lines++) {
        *ret_count += (size_t)sprintf(ret_bytes + *ret_count, "line %d\n", story->lines);
        if (story->lines % 500 == 499) {
            story->lines++;
            in_background(resume_later, exchange);
            return HTTP_FLOW_LATER;
        }
    }
    return story->lines == LINES ? HTTP_FLOW_END : HTTP_FLOW_MORE;
}

static enum http_flow fill_never(void *context, struct http_exchange *exchange, char *ret_bytes,
                                 size_t room, size_t *ret_count)
{
    (void)context, (void)ret_bytes, (void)room;
    *ret_count = 0;
    atomic_store(&waiting, exchange);
    return HTTP_FLOW_LATER;
}

static enum http_flow fill_badly(void *context, struct http_exchange *exchange, char *ret_bytes,
                                 size_t room, size_t *ret_count)
{
    struct story *story = context;

    (void)exchange;
    memset(ret_bytes, 'x', room);
    *ret_count = room;
    return story->lines++ < 3 ? HTTP_FLOW_MORE : HTTP_FLOW_FAIL;
}

static enum http_flow fill_at_once(void *context, struct http_exchange *exchange, char *ret_bytes,
                                   size_t room, size_t *ret_count)
{
    (void)context, (void)exchange, (void)room;
    *ret_count = (size_t)sprintf(ret_bytes, "all of it");
    return HTTP_FLOW_END;
}

static enum http_flow fill_nothing(void *context, struct http_exchange *exchange, char *ret_bytes,
                                   size_t room, size_t *ret_count)
{
    (void)context, (void)exchange, (void)ret_bytes, (void)room;
    *ret_count = 0;
    return HTTP_FLOW_FAIL;
}

static void free_producer(void *context)
{
    free(context);
    (void)atomic_fetch_add(&freed_producers, 1);
}

static void produce(struct http_exchange *exchange,
                    enum http_flow (*how)(void *, struct http_exchange *, char *, size_t, size_t *))
{
    struct http_producer producer = {
        .fill = how, .free = free_producer, .context = must_alloc(1, sizeof(struct story))};
    struct http_reply reply;

    http_reply_init(&reply, 200);
    http_reply_producer(&reply, TEXT, producer);
    http_exchange_reply(exchange, &reply);
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
    if (strcmp(path, "/sink") == 0)
        http_exchange_stream(exchange, BODY_BYTES, &sink);
    else if (strcmp(path, "/lines") == 0)
        produce(exchange, fill);
    else if (strcmp(path, "/never") == 0)
        produce(exchange, fill_never);
    else if (strcmp(path, "/badly") == 0)
        produce(exchange, fill_badly);
    else if (strcmp(path, "/at-once") == 0)
        produce(exchange, fill_at_once);
    else if (strcmp(path, "/nothing") == 0)
        produce(exchange, fill_nothing);
    else if (strcmp(path, "/wait") == 0)
        http_exchange_collect(exchange, 1000, wait_for_test);
    else
        say(exchange, "at once");
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

static bool becomes(atomic_int *value, int wanted)
{
    struct env *env = env_real();

    for (int i = 0; i < 400 && atomic_load(value) != wanted; i++)
        env->sleep_ms(env, 10);
    return atomic_load(value) == wanted;
}

static struct http_exchange *wait_for_exchange(void)
{
    struct env *env = env_real();

    for (int i = 0; i < 400 && atomic_load(&waiting) == NULL; i++)
        env->sleep_ms(env, 10);
    cr_assert(atomic_load(&waiting) != NULL);
    return atomic_exchange(&waiting, NULL);
}

static void wait_for_taken(long long least)
{
    struct env *env = env_real();

    for (int i = 0; i < 400 && atomic_load(&taken_bytes) < least; i++)
        env->sleep_ms(env, 10);
    cr_assert(atomic_load(&taken_bytes) >= least);
}

static char *make_body(void)
{
    char *body = must_alloc(BODY_BYTES + 1, 1);

    for (int i = 0; i < BODY_BYTES; i++)
        body[i] = (char)('a' + (i / 7 + i % 26) % 26);
    return body;
}

static void send_sink_head(int64_t length)
{
    char text[200];

    (void)snprintf(text, sizeof text, "PUT /sink HTTP/1.1\r\n" HOST "Content-Length: %lld\r\n\r\n",
                   (long long)length);
    cr_assert(web_client_send(&client, text));
}

static void stream_whole_body(enum web_listener listener)
{
    char *body = make_body();

    web_server_visit(&web, listener, &client);
    send_sink_head(BODY_BYTES);
    cr_assert(web_client_send_bytes(&client, body, BODY_BYTES));
    cr_assert(eq(int, web_client_reply(&client, false), 200));
    cr_assert(eq(sz, client.body.length, BODY_BYTES));
    cr_expect(memcmp(client.body.bytes, body, BODY_BYTES) == 0);
    cr_expect(eq(int, web_client_ask(&client, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200));
    web_client_close(&client);
    free(body);
}

Test(http_stream, a_body_reaches_the_sink_whole)
{
    stream_whole_body(WEB_PLAIN);
    stream_whole_body(WEB_TLS);
    cr_expect(eq(int, atomic_load(&completed), 2));
    cr_expect(zero(int, atomic_load(&aborted)));
}

Test(http_stream, a_sink_may_pause_after_every_piece)
{
    sink_does = PAUSE_EACH;
    stream_whole_body(WEB_TLS);
    cr_expect(lt(int, 10, worker_count));
    stream_whole_body(WEB_PLAIN);
}

Test(http_stream, a_paused_sink_is_given_nothing_until_it_is_resumed)
{
    char *body = make_body();
    struct http_exchange *exchange;
    long long before;

    sink_does = PAUSE_BY_HAND;
    web_server_visit(&web, WEB_PLAIN, &client);
    send_sink_head(100000);
    cr_assert(web_client_send_bytes(&client, body, 100000));
    exchange = wait_for_exchange();
    before = atomic_load(&taken_bytes);
    env_real()->sleep_ms(env_real(), 100);
    cr_expect(eq(i64, (int64_t)atomic_load(&taken_bytes), (int64_t)before));
    cr_expect(lt(i64, (int64_t)before, 100000));
    sink_does = GO_ON;
    http_exchange_resume(exchange);
    cr_assert(eq(int, web_client_reply(&client, false), 200));
    cr_expect(eq(sz, client.body.length, 100000));
    web_client_close(&client);
    free(body);
}

Test(http_stream, nothing_more_is_read_after_an_early_reply)
{
    char *body = make_body();
    long long before;

    web_server_visit(&web, WEB_PLAIN, &client);
    send_sink_head(BODY_BYTES);
    cr_assert(web_client_send_bytes(&client, body, 10));
    wait_for_taken(10);
    sink_does = REPLY_EARLY;
    cr_assert(web_client_send_bytes(&client, body, 10));
    cr_assert(eq(int, web_client_reply(&client, false), 200));
    before = atomic_load(&taken_bytes);
    (void)web_client_send_bytes(&client, body, 1000);
    cr_expect(web_client_is_closed_within(&client, 2000));
    cr_expect(eq(i64, (int64_t)atomic_load(&taken_bytes), (int64_t)before));
    cr_expect(zero(int, atomic_load(&aborted)));
    cr_expect(zero(int, atomic_load(&completed)));
    web_client_close(&client);
    free(body);
}

Test(http_stream, a_failing_sink_answers_its_reason)
{
    sink_does = FAIL_AT_ONCE;
    web_server_visit(&web, WEB_TLS, &client);
    send_sink_head(1000);
    cr_assert(web_client_send(&client, "some"));
    cr_assert(eq(int, web_client_reply(&client, false), 507));
    cr_expect(eq(str, (char *)buffer_text(&client.body),
                 "{\"type\":\"full\",\"title\":\"The server has no room left\",\"status\":507,"
                 "\"detail\":\"no room for this\"}"));
    cr_expect(web_client_has_line(&client, "Connection: close"));
    cr_expect(becomes(&ended, 1));
    cr_expect(zero(int, atomic_load(&aborted)));
    web_client_close(&client);
}

Test(http_stream, a_sink_hears_that_the_peer_has_left)
{
    web_server_visit(&web, WEB_TLS, &client);
    send_sink_head(1000);
    cr_assert(web_client_send(&client, "some"));
    wait_for_taken(4);
    web_client_close(&client);
    cr_expect(becomes(&ended, 1));
    cr_expect(eq(int, atomic_load(&aborted), 1));
    cr_expect(eq(i64, (int64_t)atomic_load(&taken_bytes), 4));
    cr_expect(zero(int, atomic_load(&completed)));
}

Test(http_stream, a_peer_may_leave_while_the_sink_pauses)
{
    sink_does = PAUSE_EACH;
    for (int i = 0; i < 20; i++) {
        web_server_visit(&web, WEB_PLAIN, &client);
        send_sink_head(1000);
        cr_assert(web_client_send(&client, "some"));
        web_client_close(&client);
    }
    cr_expect(becomes(&ended, 20));
    cr_expect(eq(int, atomic_load(&aborted), 20));
}

Test(http_stream, too_much_is_refused_when_announced_and_when_met)
{
    char *body = make_body();
    int expected = 0;

    web_server_visit(&web, WEB_PLAIN, &client);
    send_sink_head(BODY_BYTES + 1);
    cr_assert(eq(int, web_client_reply(&client, false), 413));
    web_client_close(&client);
    expected++;
    cr_expect(zero(i64, (int64_t)atomic_load(&taken_bytes)));
    web_server_visit(&web, WEB_PLAIN, &client);
    cr_assert(web_client_send(&client, "PUT /sink HTTP/1.1\r\n" HOST
                                       "Transfer-Encoding: chunked\r\n\r\n7a121\r\n"));
    (void)web_client_send_bytes(&client, body, BODY_BYTES);
    (void)web_client_send(&client, "x\r\n0\r\n\r\n");
    cr_assert(eq(int, web_client_reply(&client, false), 413));
    web_client_close(&client);
    expected++;
    cr_expect(becomes(&aborted, expected));
    cr_expect(eq(int,
                 web_client_ask((web_server_visit(&web, WEB_PLAIN, &client), &client),
                                "POST /wait HTTP/1.1\r\n" HOST "Content-Length: 1001\r\n\r\n"),
                 413));
    web_client_close(&client);
    free(body);
}

Test(http_stream, the_server_says_continue_only_when_the_body_is_wanted)
{
    web_server_visit(&web, WEB_TLS, &client);
    cr_assert(web_client_send(&client, "PUT /sink HTTP/1.1\r\n" HOST "Content-Length: 4\r\n"
                                       "Expect: 100-continue\r\n\r\n"));
    WEB_SERVER_WAIT(&web, requests, 1);
    cr_assert(web_client_send(&client, "body"));
    cr_assert(eq(int, web_client_reply(&client, false), 200));
    cr_expect(eq(str, (char *)buffer_text(&client.body), "body"));
    cr_expect(eq(int, client.interim_count, 1));
    /* Not wanted: the reply comes at once, and nobody could tell what follows. */
    cr_assert(eq(int,
                 web_client_ask(&client, "PUT / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n"
                                         "Expect: 100-continue\r\n\r\n"),
                 200));
    cr_expect(web_client_has_line(&client, "Connection: close"));
    cr_expect(zero(int, client.interim_count));
    web_client_close(&client);
}

Test(http_stream, a_small_unwanted_body_keeps_the_connection)
{
    web_server_visit(&web, WEB_TLS, &client);
    cr_assert(eq(int,
                 web_client_ask(&client, "PUT / HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody"),
                 200));
    cr_expect(not(web_client_has_line(&client, "Connection: close")));
    cr_expect(eq(int, web_client_ask(&client, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200));
    cr_assert(web_client_send(&client, "PUT / HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\n"));
    cr_assert(eq(int, web_client_reply(&client, false), 200));
    cr_expect(web_client_has_line(&client, "Connection: close"));
    web_client_close(&client);
}

static void expect_lines(const char *text)
{
    char line[32];

    for (int i = 0; i < LINES; i++) {
        int length = snprintf(line, sizeof line, "line %d\n", i);

        cr_assert(strncmp(text, line, (size_t)length) == 0, "line %d", i);
        text += length;
    }
    cr_expect(eq(chr, *text, '\0'));
}

Test(http_stream, a_producer_is_sent_in_chunks_and_may_wait)
{
    web_server_visit(&web, WEB_TLS, &client);
    cr_assert(eq(int, web_client_ask(&client, "GET /lines HTTP/1.1\r\n" HOST "\r\n"), 200));
    cr_expect(web_client_has_line(&client, "Transfer-Encoding: chunked"));
    expect_lines(buffer_text(&client.body));
    cr_assert(eq(int, web_client_ask(&client, "HEAD /lines HTTP/1.1\r\n" HOST "\r\n"), 200));
    cr_assert(eq(int, web_client_ask(&client, "GET /lines HTTP/1.0\r\n\r\n"), 200));
    cr_expect(not(web_client_has_line(&client, "Transfer-Encoding: chunked")));
    expect_lines(buffer_text(&client.body));
    web_client_close(&client);
    cr_expect(becomes(&freed_producers, 3));
}

Test(http_stream, a_short_answer_of_a_producer_goes_out_in_one_record_with_its_head)
{
    char record[16384];
    int length;

    web_server_visit(&web, WEB_TLS, &client);
    cr_assert(web_client_send(&client, "GET /at-once HTTP/1.1\r\n" HOST "\r\n"));
    length = SSL_read(client.ssl, record, sizeof record - 1);
    cr_assert(length > 0);
    record[length] = '\0';
    cr_expect(strstr(record, "HTTP/1.1 200") == record);
    cr_expect(strstr(record, "\r\n000009\r\nall of it\r\n0\r\n\r\n") != NULL, "%s", record);
    web_client_close(&client);
}

Test(http_stream, a_producer_that_fails_at_once_leaves_a_head_and_no_end)
{
    web_server_visit(&web, WEB_PLAIN, &client);
    cr_expect(zero(int, web_client_ask(&client, "GET /nothing HTTP/1.1\r\n" HOST "\r\n")));
    cr_expect(becomes(&freed_producers, 1));
    web_client_close(&client);
}

Test(http_stream, a_failing_producer_leaves_no_whole_body)
{
    web_server_visit(&web, WEB_PLAIN, &client);
    cr_expect(zero(int, web_client_ask(&client, "GET /badly HTTP/1.1\r\n" HOST "\r\n")));
    cr_expect(becomes(&freed_producers, 1));
    web_client_close(&client);
}

Test(http_stream, a_producer_lives_until_it_was_resumed)
{
    struct http_exchange *exchange;
    struct env *env = env_real();

    web_client_open_unix(&client, web.unix_path);
    cr_assert(web_client_send(&client, "GET /never HTTP/1.1\r\n" HOST "\r\n"));
    exchange = wait_for_exchange();
    cr_expect(not(http_exchange_is_gone(exchange)));
    web_client_close(&client); /* of a unix socket, the loop sees this at once */
    for (int i = 0; i < 400 && !http_exchange_is_gone(exchange); i++)
        env->sleep_ms(env, 10);
    cr_expect(http_exchange_is_gone(exchange));
    cr_expect(zero(int, atomic_load(&freed_producers)));
    http_exchange_resume(exchange);
    cr_expect(becomes(&freed_producers, 1));
    cr_expect(becomes(&ended, 1));
}

Test(http_stream, a_late_reply_finds_nobody_and_does_no_harm)
{
    struct http_exchange *exchange;
    struct env *env = env_real();

    web_client_open_unix(&client, web.unix_path);
    cr_assert(web_client_send(&client, "POST /wait HTTP/1.1\r\n" HOST "\r\n"));
    exchange = wait_for_exchange();
    web_client_close(&client);
    for (int i = 0; i < 400 && !http_exchange_is_gone(exchange); i++)
        env->sleep_ms(env, 10);
    cr_expect(http_exchange_is_gone(exchange));
    cr_expect(zero(int, atomic_load(&ended)));
    say(exchange, "too late");
    cr_expect(becomes(&ended, 1));
}

Test(http_stream, a_peer_that_only_stopped_sending_gets_its_reply)
{
    struct http_exchange *exchange;

    web_server_visit(&web, WEB_PLAIN, &client);
    cr_assert(web_client_send(&client, "POST /wait HTTP/1.1\r\n" HOST "\r\n"));
    exchange = wait_for_exchange();
    cr_assert(zero(int, shutdown(client.socket, SHUT_WR)));
    env_real()->sleep_ms(env_real(), 20);
    say(exchange, "here you are");
    cr_assert(eq(int, web_client_reply(&client, false), 200));
    cr_expect(eq(str, (char *)buffer_text(&client.body), "here you are"));
    web_client_close(&client);
}
