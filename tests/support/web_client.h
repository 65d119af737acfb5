/*
 * A small HTTP client for tests of the server: sends what it is told, byte for byte, however wrong.
 * Waits at most WEB_CLIENT_PATIENCE_MS for anything.
 */
#ifndef TESTS_SUPPORT_WEB_CLIENT_H
#define TESTS_SUPPORT_WEB_CLIENT_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"

#define WEB_CLIENT_PATIENCE_MS 5000
#define WEB_CLIENT_MAX_BYTES   (64 << 20)

/* Zeroed: not open. */
struct web_client {
    int socket;
    SSL *ssl;
    struct buffer in;   /* received and not yet used */
    struct buffer head; /* of the last reply */
    struct buffer body; /* of the last reply, decoded */
    int interim_count;  /* of "100 Continue" before the last reply */
};

/* TLS without any check of the certificate. Both assert that it works. */
void web_client_open(struct web_client *client, uint16_t port, bool is_tls);
void web_client_open_unix(struct web_client *client, const char *path);

/* Only the socket: for what stands before the TLS. Then the handshake; false: it failed. */
void web_client_connect(struct web_client *client, uint16_t port);
bool web_client_handshake(struct web_client *client, SSL_CTX *context);

/* False: the server has closed. */
bool web_client_send(struct web_client *client, const char *text);
bool web_client_send_bytes(struct web_client *client, const void *bytes, size_t length);

/*
 * Read one whole reply, interim ones counted and skipped: its status; 0: the connection ended
 * before or within it, or nothing came in time. `is_head`: it was asked for by HEAD.
 */
int web_client_reply(struct web_client *client, bool is_head);

/* send and reply. */
int web_client_ask(struct web_client *client, const char *request);

/* Does the last reply's head have this line ("ETag: \"x\"")? */
bool web_client_has_line(const struct web_client *client, const char *line);

/* Does the server close within so many ms? What it sends before is skipped. */
bool web_client_is_closed_within(struct web_client *client, int64_t ms);

void web_client_close(struct web_client *client);

#endif
