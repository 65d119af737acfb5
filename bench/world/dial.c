#include "bench/world/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"

#define HTTPS "https://"

static bool split(const char *url, struct dial_target *target, char *ret_port, size_t port_size)
{
    const char *host = url + strlen(HTTPS);
    size_t length = strcspn(host, "/?#");
    const char *bracket = *host == '[' ? memchr(host, ']', length) : NULL;
    const char *colon = memchr(bracket != NULL ? bracket : host, ':',
                               length - (size_t)(bracket != NULL ? bracket - host : 0));
    size_t name = colon != NULL ? (size_t)(colon - host) : length;

    if (!text_starts_with(url, HTTPS) || length == 0 || length >= sizeof target->authority)
        return false;
    memcpy(target->authority, host, length);
    target->authority[length] = '\0';
    if (bracket != NULL) {
        host++;
        name -= 2;
    }
    if (name == 0 || name >= sizeof target->host)
        return false;
    memcpy(target->host, host, name);
    target->host[name] = '\0';
    return text_fit(ret_port, port_size,
                    colon != NULL ? strrchr(target->authority, ':') + 1 : "443");
}

enum status dial_find(const char *url, struct dial_target *ret_target, struct error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    struct dial_target target = {0};
    char port[8];

    if (!split(url, &target, port, sizeof port))
        return error_set(err, STATUS_INVALID, "%.100s is not a URL such as https://host:8443", url);
    if (getaddrinfo(target.host, port, &hints, &found) != 0)
        return error_set(err, STATUS_UNREACHABLE, "there is no address of %.100s", target.host);
    memcpy(&target.address, found->ai_addr, found->ai_addrlen);
    target.address_length = found->ai_addrlen;
    freeaddrinfo(found);
    *ret_target = target;
    return STATUS_OK;
}

enum status dial_context(const char *ca, SSL_CTX **ret_context, struct error *err)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    bool is_loaded;

    if (context == NULL)
        abort();
    is_loaded = ca != NULL ? SSL_CTX_load_verify_file(context, ca) == 1
                           : SSL_CTX_set_default_verify_paths(context) == 1;
    if (!is_loaded) {
        SSL_CTX_free(context);
        ERR_clear_error();
        return error_set(err, STATUS_INVALID, "%.150s is not a PEM file of certificates",
                         ca != NULL ? ca : "the system's store");
    }
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    (void)SSL_CTX_set_mode(context,
                           SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    *ret_context = context;
    return STATUS_OK;
}

void dial_context_free(SSL_CTX *context)
{
    SSL_CTX_free(context);
}

static void begin_tls(struct dial *dial, const struct dial_target *target, SSL_CTX *context)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(target->host);
    bool is_address = address != NULL;

    ASN1_OCTET_STRING_free(address);
    ERR_clear_error();
    dial->tls = SSL_new(context);
    if (dial->tls == NULL || SSL_set_fd(dial->tls, dial->descriptor) != 1)
        abort();
    if (is_address)
        (void)X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(dial->tls), target->host);
    else
        (void)(SSL_set1_host(dial->tls, target->host) == 1 &&
               SSL_set_tlsext_host_name(dial->tls, target->host) == 1);
    SSL_set_connect_state(dial->tls);
}

enum status dial_open(struct dial *dial, const struct dial_target *target, SSL_CTX *context,
                      struct error *err)
{
    int on = 1;

    *dial = (struct dial){.descriptor = socket(target->address.ss_family,
                                               SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (dial->descriptor < 0)
        return error_set(err, STATUS_FULL, "no more connections: %s", strerror(errno));
    (void)setsockopt(dial->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(dial->descriptor, (const struct sockaddr *)&target->address,
                target->address_length) != 0 &&
        errno != EINPROGRESS) {
        (void)close(dial->descriptor);
        return error_set(err, STATUS_UNREACHABLE, "cannot connect: %s", strerror(errno));
    }
    dial->state = DIAL_CONNECTING;
    begin_tls(dial, target, context);
    return STATUS_OK;
}

void dial_close(struct dial *dial)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};

    if (dial->state == DIAL_CLOSED)
        return;
    if (dial->state == DIAL_OPEN) {
        ERR_clear_error();
        (void)SSL_shutdown(dial->tls);
    }
    SSL_free(dial->tls);
    ERR_clear_error();
    (void)setsockopt(dial->descriptor, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    (void)close(dial->descriptor);
    *dial = (struct dial){0};
}

static enum dial_result outcome(const struct dial *dial, int returned)
{
    int why;

    if (returned > 0)
        return DIAL_DONE;
    why = SSL_get_error(dial->tls, returned);
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? DIAL_WAIT : DIAL_BROKEN;
}

static enum dial_result finish_connect(struct dial *dial)
{
    int problem = 0;
    socklen_t length = sizeof problem;
    struct sockaddr_storage peer;
    socklen_t peer_length = sizeof peer;

    if (getsockopt(dial->descriptor, SOL_SOCKET, SO_ERROR, &problem, &length) != 0 || problem != 0)
        return DIAL_BROKEN;
    if (getpeername(dial->descriptor, (struct sockaddr *)&peer, &peer_length) != 0)
        return DIAL_WAIT;
    dial->state = DIAL_SHAKING;
    return DIAL_DONE;
}

enum dial_result dial_advance(struct dial *dial)
{
    enum dial_result result = DIAL_DONE;

    if (dial->state == DIAL_CONNECTING)
        result = finish_connect(dial);
    if (result != DIAL_DONE || dial->state == DIAL_OPEN)
        return result;
    ERR_clear_error();
    result = outcome(dial, SSL_do_handshake(dial->tls));
    if (result == DIAL_DONE)
        dial->state = DIAL_OPEN;
    return result;
}

enum dial_result dial_send(struct dial *dial, const char *bytes, size_t count, size_t *ret_count)
{
    *ret_count = 0;
    ERR_clear_error();
    return outcome(dial, SSL_write_ex(dial->tls, bytes, count, ret_count));
}

enum dial_result dial_receive(struct dial *dial, char *ret_bytes, size_t room, size_t *ret_count)
{
    *ret_count = 0;
    ERR_clear_error();
    return outcome(dial, SSL_read_ex(dial->tls, ret_bytes, room, ret_count));
}

void dial_explain(const struct dial *dial, struct error *err)
{
    long verdict = dial->tls != NULL ? SSL_get_verify_result(dial->tls) : X509_V_OK;

    if (verdict != X509_V_OK)
        (void)error_set(err, STATUS_UNTRUSTED, "the server's certificate: %s",
                        X509_verify_cert_error_string(verdict));
    else if (dial->state != DIAL_OPEN)
        (void)error_set(err, STATUS_UNREACHABLE, "no connection to the server");
    else
        (void)error_set(err, STATUS_UNREACHABLE, "the connection broke");
}
