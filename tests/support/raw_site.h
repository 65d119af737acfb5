/*
 * A TLS server on loopback that says to each request, byte for byte, what the test wants: for the
 * tests of clients. It has a CA of its own. Everything asserts; one thread, one request per
 * connection.
 */
#ifndef TESTS_SUPPORT_RAW_SITE_H
#define TESTS_SUPPORT_RAW_SITE_H

#include <openssl/types.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define RAW_SITE_REQUEST_MAX 262144

struct raw_site_plan {
    const char *names;   /* of the certificate; NULL: "DNS:localhost,IP:127.0.0.1" */
    bool is_expired;     /* since an hour */
    bool is_not_yet;     /* in an hour */
    bool hides_ca;       /* present the server's certificate alone */
    bool is_self_signed; /* no CA at all */
};

struct raw_site {
    char url[64]; /* https://127.0.0.1:port */
    char *ca_pem; /* owned */
    int listener;
    SSL_CTX *tls;
    pthread_t thread;
    int stop_pipe[2];

    /*
     * What to say to a request (NUL-terminated, body included): all bytes of the response, to be
     * freed; NULL: hang up. Called on the server's thread.
     */
    char *(*answer)(void *context, const char *request, size_t *ret_length);
    void *context;
    int requests; /* answered; read it after stopping, or between exchanges */
};

/* Set `answer` and `context` before. */
void raw_site_start(struct raw_site *site, const struct raw_site_plan *plan);
void raw_site_stop(struct raw_site *site);

/* A response of these header lines (each with "\r\n") and this body, with its length. */
char *raw_response(const char *status, const char *headers, const char *body, size_t *ret_length);

#endif
