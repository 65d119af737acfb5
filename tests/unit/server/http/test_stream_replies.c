/* server/http: bodies that stream out, deferred replies, and peers that leave meanwhile. */
#include <openssl/ssl.h>
#include <stdio.h>
#include <sys/socket.h>

#include "tests/unit/server/http/stream_suite.h"

#define LINES 5000

static atomic_int freed_producers;

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

static void serve(struct http_exchange *exchange, const char *path)
{
    if (strcmp(path, "/lines") == 0)
        produce(exchange, fill);
    else if (strcmp(path, "/never") == 0)
        produce(exchange, fill_never);
    else if (strcmp(path, "/badly") == 0)
        produce(exchange, fill_badly);
    else if (strcmp(path, "/at-once") == 0)
        produce(exchange, fill_at_once);
    else if (strcmp(path, "/nothing") == 0)
        produce(exchange, fill_nothing);
    else
        say(exchange, "at once");
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
