#include "server/http/tls.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "common/base/disk.h"
#include "common/base/env.h"
#include "common/base/text.h"
#include "server/http/server.h"
#include "server/http/tickets.h"

#define PEM_MAX_BYTES     (256 * 1024)
#define CHAIN_MAX         8
#define TICKET_LIFETIME_S (12 * 3600)

struct http_tls {
    struct env *env;
    char *certificate_path, *key_path;
    struct tickets tickets;
    pthread_mutex_t lock; /* guards what follows */
    SSL_CTX *context;
    int64_t end_s;
};

DEFINE_CLEANUP(SSL_CTX *, SSL_CTX_free)
DEFINE_CLEANUP(BIO *, BIO_free_all)
DEFINE_CLEANUP(X509 *, X509_free)
DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)

/* The reason as OpenSSL has it; nothing stays in its queue, where it would confuse the next call.
 */
static enum status tls_failure(struct error *err, const char *text)
{
    char reason[120] = "";

    ERR_error_string_n(ERR_peek_last_error(), reason, sizeof reason);
    ERR_clear_error();
    error_set(err, STATUS_INVALID, "%s", text);
    error_detail(err, "%s", reason);
    return STATUS_INVALID;
}

static void wipe(struct buffer *pem)
{
    OPENSSL_cleanse(pem->bytes, pem->length);
    buffer_clear(pem);
}

static enum status read_pem(struct disk *disk, const char *path, const char *what,
                            struct buffer *ret_pem, struct error *err)
{
    struct error cause = {0};
    enum status status = disk->read(disk, path, ret_pem, &cause);

    if (status == STATUS_OK)
        return STATUS_OK;
    error_set(err, status, "the %s cannot be read: %s", what, cause.text);
    error_detail(err, "%s", cause.detail);
    return status;
}

/* Without this, OpenSSL would ask the terminal for the passphrase of an encrypted key. */
static int no_passphrase(char *text, int size, int is_writing, void *user)
{
    (void)text, (void)size, (void)is_writing, (void)user;
    return -1;
}

static enum status check_validity(const X509 *certificate, int64_t now_s, int64_t *ret_end_s,
                                  struct error *err)
{
    struct tm end;

    if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
        return tls_failure(err, "the certificate does not say when it ends");
    *ret_end_s = (int64_t)timegm(&end);
    if (*ret_end_s <= now_s)
        return error_set(err, STATUS_INVALID, "the certificate has expired");
    return STATUS_OK;
}

static enum status use_chain(SSL_CTX *context, BIO *pem, struct error *err)
{
    for (int i = 0; i < CHAIN_MAX; i++) {
        CLEANUP(X509_freep) X509 *next = PEM_read_bio_X509(pem, NULL, no_passphrase, NULL);

        if (next == NULL && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
            return tls_failure(err, "the certificate's chain is cut short, or damaged");
        if (next == NULL) {
            ERR_clear_error();
            return STATUS_OK;
        }
        if (SSL_CTX_add1_chain_cert(context, next) != 1)
            return tls_failure(err, "the certificate's chain cannot be used");
    }
    return error_set(err, STATUS_INVALID, "the certificate's chain has up to %d more", CHAIN_MAX);
}

static enum status use_certificate(struct http_tls *tls, SSL_CTX *context, int64_t *ret_end_s,
                                   struct error *err)
{
    struct disk *disk = tls->env->disk;
    CLEANUP(buffer_clear) struct buffer text = {.max = PEM_MAX_BYTES};
    CLEANUP(BIO_free_allp) BIO *pem = NULL;
    CLEANUP(X509_freep) X509 *leaf = NULL;

    TRY(read_pem(disk, tls->certificate_path, "certificate", &text, err));
    pem = BIO_new_mem_buf(buffer_text(&text), (int)text.length);
    leaf = pem != NULL ? PEM_read_bio_X509(pem, NULL, no_passphrase, NULL) : NULL;
    if (leaf == NULL)
        return tls_failure(err, "the certificate is not whole, or not PEM");
    TRY(check_validity(leaf, tls->env->now_s(tls->env), ret_end_s, err));
    if (SSL_CTX_use_certificate(context, leaf) != 1)
        return tls_failure(err, "the certificate cannot be used");
    return use_chain(context, pem, err);
}

static enum status use_key(struct http_tls *tls, SSL_CTX *context, struct error *err)
{
    struct disk *disk = tls->env->disk;
    CLEANUP(wipe) struct buffer text = {.max = PEM_MAX_BYTES};
    CLEANUP(BIO_free_allp) BIO *pem = NULL;
    CLEANUP(EVP_PKEY_freep) EVP_PKEY *key = NULL;

