/*
 * SHA-256 digests, written "sha256:" and 64 lower-case hexadecimal digits; and HMAC-SHA256.
 *
 * None of this fails: OpenSSL not being able to hash aborts the program. All functions may be
 * called from several threads at a time.
 */
#ifndef COMMON_CRYPTO_DIGEST_H
#define COMMON_CRYPTO_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_BYTES 32
#define DIGEST_CHARS 71 /* of the written form */

/* All zero: no digest. */
struct digest {
    uint8_t bytes[DIGEST_BYTES];
};

struct digest_text {
    char text[DIGEST_CHARS + 1];
};

/* False, and *ret_digest untouched, unless `text` is exactly one digest (not that of all zeros). */
bool digest_parse(const char *text, struct digest *ret_digest);

/* Use it in place: digest_format(&digest).text. None is written "". */
struct digest_text digest_format(const struct digest *digest);

bool digest_is_none(const struct digest *digest);
bool digest_equals(const struct digest *a, const struct digest *b);

/* Bytewise order, for qsort() and bsearch(). */
int digest_compare(const struct digest *a, const struct digest *b);

struct digest digest_of(const void *bytes, size_t count);

/* Piece by piece: init, add …, end; clear releases it at any time and may be repeated. */
struct hasher {
    struct evp_md_ctx_st *context; /* owned */
};

void hasher_init(struct hasher *hasher);
void hasher_add(struct hasher *hasher, const void *bytes, size_t count);

/* The digest of what was added; then the hasher starts anew. */
struct digest hasher_end(struct hasher *hasher);
void hasher_clear(struct hasher *hasher); /* for CLEANUP(), too */

/* HMAC-SHA256 (RFC 2104). */
struct digest digest_hmac(const void *key, size_t key_count, const void *bytes, size_t count);

#endif
