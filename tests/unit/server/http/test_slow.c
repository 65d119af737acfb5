/* server/http: deadlines, paces and limits hold against slow, silent and many peers. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/env/real.h"
#include "tests/support/web_server.h"

#define HOST "Host: localhost\r\n"
#define LONG 10000 /* ms: a deadline that is not meant to be met */

static struct web_server web;
static struct web_client client;
static struct http_exchange *_Atomic waiting;
static atomic_int aborted;

static void wait_for_test(void *user, struct http_exchange *exchange, struct buffer *body)
{
    (void)user, (void)body;
    atomic_store(&waiting, exchange);
}

static enum http_flow take(void *user, struct http_exchange *exchange, const char *bytes,
                           size_t length, struct error *err)
{
    (void)user, (void)exchange, (void)bytes, (void)length, (void)err;
    return HTTP_FLOW_MORE;
}

static void complete(void *user, struct http_exchange *exchange)
{
    wait_for_test(user, exchange, NULL);
}

static void abort_sink(void *user, struct http_exchange *exchange)
{
    (void)user, (void)exchange;
    (void)atomic_fetch_add(&aborted, 1);
}

static const struct http_sink sink = {.take = take, .complete = complete, .aborted = abort_sink};

static void say(struct http_exchange *exchange, size_t length)
{
    struct http_reply reply;

    http_reply_init(&reply, 200);
    http_reply_memory(&reply, "text/plain", must_alloc(length, 1), length);
    http_exchange_reply(exchange, &reply);
}

static void head(void *context, struct http_exchange *exchange)
{
    const char *path = http_exchange_head(exchange)->path;

    (void)context;
    if (strcmp(path, "/wait") == 0)
        http_exchange_collect(exchange, 100000, wait_for_test);
    else if (strcmp(path, "/sink") == 0)
        http_exchange_stream(exchange, INT64_C(1) << 40, &sink);
    else
        say(exchange, strcmp(path, "/big") == 0 ? 30 << 20 : 2);
}

/* All deadlines are far away; each test brings the one near that it is about. */
static void set_up(void)
{
    struct http_limits *limits = &web.config.limits;

    web_server_init(&web, head, NULL);
    limits->handshake_ms = limits->header_ms = limits->idle_ms = limits->body_ms = LONG;
    limits->pace_window_ms = limits->reply_wait_ms = LONG;
    limits->linger_ms = 200;
}

static void tear_down(void)
{
    web_server_clear(&web);
}

TestSuite(http_slow, .init = set_up, .fini = tear_down);

static void start(enum web_listener listener)
{
    web_server_start(&web);
    web_server_visit(&web, listener, &client);
}

static int64_t now_ms(void)
{
    return env_real()->now_mono_ms(env_real());
}

/* One byte every 20 ms until the server closes, for at most `ms`; how long it took. */
static int64_t drip(const char *bytes, int64_t ms)
{
    int64_t begin_ms = now_ms();

    while (now_ms() - begin_ms < ms && web_client_send_bytes(&client, bytes, 1))
        env_real()->sleep_ms(env_real(), 20);
    return now_ms() - begin_ms;
}

Test(http_slow, who_says_nothing_is_dropped)
{
    web.config.limits.header_ms = 200;
    start(WEB_PLAIN);
    cr_expect(web_client_is_closed_within(&client, 2000));
    web_client_close(&client);
    cr_expect(eq(i64, http_server_counts(web.server).timeouts, 1));
    web_server_visit(&web, WEB_TLS, &client);
    cr_expect(web_client_is_closed_within(&client, 2000));
    web_client_close(&client);
}

Test(http_slow, who_begins_no_handshake_is_dropped)
{
    web.config.limits.handshake_ms = 200;
    web_server_start(&web);
    web_client_connect(&client, http_server_port(web.server, WEB_TLS));
    cr_expect(web_client_is_closed_within(&client, 2000));
    web_client_close(&client);
    web_client_connect(&client, http_server_port(web.server, WEB_TLS));
    cr_expect(lt(i64, drip("\x16", 3000), 2000));
    web_client_close(&client);
    web_client_connect(&client, http_server_port(web.server, WEB_PROXIED));
    cr_expect(web_client_is_closed_within(&client, 2000));
    web_client_close(&client);
}

