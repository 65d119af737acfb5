#include "tests/support/raw_site.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/text.h"

#define HOUR_S 3600L

struct pair {
    X509 *certificate;
    EVP_PKEY *key;
};

static void extend(X509 *certificate, int kind, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);

    cr_assert(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static struct pair make(const char *name, const struct pair *issuer, long from_s, long until_s)
{
    static long serial = 1;
    struct pair pair = {.certificate = X509_new(), .key = EVP_EC_gen("P-256")};
    X509 *it = pair.certificate;

    cr_assert(it != NULL && pair.key != NULL && X509_set_version(it, X509_VERSION_3) == 1);
    cr_assert(ASN1_INTEGER_set(X509_get_serialNumber(it), serial++) == 1);
    cr_assert(X509_gmtime_adj(X509_getm_notBefore(it), from_s) != NULL);
    cr_assert(X509_gmtime_adj(X509_getm_notAfter(it), until_s) != NULL);
    cr_assert(X509_NAME_add_entry_by_txt(X509_get_subject_name(it), "CN", MBSTRING_ASC,
                                         (const unsigned char *)name, -1, -1, 0) == 1);
    cr_assert(X509_set_issuer_name(
                  it, X509_get_subject_name(issuer != NULL ? issuer->certificate : it)) == 1);
    cr_assert(X509_set_pubkey(it, pair.key) == 1);
    return pair;
}

static void seal(struct pair *pair, const struct pair *issuer)
{
    cr_assert(X509_sign(pair->certificate, issuer != NULL ? issuer->key : pair->key, EVP_sha256()) >
              0);
}

static void pair_clear(struct pair *pair)
{
    X509_free(pair->certificate);
    EVP_PKEY_free(pair->key);
}

static char *pem_of(X509 *certificate)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *bytes, *copy;
    long length;

    cr_assert(PEM_write_bio_X509(memory, certificate) == 1);
    length = BIO_get_mem_data(memory, &bytes);
    copy = text_copy_n(bytes, (size_t)length);
    BIO_free_all(memory);
    return copy;
}

static void make_certificates(struct raw_site *site, const struct raw_site_plan *plan)
{
    struct pair ca = make("A test's own CA", NULL, -HOUR_S, 24 * HOUR_S);
    struct pair *issuer = plan->is_self_signed ? NULL : &ca;
    struct pair leaf = make("a site", issuer, plan->is_not_yet ? HOUR_S : -2 * HOUR_S,
                            plan->is_expired ? -HOUR_S : 2 * HOUR_S);

    extend(ca.certificate, NID_basic_constraints, "critical,CA:TRUE");
    extend(ca.certificate, NID_key_usage, "critical,keyCertSign");
    seal(&ca, NULL);
    extend(leaf.certificate, NID_subject_alt_name,
           plan->names != NULL ? plan->names : "DNS:localhost,IP:127.0.0.1");
    seal(&leaf, issuer);
    site->ca_pem = pem_of(ca.certificate);
    cr_assert(SSL_CTX_use_certificate(site->tls, leaf.certificate) == 1);
    cr_assert(SSL_CTX_use_PrivateKey(site->tls, leaf.key) == 1);
    if (issuer != NULL && !plan->hides_ca) {
        cr_assert(X509_up_ref(ca.certificate) == 1);
        cr_assert(SSL_CTX_add_extra_chain_cert(site->tls, ca.certificate) == 1);
    }
    pair_clear(&leaf);
    pair_clear(&ca);
}

static size_t announced(const char *head)
{
    const char *field = strcasestr(head, "\r\nContent-Length:");

    return field != NULL ? strtoul(field + 17, NULL, 10) : 0;
}

/* False: the client left before its request was whole. */
static bool read_request(SSL *ssl, char *ret_request)
{
    size_t length = 0;
    char *body;
    int got;

    while ((got = SSL_read(ssl, ret_request + length, (int)(RAW_SITE_REQUEST_MAX - 1 - length))) >
           0) {
        length += (size_t)got;
        ret_request[length] = '\0';
        body = strstr(ret_request, "\r\n\r\n");
        if (body != NULL && length - (size_t)(body + 4 - ret_request) >= announced(ret_request))
            return true;
    }
    return false;
}

static void serve(struct raw_site *site, int descriptor)
{
    SSL *ssl = SSL_new(site->tls);
    char *request = malloc(RAW_SITE_REQUEST_MAX);
    size_t length = 0;
    char *response;

    ERR_clear_error();
    cr_assert(SSL_set_fd(ssl, descriptor) == 1);
    if (SSL_accept(ssl) == 1 && read_request(ssl, request)) {
        response = site->answer(site->context, request, &length);
        site->requests++;
        if (response != NULL) {
            (void)SSL_write(ssl, response, (int)length);
            (void)SSL_shutdown(ssl);
        }
        free(response);
    }
    free(request);
    SSL_free(ssl);
    (void)close(descriptor);
}

static void *run(void *context)
{
    struct raw_site *site = context;
    struct pollfd both[2] = {{.fd = site->listener, .events = POLLIN},
                             {.fd = site->stop_pipe[0], .events = POLLIN}};

    for (;;) {
        int descriptor;

        (void)poll(both, 2, -1);
        if (both[1].revents != 0)
            return NULL;
        descriptor = accept(site->listener, NULL, NULL);
        if (descriptor >= 0)
            serve(site, descriptor);
    }
}

void raw_site_start(struct raw_site *site, const struct raw_site_plan *plan)
{
    static const struct raw_site_plan plain;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    site->tls = SSL_CTX_new(TLS_server_method());
    cr_assert(site->tls != NULL);
    make_certificates(site, plan != NULL ? plan : &plain);
    site->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(bind(site->listener, (struct sockaddr *)&address, sizeof address) == 0);
    cr_assert(listen(site->listener, 16) == 0);
    cr_assert(getsockname(site->listener, (struct sockaddr *)&address, &size) == 0);
    (void)snprintf(site->url, sizeof site->url, "https://127.0.0.1:%d", ntohs(address.sin_port));
    cr_assert(pipe(site->stop_pipe) == 0);
    cr_assert(pthread_create(&site->thread, NULL, run, site) == 0);
}

void raw_site_stop(struct raw_site *site)
{
    cr_assert(write(site->stop_pipe[1], "", 1) == 1);
    cr_assert(pthread_join(site->thread, NULL) == 0);
    (void)close(site->stop_pipe[0]);
    (void)close(site->stop_pipe[1]);
    (void)close(site->listener);
    SSL_CTX_free(site->tls);
    free(site->ca_pem);
}

char *raw_response(const char *status, const char *headers, const char *body, size_t *ret_length)
{
    char *text = text_format("HTTP/1.1 %s\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n%s",
                             status, strlen(body), headers, body);

    *ret_length = strlen(text);
    return text;
}
