/* server/http/server: requests and replies over real sockets, with and without TLS. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/env/real.h"
#include "tests/support/web_server.h"

#define HOST      "Host: localhost\r\n"
#define TEXT      "text/plain"
#define FILE_SIZE 200000
#define ETAG      "\"the-file\""

static struct web_server web;
static struct web_client client;

static void say(struct http_exchange *exchange, const char *text)
{
    struct http_reply reply;

    http_reply_init(&reply, 200);
    http_reply_text(&reply, TEXT, text);
    http_exchange_reply(exchange, &reply);
}

static void echo(void *user, struct http_exchange *exchange, struct buffer *body)
{
    struct http_reply reply;
    size_t length = body->length;

    (void)user;
    http_reply_init(&reply, 200);
    http_reply_memory(&reply, TEXT, buffer_take(body), length);
    http_exchange_reply(exchange, &reply);
}

static void send_file(struct http_exchange *exchange)
{
    struct disk *disk = disk_real();
    struct disk_path path;
    struct disk_file *file;
    struct http_reply reply;

    cr_assert(eq(int, disk_join(&path, NULL, "%s/file", web.folder), STATUS_OK));
    cr_assert(eq(int, disk->open_read(disk, path.text, &file, NULL), STATUS_OK));
    http_reply_file_for(&reply, http_exchange_head(exchange), TEXT, ETAG, disk, file, FILE_SIZE);
    http_exchange_reply(exchange, &reply);
}

static void *say_later(void *argument)
{
    struct env *env = env_real();

    env->sleep_ms(env, 30);
    say(argument, "later");
    return NULL;
}

static pthread_t in_background(void *(*work)(void *), void *argument)
{
    pthread_t thread;

    cr_assert(pthread_create(&thread, NULL, work, argument) == 0);
    return thread;
}

static pthread_t worker;
static bool has_worker;

static void head(void *context, struct http_exchange *exchange)
{
    const struct http_head *request = http_exchange_head(exchange);
    char peer[HTTP_PEER_TEXT_MAX];
    struct error err;

    (void)context;
    if (strcmp(request->path, "/echo") == 0) {
        http_exchange_collect(exchange, 100000, echo);
    } else if (strcmp(request->path, "/file") == 0) {
        send_file(exchange);
    } else if (strcmp(request->path, "/later") == 0) {
        worker = in_background(say_later, exchange);
        has_worker = true;
    } else if (strcmp(request->path, "/peer") == 0) {
        http_peer_text(&request->peer, peer);
        say(exchange, peer);
    } else if (strcmp(request->path, "/limited") == 0) {
        error_set(&err, STATUS_LIMITED, "not so \"fast\"");
        error_retry_after(&err, 17);
        http_exchange_fail(exchange, &err);
    } else {
        say(exchange, request->query);
    }
}

static void set_up(void)
{
    struct disk *disk = disk_real();
    char *content = must_alloc(FILE_SIZE, 1);
    struct disk_path path;

    web_server_init(&web, head, NULL);
    for (int i = 0; i < FILE_SIZE; i++)
        content[i] = (char)('a' + i % 26);
    cr_assert(eq(int, disk_join(&path, NULL, "%s/file", web.folder), STATUS_OK));
    cr_assert(eq(int, disk->write(disk, path.text, content, FILE_SIZE, 0600, NULL), STATUS_OK));
    free(content);
    web_server_start(&web);
}

static void tear_down(void)
{
    if (has_worker)
        (void)pthread_join(worker, NULL);
    web_server_clear(&web);
}

TestSuite(http_server, .init = set_up, .fini = tear_down);

static int ask(enum web_listener listener, const char *request)
{
    if (client.socket > 0)
        web_client_close(&client);
    if (listener == WEB_UNIX)
        web_client_open_unix(&client, web.unix_path);
    else
        web_server_visit(&web, listener, &client);
    return web_client_ask(&client, request);
}

Test(http_server, answers_on_every_kind_of_listener)
{
    static const enum web_listener listeners[] = {WEB_PLAIN, WEB_TLS, WEB_UNIX};

    for (size_t i = 0; i < 3; i++) {
        cr_assert(eq(int, ask(listeners[i], "GET /x?hello HTTP/1.1\r\n" HOST "\r\n"), 200));
        cr_expect(eq(str, (char *)buffer_text(&client.body), "hello"));
        cr_expect(web_client_has_line(&client, "Server: test"));
        cr_expect(eq(int, web_client_ask(&client, "GET /?again HTTP/1.1\r\n" HOST "\r\n"), 200));
        cr_expect(eq(str, (char *)buffer_text(&client.body), "again"));
    }
    web_client_close(&client);
}

Test(http_server, takes_a_body_of_known_length_and_a_chunked_one)
{
    cr_assert(eq(int, ask(WEB_TLS, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"),
                 200));
    cr_expect(eq(str, (char *)buffer_text(&client.body), "hello"));
    cr_assert(eq(int,
                 web_client_ask(&client,
                                "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                                "3\r\nabc\r\n4;x=1\r\ndefg\r\n0\r\nT: 1\r\n\r\n"),
                 200));
    cr_expect(eq(str, (char *)buffer_text(&client.body), "abcdefg"));
    cr_assert(eq(int, web_client_ask(&client, "POST /echo HTTP/1.1\r\n" HOST "\r\n"), 200));
    cr_expect(zero(sz, client.body.length));
    web_client_close(&client);
}

Test(http_server, pipelined_requests_are_answered_in_order)
{
    web_server_visit(&web, WEB_PLAIN, &client);
    cr_assert(web_client_send(&client,
                              "GET /later HTTP/1.1\r\n" HOST "\r\n"
                              "GET /?second HTTP/1.1\r\n" HOST "\r\n"
                              "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nthird"
                              "GET /?fourth HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n"));
    cr_assert(eq(int, web_client_reply(&client, false), 200));
    cr_expect(eq(str, (char *)buffer_text(&client.body), "later"));
    cr_assert(eq(int, web_client_reply(&client, false), 200));
    cr_expect(eq(str, (char *)buffer_text(&client.body), "second"));
    cr_assert(eq(int, web_client_reply(&client, false), 200));
    cr_expect(eq(str, (char *)buffer_text(&client.body), "third"));
    cr_assert(eq(int, web_client_reply(&client, false), 200));
    cr_expect(eq(str, (char *)buffer_text(&client.body), "fourth"));
    cr_expect(web_client_has_line(&client, "Connection: close"));
    cr_expect(web_client_is_closed_within(&client, 1000));
    web_client_close(&client);
}

Test(http_server, a_problem_says_its_type_and_when_to_come_back)
{
    cr_assert(eq(int, ask(WEB_PLAIN, "GET /limited HTTP/1.1\r\n" HOST "\r\n"), 429));
    cr_expect(eq(str, (char *)buffer_text(&client.body),
                 "{\"type\":\"limited\",\"title\":\"Too much for now\",\"status\":429,"
                 "\"detail\":\"not so \\\"fast\\\"\","
                 "\"retry_after_s\":17}"));
    cr_expect(web_client_has_line(&client, "Content-Type: application/problem+json"));
    cr_expect(web_client_has_line(&client, "Retry-After: 17"));
    web_client_close(&client);
}

Test(http_server, who_can_only_wait_is_told_until_when_whatever_failed)
{
    static const enum status waits[] = {STATUS_BUSY, STATUS_FULL};

    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        CLEANUP(http_reply_clear) struct http_reply reply = {0};
        struct error err;

        error_set(&err, waits[i], "the words of a database");
        http_reply_problem(&reply, &err);
        cr_expect(strstr(buffer_text(&reply.fields), "Retry-After: ") != NULL, "%s",
                  buffer_text(&reply.fields));
        cr_expect(strstr(reply.bytes, "\"retry_after_s\":") != NULL, "%s", reply.bytes);
    }
}

Test(http_server, a_file_is_served_whole_in_part_and_not_at_all)
{
    cr_assert(eq(int, ask(WEB_TLS, "GET /file HTTP/1.1\r\n" HOST "\r\n"), 200));
    cr_expect(eq(sz, client.body.length, FILE_SIZE));
    cr_expect(web_client_has_line(&client, "ETag: " ETAG));
    cr_expect(eq(chr, client.body.bytes[FILE_SIZE - 1], 'a' + (FILE_SIZE - 1) % 26));
    cr_assert(
        eq(int, web_client_ask(&client, "GET /file HTTP/1.1\r\n" HOST "Range: bytes=26-28\r\n\r\n"),
           206));
    cr_expect(eq(str, (char *)buffer_text(&client.body), "abc"));
    cr_expect(web_client_has_line(&client, "Content-Range: bytes 26-28/200000"));
    cr_assert(eq(int,
                 web_client_ask(&client, "GET /file HTTP/1.1\r\n" HOST "Range: bytes=26-28\r\n"
                                         "If-Range: \"another\"\r\n\r\n"),
                 200));
    cr_assert(eq(
        int, web_client_ask(&client, "GET /file HTTP/1.1\r\n" HOST "Range: bytes=200000-\r\n\r\n"),
        416));
    cr_expect(web_client_has_line(&client, "Content-Range: bytes */200000"));
    cr_assert(eq(int,
                 web_client_ask(&client, "GET /file HTTP/1.1\r\n" HOST
                                         "If-None-Match: \"x\", W/" ETAG "\r\n\r\n"),
                 304));
    cr_assert(eq(int, web_client_ask(&client, "HEAD /file HTTP/1.1\r\n" HOST "\r\n"), 200));
    cr_expect(web_client_has_line(&client, "Content-Length: 200000"));
    cr_assert(eq(int, web_client_ask(&client, "GET /?still HTTP/1.1\r\n" HOST "\r\n"), 200));
    cr_expect(eq(str, (char *)buffer_text(&client.body), "still"));
    web_client_close(&client);
}
