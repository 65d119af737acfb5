#include "bench/server/primitives.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "bench/world/clock.h"
#include "common/base/env.h"
#include "common/crypto/keys.h"
#include "server/site/config.h"
#include "server/site/folder.h"

#define STATEMENT_BYTES 320     /* of a visit with one finished task */
#define ENOUGH_US       1000000 /* of processor time, for each */
#define STEPS_MAX       16      /* of a handshake */

DEFINE_CLEANUP(SSL_CTX *, SSL_CTX_free)
DEFINE_CLEANUP(SSL *, SSL_free)

static double measure_verify(struct env *env)
{
    CLEANUP(private_key_clear) struct private_key key = {0};
    uint8_t statement[STATEMENT_BYTES] = {0};
    struct signature signature;
    int64_t began_us, times = 0, used_us;

    private_key_generate(&key, env);
    signature = private_key_sign(&key, statement, sizeof statement);
    began_us = clock_thread_us();
    do {
        for (int i = 0; i < 100; i++, times++)
            if (!public_key_verify(&key.public_key, statement, sizeof statement, &signature))
                abort();
        used_us = clock_thread_us() - began_us;
    } while (used_us < ENOUGH_US);
    return (double)used_us / (double)times;
}

/* As server/http and bench/world set theirs up. */
static enum status make_contexts(const struct site_certificate *certificate, const char *ca,
                                 SSL_CTX **ret_server, SSL_CTX **ret_client, struct error *err)
{
    CLEANUP(SSL_CTX_freep) SSL_CTX *server = SSL_CTX_new(TLS_server_method());
    CLEANUP(SSL_CTX_freep) SSL_CTX *client = SSL_CTX_new(TLS_client_method());
    bool is_ready =
        server != NULL && client != NULL &&
        SSL_CTX_use_certificate_chain_file(server, certificate->certificate.text) == 1 &&
        SSL_CTX_use_PrivateKey_file(server, certificate->key.text, SSL_FILETYPE_PEM) == 1 &&
        SSL_CTX_load_verify_file(client, ca) == 1;

    ERR_clear_error();
    if (!is_ready)
        return error_set(err, STATUS_INVALID, "the site's certificate cannot be used");
    SSL_CTX_set_verify(client, SSL_VERIFY_PEER, NULL);
    *ret_server = TAKE(server);
    *ret_client = TAKE(client);
    return STATUS_OK;
}

/* In memory, without sockets; adds the server's part to *server_us. */
static bool shake(SSL_CTX *server_context, SSL_CTX *client_context, int64_t *server_us)
{
    CLEANUP(SSL_freep) SSL *server = SSL_new(server_context);
    CLEANUP(SSL_freep) SSL *client = SSL_new(client_context);
    BIO *near = NULL, *far = NULL;
    int done = 0;

    if (server == NULL || client == NULL || BIO_new_bio_pair(&near, 0, &far, 0) != 1)
        abort();
    SSL_set_bio(server, near, near);
    SSL_set_bio(client, far, far);
    SSL_set_accept_state(server);
    SSL_set_connect_state(client);
    for (int i = 0; i < STEPS_MAX && done < 2; i++) {
        int64_t began_us;

        done = SSL_do_handshake(client) == 1;
        began_us = clock_thread_us();
        done += SSL_do_handshake(server) == 1;
        *server_us += clock_thread_us() - began_us;
    }
    return done == 2;
}

static enum status measure_shake(SSL_CTX *server, SSL_CTX *client, struct primitives *primitives,
                                 struct error *err)
{
    int64_t began_us = clock_thread_us(), server_us = 0, times = 0, used_us;

    do {
        if (!shake(server, client, &server_us))
            return error_set(err, STATUS_INVALID, "a handshake in memory failed");
        times++;
        used_us = clock_thread_us() - began_us;
    } while (used_us < ENOUGH_US);
    primitives->shake_us = (double)server_us / (double)times;
    primitives->shake_all_us = (double)used_us / (double)times;
    return STATUS_OK;
}

enum status primitives_measure(struct env *env, const char *site, struct primitives *ret_primitives,
                               struct error *err)
{
    CLEANUP(SSL_CTX_freep) SSL_CTX *server = NULL;
    CLEANUP(SSL_CTX_freep) SSL_CTX *client = NULL;
    struct primitives primitives = {0};
    struct site_certificate certificate;
    struct config config;
    struct disk_path ca;

    TRY(site_load_config(env->disk, site, &config, err));
    TRY(site_certificate(site, &config, &certificate, err));
    TRY(site_path(site, "tls/ca.pem", &ca, err));
    TRY(make_contexts(&certificate, ca.text, &server, &client, err));
    TRY(measure_shake(server, client, &primitives, err));
    primitives.verify_us = measure_verify(env);
    *ret_primitives = primitives;
    return STATUS_OK;
}
