/* server/http: bodies that stream in, and peers that leave meanwhile. */
#include <stdio.h>

#include "tests/unit/server/http/stream_suite.h"

static atomic_int aborted, completed;
static atomic_llong taken_bytes;
static _Atomic enum { GO_ON, PAUSE_EACH, PAUSE_BY_HAND, FAIL_AT_ONCE, REPLY_EARLY } sink_does;

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

static void serve(struct http_exchange *exchange, const char *path)
{
    if (strcmp(path, "/sink") == 0)
        http_exchange_stream(exchange, BODY_BYTES, &sink);
    else
        say(exchange, "at once");
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
                 "\"detail\":\"no room for this\",\"retry_after_s\":30}"));
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
