/*
 * The certificate and what we agree to speak: TLS 1.2 and 1.3, X25519 before P-256, tickets instead
 * of a session cache, no early data, no compression, no renegotiation.
 */
#ifndef SERVER_HTTP_TLS_H
#define SERVER_HTTP_TLS_H

#include <openssl/types.h>
#include <stdint.h>

#include "common/base/error.h"

struct http_config;
struct http_tls;

/* What it takes of the configuration is copied. Errors: as http_server_start(). */
enum status http_tls_new(const struct http_config *config, struct http_tls **ret_tls,
                         struct error *err);
void http_tls_free(struct http_tls *tls);
DEFINE_CLEANUP(struct http_tls *, http_tls_free)

/* From any thread. On failure all stays as it was. */
enum status http_tls_reload(struct http_tls *tls, struct error *err);
int64_t http_tls_end_s(struct http_tls *tls);

/* The server's end of a connection on that socket, which stays the caller's. NULL: no memory. */
SSL *http_tls_accept(struct http_tls *tls, int socket);

#endif