Test(http_slow, a_dripping_header_does_not_prolong_its_deadline)
{
    int64_t begin_ms;

    web.config.limits.header_ms = 300;
    start(WEB_TLS);
    begin_ms = now_ms();
    cr_assert(web_client_send(&client, "GET / HTTP/1.1\r\nX: "));
    (void)drip("x", 250);
    cr_expect(eq(int, web_client_reply(&client, false), 408));
    cr_expect(lt(i64, now_ms() - begin_ms, 2000));
    cr_expect(ge(i64, now_ms() - begin_ms, 290));
    web_client_close(&client);
}

Test(http_slow, an_idle_connection_is_closed_after_its_time)
{
    web.config.limits.idle_ms = 200;
    start(WEB_TLS);
    cr_assert(eq(int, web_client_ask(&client, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200));
    cr_expect(web_client_is_closed_within(&client, 2000));
    cr_expect(zero(i64, http_server_counts(web.server).timeouts));
    web_client_close(&client);
}

Test(http_slow, a_dripping_body_is_dropped_and_its_sink_told)
{
    web.config.limits.pace_window_ms = 200;
    web.config.limits.body_pace_bytes = 1000;
    start(WEB_PLAIN);
    cr_assert(web_client_send(&client,
                              "PUT /sink HTTP/1.1\r\n" HOST "Content-Length: 99000000000\r\n\r\n"));
    (void)drip("x", 150);
    cr_expect(eq(int, web_client_reply(&client, false), 408));
    cr_expect(web_client_is_closed_within(&client, 2000));
    cr_expect(eq(int, atomic_load(&aborted), 1));
    web_client_close(&client);
}

Test(http_slow, a_first_burst_buys_no_time_to_drip)
{
    static char burst[100000];
    int64_t begin_ms;

    web.config.limits.pace_window_ms = 200;
    web.config.limits.body_pace_bytes = 1000;
    start(WEB_PLAIN);
    cr_assert(web_client_send(&client,
                              "PUT /sink HTTP/1.1\r\n" HOST "Content-Length: 99000000000\r\n\r\n"));
    begin_ms = now_ms();
    cr_assert(web_client_send_bytes(&client, burst, sizeof burst));
    cr_expect(eq(int, web_client_reply(&client, false), 408));
    cr_expect(lt(i64, now_ms() - begin_ms, 2000));
    web_client_close(&client);
}

Test(http_slow, a_body_at_a_good_pace_still_has_an_end)
{
    int64_t begin_ms = now_ms();
    static char piece[4000];

    web.config.limits.body_ms = 400;
    start(WEB_PLAIN);
    cr_assert(web_client_send(&client,
                              "PUT /sink HTTP/1.1\r\n" HOST "Content-Length: 99000000000\r\n\r\n"));
    while (now_ms() - begin_ms < 2000 && web_client_send_bytes(&client, piece, sizeof piece))
        env_real()->sleep_ms(env_real(), 10);
    cr_expect(lt(i64, now_ms() - begin_ms, 2000));
    cr_expect(ge(i64, now_ms() - begin_ms, 390));
    web_client_close(&client);
}

Test(http_slow, who_reads_no_reply_is_cut)
{
    web.config.limits.pace_window_ms = 200;
    start(WEB_PLAIN);
    cr_assert(web_client_send(&client, "GET /big HTTP/1.1\r\n" HOST "\r\n"));
    WEB_SERVER_WAIT(&web, timeouts, 1);
    cr_expect(zero(int, web_client_reply(&client, false)));
    web_client_close(&client);
}

Test(http_slow, who_reads_steadily_gets_all_of_it)
{
    web.config.limits.pace_window_ms = 1000;
    start(WEB_TLS);
    cr_assert(eq(int, web_client_ask(&client, "GET /big HTTP/1.1\r\n" HOST "\r\n"), 200));
    cr_expect(eq(sz, client.body.length, 30 << 20));
    web_client_close(&client);
}

Test(http_slow, a_handler_that_forgets_is_answered_for)
{
    web.config.limits.reply_wait_ms = 200;
    start(WEB_PLAIN);
    cr_expect(eq(int, web_client_ask(&client, "POST /wait HTTP/1.1\r\n" HOST "\r\n"), 503));
    cr_assert(ne(ptr, (void *)atomic_load(&waiting), NULL));
    cr_expect(http_exchange_is_gone(atomic_load(&waiting)));
    say(atomic_load(&waiting), 2); /* too late: dropped */
    web_client_close(&client);
    web_server_visit(&web, WEB_PLAIN, &client);
    cr_expect(eq(int, web_client_ask(&client, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200));
    web_client_close(&client);
}

Test(http_slow, at_the_limit_the_longest_idle_makes_room)
{
    struct web_client first, second;

    web.config.limits.connections = 2;
    web_server_start(&web);
    web_server_visit(&web, WEB_PLAIN, &first);
    cr_assert(eq(int, web_client_ask(&first, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200));
    web_server_visit(&web, WEB_PLAIN, &second);
    cr_assert(eq(int, web_client_ask(&second, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200));
    web_server_visit(&web, WEB_PLAIN, &client);
    cr_expect(eq(int, web_client_ask(&client, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200));
    cr_expect(web_client_is_closed_within(&first, 1000));
    cr_expect(eq(int, web_client_ask(&second, "GET / HTTP/1.1\r\n" HOST "\r\n"), 200));
    cr_expect(eq(i64, http_server_counts(web.server).open_now, 2));
    web_client_close(&first);
    web_client_close(&second);
    web_client_close(&client);
}

Test(http_slow, beyond_the_limit_one_is_told_so_politely)
{
    struct web_client busy[2], others[8];
    int refused = 0, cut = 0;

    web.config.limits.connections = 2;
    web_server_start(&web);
    for (int i = 0; i < 2; i++) {
        web_server_visit(&web, WEB_PLAIN, &busy[i]);
        cr_assert(web_client_send(&busy[i], "POST /wait HTTP/1.1\r\n" HOST "\r\n"));
        WEB_SERVER_WAIT(&web, requests, i + 1);
    }
    for (int i = 0; i < 8; i++)
        web_server_visit(&web, WEB_PLAIN, &others[i]);
    WEB_SERVER_WAIT(&web, accepted, 10);
    for (int i = 0; i < 8; i++) {
        int status = web_client_ask(&others[i], "GET / HTTP/1.1\r\n" HOST "\r\n");

        refused += status == 503 && web_client_has_line(&others[i], "Retry-After: 30");
        cut += status == 0;
        web_client_close(&others[i]);
    }
    cr_expect(eq(int, refused, 2));
    cr_expect(eq(int, cut, 6));
    for (int i = 0; i < 2; i++)
        web_client_close(&busy[i]);
}

Test(http_slow, garbage_is_answered_and_counted)
{
    start(WEB_PLAIN);
    cr_expect(eq(int,
                 web_client_ask(&client, "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n"
                                         "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                 400));
    cr_expect(web_client_has_line(&client, "Connection: close"));
    cr_expect(web_client_is_closed_within(&client, 1000));
    web_client_close(&client);
    cr_expect(eq(i64, http_server_counts(web.server).refused, 1));
    cr_expect(zero(i64, http_server_counts(web.server).requests));
}

Test(http_slow, bodies_in_memory_have_a_common_limit)
{
    static char piece[60000];
    struct web_client first;
    const char *request = "POST /wait HTTP/1.1\r\n" HOST "Content-Length: 70000\r\n\r\n";

    web.config.limits.collected_bytes = 100000;
    web_server_start(&web);
    web_server_visit(&web, WEB_PLAIN, &first);
    cr_assert(web_client_send(&first, request));
    cr_assert(web_client_send_bytes(&first, piece, sizeof piece));
    env_real()->sleep_ms(env_real(), 100);
    web_server_visit(&web, WEB_PLAIN, &client);
    cr_assert(web_client_send(&client, request));
    cr_assert(web_client_send_bytes(&client, piece, sizeof piece));
    cr_expect(eq(int, web_client_reply(&client, false), 503));
    cr_expect(web_client_has_line(&client, "Retry-After: 10"));
    web_client_close(&client);
    web_client_close(&first);
    for (int i = 0; i < 400 && http_server_counts(web.server).open_now > 0; i++)
        env_real()->sleep_ms(env_real(), 10);
    web_server_visit(&web, WEB_PLAIN, &client); /* what was held is free again */
    cr_assert(web_client_send(&client, request));
    cr_assert(web_client_send_bytes(&client, piece, sizeof piece));
    cr_assert(web_client_send_bytes(&client, piece, 10000));
    for (int i = 0; i < 400 && atomic_load(&waiting) == NULL; i++)
        env_real()->sleep_ms(env_real(), 10);
    cr_assert(ne(ptr, (void *)atomic_load(&waiting), NULL));
    say(atomic_load(&waiting), 2);
    cr_expect(eq(int, web_client_reply(&client, false), 200));
    web_client_close(&client);
}
