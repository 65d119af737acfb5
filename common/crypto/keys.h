/*
 * Ed25519 keys (RFC 8032). A public key is written "ed25519:" and 43 characters of base64url.
 *
 * Stricter than OpenSSL: public keys and signatures' R of small order or in a non-canonical
 * encoding are refused, and so is S not below the group's order. What a library itself cannot do
 * aborts the program.
 */
#ifndef COMMON_CRYPTO_KEYS_H
#define COMMON_CRYPTO_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct env;
struct disk;

#define PUBLIC_KEY_BYTES 32
#define PUBLIC_KEY_CHARS 51 /* of the written form */
#define KEY_SEED_BYTES   32
#define SIGNATURE_BYTES  64

/* All zero: no key (it is one of small order anyway). */
struct public_key {
    uint8_t bytes[PUBLIC_KEY_BYTES];
};

struct public_key_text {
    char text[PUBLIC_KEY_CHARS + 1];
};

/*
 * STATUS_INVALID, code "malformed": not the written form of a key; code "small-order-key": one that
 * must not be used.
 */
enum status public_key_parse(const char *text, struct public_key *ret_key, struct error *err)
    MUST_USE;

/* Use it in place: public_key_format(&key).text. */
struct public_key_text public_key_format(const struct public_key *key);

/* Canonical, on the curve as far as encoding tells, and not of small order. */
bool public_key_is_sound(const struct public_key *key);
bool public_key_is_none(const struct public_key *key);
bool public_key_equals(const struct public_key *a, const struct public_key *b);
int public_key_compare(const struct public_key *a, const struct public_key *b);

struct signature {
    uint8_t bytes[SIGNATURE_BYTES];
};

/* S is below the group's order, R canonical and not of small order: any signer makes it so. */
bool signature_is_sound(const struct signature *signature);

/* False: not this key's signature of these bytes, or an unsound key or signature. */
bool public_key_verify(const struct public_key *key, const void *bytes, size_t count,
                       const struct signature *signature);

/* Zeroed: none. Threads may sign with one at the same time. */
struct private_key {
    struct public_key public_key;
    struct evp_pkey_st *secret; /* owned */
};

void private_key_generate(struct private_key *ret_key, struct env *env);
void private_key_from_seed(struct private_key *ret_key, const uint8_t seed[KEY_SEED_BYTES]);
void private_key_clear(struct private_key *key); /* wipes it; for CLEANUP(), too */

struct signature private_key_sign(const struct private_key *key, const void *bytes, size_t count);

/*
 * PEM: PKCS#8, encrypted with AES-256 under scrypt (N 2^17, r 8, p 1) of the passphrase; without
 * one (NULL) unencrypted, for a machine's own key. Written durably with mode 0600.
 */
enum status private_key_save(const struct private_key *key, struct env *env, const char *path,
                             const char *passphrase, struct error *err) MUST_USE;

/*
 * STATUS_INVALID: the file is no Ed25519 key of ours. STATUS_FORBIDDEN: it needs a passphrase, or
 * this is the wrong one (code "passphrase"). Otherwise as struct disk says.
 */
enum status private_key_load(struct private_key *ret_key, struct disk *disk, const char *path,
                             const char *passphrase, struct error *err) MUST_USE;

/* In a time that depends on `count` alone. */
bool secret_equals(const void *a, const void *b, size_t count);

/* Zeroed in a way that compilers do not leave out. */
void secret_clear(void *bytes, size_t count);

#endif
