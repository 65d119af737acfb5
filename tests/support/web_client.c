#include "tests/support/web_client.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static void set_patience(struct web_client *client, int64_t ms)
{
    struct timeval time = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    cr_assert(setsockopt(client->socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0);
    cr_assert(setsockopt(client->socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) == 0);
}

static void begin(struct web_client *client, int family, const void *address, socklen_t length)
{
    *client = (struct web_client){.socket = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    cr_assert(client->socket >= 0);
    buffer_init(&client->in, WEB_CLIENT_MAX_BYTES);
    buffer_init(&client->head, WEB_CLIENT_MAX_BYTES);
    buffer_init(&client->body, WEB_CLIENT_MAX_BYTES);
    set_patience(client, WEB_CLIENT_PATIENCE_MS);
    cr_assert(connect(client->socket, address, length) == 0);
}

void web_client_connect(struct web_client *client, uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    begin(client, AF_INET, &address, sizeof address);
}

void web_client_open_unix(struct web_client *client, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    begin(client, AF_UNIX, &address, sizeof address);
}

bool web_client_handshake(struct web_client *client, SSL_CTX *context)
{
    client->ssl = SSL_new(context);
    cr_assert(client->ssl != NULL && SSL_set_fd(client->ssl, client->socket) == 1);
    ERR_clear_error();
    return SSL_connect(client->ssl) == 1;
}

void web_client_open(struct web_client *client, uint16_t port, bool is_tls)
{
    SSL_CTX *context;

    web_client_connect(client, port);
    if (!is_tls)
        return;
    context = SSL_CTX_new(TLS_client_method());
    cr_assert(context != NULL);
    cr_assert(web_client_handshake(client, context));
    SSL_CTX_free(context);
}

bool web_client_send_bytes(struct web_client *client, const void *bytes, size_t length)
{
    const char *from = bytes;

    while (length > 0) {
        size_t sent = 0;
        ssize_t count;

        ERR_clear_error();
        if (client->ssl != NULL) {
            if (SSL_write_ex(client->ssl, from, length, &sent) != 1)
                return false;
        } else {
            count = send(client->socket, from, length, MSG_NOSIGNAL);
            if (count <= 0)
                return false;
            sent = (size_t)count;
        }
        from += sent;
        length -= sent;
    }
    return true;
}

bool web_client_send(struct web_client *client, const char *text)
{
    return web_client_send_bytes(client, text, strlen(text));
}

/* False: the end, or nothing in time. */
static bool receive(struct web_client *client)
{
    char *room = buffer_reserve(&client->in, 16384);
    size_t got = 0;
    ssize_t count;

    cr_assert(room != NULL);
    ERR_clear_error();
    if (client->ssl != NULL)
        return SSL_read_ex(client->ssl, room, 16384, &got) == 1 &&
               (buffer_commit(&client->in, got), true);
    count = recv(client->socket, room, 16384, 0);
    if (count > 0)
        buffer_commit(&client->in, (size_t)count);
    return count > 0;
}

static void move(struct web_client *client, struct buffer *to, size_t length)
{
    cr_assert(buffer_append(to, client->in.bytes, length, NULL) == STATUS_OK);
    buffer_consume(&client->in, length);
}

/* Everything up to and with `end`. */
static bool take_until(struct web_client *client, struct buffer *to, const char *end)
{
    const char *found;

    while ((found = strstr(buffer_text(&client->in), end)) == NULL)
        if (!receive(client))
            return false;
    move(client, to, (size_t)(found - client->in.bytes) + strlen(end));
    return true;
}

static bool take_bytes(struct web_client *client, struct buffer *to, size_t length)
{
    while (client->in.length < length)
        if (!receive(client))
            return false;
    if (length > 0)
        move(client, to, length);
    return true;
}

static bool take_chunks(struct web_client *client)
{
    size_t size;

    do {
        CLEANUP(buffer_clear) struct buffer line = {.max = 1024};

        if (!take_until(client, &line, "\r\n"))
            return false;
        size = strtoul(buffer_text(&line), NULL, 16);
        if (!take_bytes(client, &client->body, size))
            return false;
        buffer_reset(&line);
        if (!take_bytes(client, &line, 2))
            return false;
        cr_assert(strcmp(buffer_text(&line), "\r\n") == 0);
    } while (size > 0);
    return true;
}

static bool take_body(struct web_client *client, int status, bool is_head)
{
    const char *length = strstr(buffer_text(&client->head), "\r\nContent-Length: ");

    if (is_head || status == 204 || status == 304)
        return true;
    if (strstr(buffer_text(&client->head), "\r\nTransfer-Encoding: chunked\r\n") != NULL)
        return take_chunks(client);
    if (length != NULL)
        return take_bytes(client, &client->body, strtoul(length + 18, NULL, 10));
    while (receive(client))
        continue;
    move(client, &client->body, client->in.length);
    return true;
}

int web_client_reply(struct web_client *client, bool is_head)
{
    int status;

    client->interim_count = -1;
    do {
        buffer_reset(&client->head);
        buffer_reset(&client->body);
        if (!take_until(client, &client->head, "\r\n\r\n"))
            return 0;
        cr_assert(strncmp(client->head.bytes, "HTTP/1.1 ", 9) == 0, "%s", client->head.bytes);
        status = atoi(client->head.bytes + 9);
        client->interim_count++;
    } while (status == 100);
    return take_body(client, status, is_head) ? status : 0;
}

int web_client_ask(struct web_client *client, const char *request)
{
    /* A server that refuses early may close while we still send: its reply tells more. */
    (void)web_client_send(client, request);
    return web_client_reply(client, strncmp(request, "HEAD ", 5) == 0);
}

bool web_client_has_line(const struct web_client *client, const char *line)
{
    char with_ends[512];

    (void)snprintf(with_ends, sizeof with_ends, "\r\n%s\r\n", line);
    return strstr(buffer_text(&client->head), with_ends) != NULL;
}

bool web_client_is_closed_within(struct web_client *client, int64_t ms)
{
    struct timeval before, now;
    int64_t passed = 0;

    (void)gettimeofday(&before, NULL);
    while (passed < ms) {
        set_patience(client, ms - passed);
        buffer_reset(&client->in);
        if (!receive(client)) {
            (void)gettimeofday(&now, NULL);
            passed = (now.tv_sec - before.tv_sec) * 1000 + (now.tv_usec - before.tv_usec) / 1000;
            return passed < ms - 5;
        }
    }
    return false;
}

void web_client_close(struct web_client *client)
{
    SSL_free(client->ssl);
    (void)close(client->socket);
    buffer_clear(&client->in);
    buffer_clear(&client->head);
    buffer_clear(&client->body);
    *client = (struct web_client){.socket = -1};
}
