/* server/http: starting, stopping, listeners, and what a proxy says. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/env/real.h"
#include "tests/support/web_server.h"

#define HOST    "Host: localhost\r\n"
#define REQUEST "GET / HTTP/1.1\r\n" HOST "\r\n"
#define WAIT    "GET /wait HTTP/1.1\r\n" HOST "\r\n"

static struct web_server web;
static struct web_client client, other;
static struct http_exchange *_Atomic waiting;
static atomic_int ended;
static struct error err;

static void count_end(void *user)
{
    (void)user;
    (void)atomic_fetch_add(&ended, 1);
}

static void say_peer(struct http_exchange *exchange)
{
    char text[HTTP_PEER_TEXT_MAX];
    struct http_reply reply;

    http_peer_text(&http_exchange_head(exchange)->peer, text);
    http_reply_init(&reply, 200);
    http_reply_text(&reply, "text/plain", text);
    http_exchange_reply(exchange, &reply);
}

static void head(void *context, struct http_exchange *exchange)
{
    (void)context;
    http_exchange_set_user(exchange, NULL, count_end);
    if (strcmp(http_exchange_head(exchange)->path, "/wait") == 0)
        atomic_store(&waiting, exchange);
    else
        say_peer(exchange);
}

static void set_up(void)
{
    web_server_init(&web, head, NULL);
}

static void tear_down(void)
{
    web_server_clear(&web);
}

TestSuite(http_stop, .init = set_up, .fini = tear_down);

static struct http_exchange *wait_for_exchange(void)
{
    struct env *env = env_real();

    for (int i = 0; i < 400 && atomic_load(&waiting) == NULL; i++)
        env->sleep_ms(env, 10);
    cr_assert(ne(ptr, (void *)atomic_load(&waiting), NULL));
    return atomic_exchange(&waiting, NULL);
}

static void *stop(void *grace_ms)
{
    http_server_stop(web.server, *(int64_t *)grace_ms);
    return NULL;
}

Test(http_stop, a_running_exchange_is_finished_and_an_idle_connection_closed)
{
    int64_t grace_ms = 5000, begin_ms = env_real()->now_mono_ms(env_real());
    struct http_exchange *exchange;
    pthread_t thread;

    web_server_start(&web);
    web_server_visit(&web, WEB_TLS, &other);
    cr_assert(eq(int, web_client_ask(&other, REQUEST), 200));
    web_server_visit(&web, WEB_TLS, &client);
    cr_assert(web_client_send(&client, WAIT));
    exchange = wait_for_exchange();
    cr_assert(zero(int, pthread_create(&thread, NULL, stop, &grace_ms)));
    cr_expect(web_client_is_closed_within(&other, 2000));
    cr_expect(not(http_exchange_is_gone(exchange)));
    say_peer(exchange);
    cr_expect(eq(int, web_client_reply(&client, false), 200));
    cr_expect(web_client_has_line(&client, "Connection: close"));
    web_client_close(&client);
    web_client_close(&other);
    (void)pthread_join(thread, NULL);
    cr_expect(lt(i64, env_real()->now_mono_ms(env_real()) - begin_ms, 4000));
    cr_expect(eq(int, atomic_load(&ended), 2));
    cr_expect(zero(i64, http_server_counts(web.server).open_now));
}

Test(http_stop, what_takes_too_long_is_cut_and_a_late_reply_is_harmless)
{
    struct http_exchange *exchange;

    web_server_start(&web);
    web_server_visit(&web, WEB_PLAIN, &client);
    cr_assert(web_client_send(&client, WAIT));
    exchange = wait_for_exchange();
    http_server_stop(web.server, 100);
    cr_expect(http_exchange_is_gone(exchange));
    cr_expect(zero(int, web_client_reply(&client, false)));
    cr_expect(zero(int, atomic_load(&ended)));
    say_peer(exchange);
    http_server_free(web.server);
    web.server = NULL;
    cr_expect(eq(int, atomic_load(&ended), 1));
    web_client_close(&client);
}

Test(http_stop, an_exchange_nobody_answers_ends_with_the_server)
{
    web_server_start(&web);
    web_server_visit(&web, WEB_PLAIN, &client);
    cr_assert(web_client_send(&client, WAIT));
    (void)wait_for_exchange();
    http_server_free(web.server);
    web.server = NULL;
    cr_expect(eq(int, atomic_load(&ended), 1));
    web_client_close(&client);
}

Test(http_stop, several_threads_share_the_work)
{
    struct web_client clients[40];

    web.config.threads = 4;
    web_server_start(&web);
    for (size_t i = 0; i < 40; i++) {
        if (i % 4 == 0)
            web_client_open_unix(&clients[i], web.unix_path);
        else
            web_server_visit(&web, i % 2 ? WEB_PLAIN : WEB_TLS, &clients[i]);
        cr_assert(web_client_send(&clients[i], REQUEST));
    }
    for (size_t i = 0; i < 40; i++) {
        cr_expect(eq(int, web_client_reply(&clients[i], false), 200));
        web_client_close(&clients[i]);
    }
    cr_expect(eq(i64, http_server_counts(web.server).requests, 40));
}

static enum status start_with(struct http_listen listen)
{
    web.config.listen = &listen;
    web.config.listen_count = 1;
    return http_server_start(&web.config, &web.server, &err);
}

Test(http_stop, a_wrong_configuration_is_refused)
{
    static const char *const addresses[] = {"localhost:1", "127.0.0.1",       "127.0.0.1:x",
                                            ":1",          "127.0.0.1:65536", "::1:1",
                                            "unix:",       "[::1:1",          ""};

    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        cr_expect(
            eq(int, start_with((struct http_listen){.address = addresses[i]}), STATUS_INVALID),
            "%s", addresses[i]);
    cr_expect(eq(int, start_with((struct http_listen){.address = "0.0.0.0:0"}), STATUS_INVALID));
    cr_expect(eq(str, err.text, "without TLS, 0.0.0.0:0 must be loopback or a unix socket"));
    cr_expect(eq(int, start_with((struct http_listen){.address = "[::]:0"}), STATUS_INVALID));
    web.config.threads = 0;
    cr_expect(eq(int, start_with((struct http_listen){.address = "127.0.0.1:0"}), STATUS_INVALID));
    web.config.threads = 1;
    web.config.listen_count = 0;
    cr_expect(eq(int, http_server_start(&web.config, &web.server, &err), STATUS_INVALID));
}

Test(http_stop, an_address_in_use_is_not_shared_with_a_stranger)
{
    struct http_server *second = NULL;
    char address[32];
    struct http_listen listen = {.address = address};
    struct http_config config;

    web_server_start(&web);
    config = web.config;
    config.listen = &listen;
    config.listen_count = 1;
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", http_server_port(web.server, 0));
    cr_expect(eq(int, http_server_start(&config, &second, &err), STATUS_BUSY));
    listen.address = web.unix_address;
    cr_expect(eq(int, http_server_start(&config, &second, &err), STATUS_BUSY));
    cr_expect(eq(ptr, second, NULL));
    http_server_free(web.server);
    listen.address = address;
    cr_expect(eq(int, http_server_start(&config, &web.server, &err), STATUS_OK));
    http_server_free(web.server);
    listen.address = web.unix_address; /* the dead socket is still there, and in nobody's way */
    cr_expect(eq(int, http_server_start(&config, &web.server, &err), STATUS_OK));
}

