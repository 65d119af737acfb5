/*
 * A site's TLS certificates: its own authority and the server's certificate made by it (ECDSA
 * P-256), or what is to be known of the ones an operator brought.
 */
#ifndef SERVER_SITE_CERTIFICATE_H
#define SERVER_SITE_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/crypto/digest.h"

struct disk;
struct env;

#define CERTIFICATE_CA_DAYS   3650
#define CERTIFICATE_DAYS      397 /* the most that browsers take */
#define CERTIFICATE_MAX_BYTES (64 * 1024)
#define CERTIFICATE_HOST_MAX  253

/* The host of "https://HOST" or "https://HOST:PORT", an IPv6 address without its brackets. */
struct certificate_host {
    char text[CERTIFICATE_HOST_MAX + 1];
};
enum status certificate_host_of(const char *url, struct certificate_host *ret_host,
                                struct error *err) MUST_USE;

/* Paths of a certificate and its key, PEM. */
struct certificate_pair {
    const char *certificate;
    const char *key;
};

/* A new authority, which signs for nobody but this site's servers. Files are written durably. */
enum status certificate_make_ca(struct env *env, const char *name,
                                const struct certificate_pair *ret_files, struct error *err)
    MUST_USE;

/*
 * A new certificate for `host` by that authority, followed by the authority's own and the key: all
 * in one file, so that no crash can part a renewed certificate from its key.
 */
enum status certificate_make(struct env *env, const struct certificate_pair *ca,
                             const struct certificate_host *host, const char *path,
                             struct error *err) MUST_USE;

/* Of the first certificate in a file. */
struct certificate_facts {
    int64_t begins_s;
    int64_t ends_s;
    struct digest digest; /* SHA-256 of its DER form, as keyrings list authorities */
    bool names_host;      /* it was made for the host asked about */
};

/* `host` NULL: do not ask. */
enum status certificate_look(struct disk *disk, const char *path,
                             const struct certificate_host *host,
                             struct certificate_facts *ret_facts, struct error *err) MUST_USE;

/* STATUS_INVALID: the key is that of another certificate. */
enum status certificate_check_key(struct disk *disk, const struct certificate_pair *files,
                                  struct error *err) MUST_USE;

#endif
