/*
 * One TLS connection to the server that is measured, non-blocking, for a thread that waits for many
 * with epoll. libcurl's multi interface would do the same at several times the processor time,
 * which here is taken from the server measured beside it.
 */
#ifndef BENCH_WORLD_DIAL_H
#define BENCH_WORLD_DIAL_H

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "common/base/error.h"

/* Where to, looked up once. */
struct dial_target {
    struct sockaddr_storage address;
    socklen_t address_length;
    char host[256];      /* as its certificate has to name it */
    char authority[272]; /* for the Host field */
};

/* STATUS_INVALID: not an https URL. STATUS_UNREACHABLE: the name has no address. */
enum status dial_find(const char *url, struct dial_target *ret_target, struct error *err) MUST_USE;

/* Certificates are checked against the PEM file `ca`, or the system's if NULL. */
enum status dial_context(const char *ca, SSL_CTX **ret_context, struct error *err) MUST_USE;
void dial_context_free(SSL_CTX *context); /* NULL is fine */
DEFINE_CLEANUP(SSL_CTX *, dial_context_free)

enum dial_state { DIAL_CLOSED = 0, DIAL_CONNECTING, DIAL_SHAKING, DIAL_OPEN };

/* Zeroed: closed. */
struct dial {
    enum dial_state state;
    int descriptor;
    SSL *tls;
};

/* Begin to connect; a full handshake follows, never a resumed one. */
enum status dial_open(struct dial *dial, const struct dial_target *target, SSL_CTX *context,
                      struct error *err) MUST_USE;

/* At once, without TIME_WAIT: a run uses up more ports than there are. */
void dial_close(struct dial *dial);

enum dial_result { DIAL_DONE, DIAL_WAIT /* for the descriptor */, DIAL_BROKEN };

/* Get on with connecting and shaking hands; DIAL_DONE: it is open. */
enum dial_result dial_advance(struct dial *dial);

/* Some bytes, *ret_count of them; DIAL_DONE: at least one. The end of the stream is DIAL_BROKEN. */
enum dial_result dial_send(struct dial *dial, const char *bytes, size_t count, size_t *ret_count);
enum dial_result dial_receive(struct dial *dial, char *ret_bytes, size_t room, size_t *ret_count);

/* Why a handshake failed, for a person; static or in `err`. */
void dial_explain(const struct dial *dial, struct error *err);

#endif