#define PROXY_IPV4 "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc6\x33\x64\x07\x7f\0\0\1\x12\x34\x01\xbb"

Test(http_stop, a_proxy_names_the_peer_in_front_of_plain_text_and_tls)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    web_server_start(&web);
    web_client_connect(&client, http_server_port(web.server, WEB_PROXIED));
    cr_assert(web_client_send_bytes(&client, PROXY_IPV4, 28));
    cr_expect(eq(int, web_client_ask(&client, REQUEST), 200));
    cr_expect(eq(str, (char *)buffer_text(&client.body), "198.51.100.7"));
    cr_expect(eq(int, web_client_ask(&client, REQUEST), 200));
    web_client_close(&client);
    web_client_connect(&client, http_server_port(web.server, WEB_PROXIED_TLS));
    for (int i = 0; i < 28; i++)
        cr_assert(web_client_send_bytes(&client, PROXY_IPV4 + i, 1));
    cr_assert(web_client_handshake(&client, context));
    cr_expect(eq(int, web_client_ask(&client, REQUEST), 200));
    cr_expect(eq(str, (char *)buffer_text(&client.body), "198.51.100.7"));
    web_client_close(&client);
    SSL_CTX_free(context);
}

Test(http_stop, a_proxy_header_is_demanded_where_due_and_refused_elsewhere)
{
    web_server_start(&web);
    web_client_connect(&client, http_server_port(web.server, WEB_PROXIED));
    cr_expect(zero(int, web_client_ask(&client, REQUEST)));
    web_client_close(&client);
    web_server_visit(&web, WEB_PLAIN, &client);
    cr_assert(web_client_send_bytes(&client, PROXY_IPV4, 28));
    cr_expect(eq(int, web_client_ask(&client, REQUEST), 400));
    web_client_close(&client);
    cr_expect(zero(i64, http_server_counts(web.server).requests));
}

/* From 198.51.100.`last`, by way of a proxy. Does it get an answer? */
static bool is_served_from(struct web_client *from, char last)
{
    char header[] = PROXY_IPV4;

    header[19] = last;
    web_client_connect(from, http_server_port(web.server, WEB_PROXIED));
    cr_assert(web_client_send_bytes(from, header, 28));
    return web_client_ask(from, REQUEST) == 200;
}

Test(http_stop, one_peer_cannot_have_all_connections)
{
    struct web_client clients[4];

    web.config.limits.connections_per_peer = 3;
    web_server_start(&web);
    for (int i = 0; i < 3; i++)
        cr_expect(is_served_from(&clients[i], 7));
    cr_expect(not(is_served_from(&clients[3], 7)));
    web_client_close(&clients[3]);
    cr_expect(is_served_from(&clients[3], 8));
    web_client_close(&clients[0]);
    for (int i = 0; i < 400 && http_server_counts(web.server).open_now > 3; i++)
        env_real()->sleep_ms(env_real(), 10);
    cr_expect(is_served_from(&clients[0], 7));
    for (int i = 0; i < 4; i++)
        web_client_close(&clients[i]);
}
