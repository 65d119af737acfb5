#include "common/crypto/keys.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <sodium/core.h>
#include <sodium/crypto_sign.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/env.h"
#include "common/base/text.h"
#include "common/crypto/base64.h"

static const char prefix[] = "ed25519:";
#define PREFIX_CHARS (sizeof prefix - 1)

/* Little-endian, like everything in RFC 8032. */
static const uint8_t field_prime[32] = {
    0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
};
static const uint8_t group_order[32] = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10,
};

/* The y of the eight points whose order divides 8; x and -x share one. */
static const uint8_t small_order[][32] = {
    {0},    /* order 4 */
    {0x01}, /* order 1: the neutral element */
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}, /* order 2: -1 */
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05}, /* order 8 */
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}, /* order 8 */
};

static bool is_below(const uint8_t number[32], const uint8_t bound[32])
{
    for (size_t i = 32; i-- > 0;)
        if (number[i] != bound[i])
            return number[i] < bound[i];
    return false;
}

/*
 * The encoding of a point is y with the sign of x in its highest bit. Sound: y is reduced, and the
 * point is none of small order. That also rules out the two encodings of "minus zero" as x, for
 * x is 0 at the points of order 1 and 2 only.
 */
static bool is_sound_point(const uint8_t point[32])
{
    uint8_t y[32];

    memcpy(y, point, sizeof y);
    y[31] &= 0x7f;
    if (!is_below(y, field_prime))
        return false;
    for (size_t i = 0; i < sizeof small_order / sizeof *small_order; i++)
        if (memcmp(y, small_order[i], sizeof y) == 0)
            return false;
    return true;
}

enum status public_key_parse(const char *text, struct public_key *ret_key, struct error *err)
{
    struct public_key key;

    if (!text_starts_with(text, prefix) ||
        !base64url_decode(text + PREFIX_CHARS, strlen(text + PREFIX_CHARS), key.bytes,
                          sizeof key.bytes)) {
        (void)error_set(err, STATUS_INVALID,
                        "a public key is ed25519: and 43 characters of base64url");
        error_code(err, "malformed");
        return STATUS_INVALID;
    }
    if (!public_key_is_sound(&key)) {
        (void)error_set(err, STATUS_INVALID, "the public key protects nothing: its order is small");
        error_code(err, "small-order-key");
        return STATUS_INVALID;
    }
    *ret_key = key;
    return STATUS_OK;
}

struct public_key_text public_key_format(const struct public_key *key)
{
    struct public_key_text written;

    memcpy(written.text, prefix, PREFIX_CHARS);
    base64url_encode(key->bytes, sizeof key->bytes, written.text + PREFIX_CHARS);
    return written;
}

bool public_key_is_sound(const struct public_key *key)
{
    return is_sound_point(key->bytes);
}

bool public_key_is_none(const struct public_key *key)
{
    static const struct public_key none;

    return public_key_equals(key, &none);
}

bool public_key_equals(const struct public_key *a, const struct public_key *b)
{
    return public_key_compare(a, b) == 0;
}

int public_key_compare(const struct public_key *a, const struct public_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

bool signature_is_sound(const struct signature *signature)
{
    return is_sound_point(signature->bytes) && is_below(signature->bytes + 32, group_order);
}

static void wake_sodium(void)
{
    if (sodium_init() < 0)
        abort();
}

/* By libsodium: OpenSSL 3.0 takes twice its time, and this is what a server does most. What either
 * accepts is the same once soundness is looked at, which is a rule of ours and not a library's. */
bool public_key_verify(const struct public_key *key, const void *bytes, size_t count,
                       const struct signature *signature)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (!public_key_is_sound(key) || !signature_is_sound(signature))
        return false;
    if (pthread_once(&once, wake_sodium) != 0)
        abort();
    return crypto_sign_verify_detached(signature->bytes, bytes, count, key->bytes) == 0;
}

void private_key_generate(struct private_key *ret_key, struct env *env)
{
    uint8_t seed[KEY_SEED_BYTES];

    env->random(env, seed, sizeof seed);
    private_key_from_seed(ret_key, seed);
    secret_clear(seed, sizeof seed);
}

void private_key_from_seed(struct private_key *ret_key, const uint8_t seed[KEY_SEED_BYTES])
{
    EVP_PKEY *secret = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, KEY_SEED_BYTES);
    size_t count = PUBLIC_KEY_BYTES;

    *ret_key = (struct private_key){.secret = secret};
    if (secret == NULL ||
        EVP_PKEY_get_raw_public_key(secret, ret_key->public_key.bytes, &count) != 1)
        abort();
}

void private_key_clear(struct private_key *key)
{
    EVP_PKEY_free(key->secret); /* wipes it */
    *key = (struct private_key){0};
}

struct signature private_key_sign(const struct private_key *key, const void *bytes, size_t count)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    struct signature signature;
    size_t written = sizeof signature.bytes;

    if (context == NULL || EVP_DigestSignInit(context, NULL, NULL, NULL, key->secret) != 1 ||
        EVP_DigestSign(context, signature.bytes, &written, bytes, count) != 1 ||
        written != sizeof signature.bytes)
        abort();
    EVP_MD_CTX_free(context);
    return signature;
}

bool secret_equals(const void *a, const void *b, size_t count)
{
    return CRYPTO_memcmp(a, b, count) == 0;
}

void secret_clear(void *bytes, size_t count)
{
    OPENSSL_cleanse(bytes, count);
}
