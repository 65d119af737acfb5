/*
 * An authority and the certificate that it made for 127.0.0.1, as a site presents them: for the
 * fake site, whose network has no TLS. Valid from before SAMPLE_NOW_S on. Everything asserts.
 */
#ifndef TESTS_SUPPORT_FAKE_TLS_H
#define TESTS_SUPPORT_FAKE_TLS_H

#include "common/http/client.h"

struct fake_tls {
    char *ca_pem;            /* owned */
    struct digest ca;        /* as a keyring lists it */
    struct http_chain chain; /* the site's own certificate, then its authority's */
};

/* Another one each time. */
void fake_tls_make(struct fake_tls *ret_tls);
void fake_tls_clear(struct fake_tls *tls);

/* The site's own certificate, which is no authority; to be freed. */
char *fake_tls_leaf_pem(const struct fake_tls *tls);

/* Presented once more: a copy. */
void fake_tls_present(const struct fake_tls *tls, struct http_chain *ret_chain);

#endif