    TRY(read_pem(disk, tls->key_path, "certificate's key", &text, err));
    pem = BIO_new_mem_buf(buffer_text(&text), (int)text.length);
    key = pem != NULL ? PEM_read_bio_PrivateKey(pem, NULL, no_passphrase, NULL) : NULL;
    if (key == NULL)
        return tls_failure(err, "the certificate's key is not PEM without a passphrase");
    if (SSL_CTX_use_PrivateKey(context, key) != 1 || SSL_CTX_check_private_key(context) != 1)
        return tls_failure(err, "the key is not the certificate's");
    return STATUS_OK;
}

static int choose_protocol(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_length,
                           const unsigned char *offered, unsigned int length, void *user)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *name;

    (void)ssl, (void)user;
    if (SSL_select_next_proto(&name, ret_length, ours, sizeof ours - 1, offered, length) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *ret_name = name;
    return SSL_TLSEXT_ERR_OK;
}

static enum status settle(SSL_CTX *context, struct error *err)
{
    static const unsigned char session_context[] = "dugnad";

    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
        SSL_CTX_set1_groups_list(context, "X25519:P-256") != 1 ||
        SSL_CTX_set_session_id_context(context, session_context, sizeof session_context - 1) != 1)
        return tls_failure(err, "OpenSSL refuses our settings");
    /* An end without close_notify is fine: our framing tells by itself what is whole. */
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(context, TICKET_LIFETIME_S);
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_max_early_data(context, 0);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    return STATUS_OK;
}

enum status http_tls_reload(struct http_tls *tls, struct error *err)
{
    CLEANUP(SSL_CTX_freep) SSL_CTX *context = NULL, *old = NULL;
    int64_t end_s = 0;

    ERR_clear_error();
    context = SSL_CTX_new(TLS_server_method());
    if (context == NULL)
        return tls_failure(err, "OpenSSL gives no context");
    TRY(settle(context, err));
    if (!tickets_use(&tls->tickets, context))
        return tls_failure(err, "OpenSSL refuses the keys of session tickets");
    TRY(use_certificate(tls, context, &end_s, err));
    TRY(use_key(tls, context, err));

    (void)pthread_mutex_lock(&tls->lock);
    old = tls->context;
    tls->context = TAKE(context);
    tls->end_s = end_s;
    (void)pthread_mutex_unlock(&tls->lock);
    return STATUS_OK;
}

enum status http_tls_new(const struct http_config *config, struct http_tls **ret_tls,
                         struct error *err)
{
    CLEANUP(http_tls_freep) struct http_tls *tls = must_alloc(1, sizeof *tls);

    tls->env = config->env;
    tls->certificate_path = text_copy(config->certificate_path);
    tls->key_path = text_copy(config->key_path);
    tickets_init(&tls->tickets, config->env, config->ticket_secret, config->ticket_secret_length);
    (void)pthread_mutex_init(&tls->lock, NULL);
    TRY(http_tls_reload(tls, err));
    *ret_tls = TAKE(tls);
    return STATUS_OK;
}

void http_tls_free(struct http_tls *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->context);
    (void)pthread_mutex_destroy(&tls->lock);
    free(tls->certificate_path);
    free(tls->key_path);
    tickets_clear(&tls->tickets);
    free(tls);
}

int64_t http_tls_end_s(struct http_tls *tls)
{
    int64_t end_s;

    (void)pthread_mutex_lock(&tls->lock);
    end_s = tls->end_s;
    (void)pthread_mutex_unlock(&tls->lock);
    return end_s;
}

SSL *http_tls_accept(struct http_tls *tls, int socket)
{
    SSL *ssl;

    ERR_clear_error();
    (void)pthread_mutex_lock(&tls->lock);
    ssl = SSL_new(tls->context);
    (void)pthread_mutex_unlock(&tls->lock);
    if (ssl != NULL && SSL_set_fd(ssl, socket) != 1) {
        SSL_free(ssl);
        ssl = NULL;
    }
    if (ssl != NULL)
        SSL_set_accept_state(ssl);
    return ssl;
}
