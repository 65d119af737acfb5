#include "common/crypto/digest.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

static const char prefix[] = "sha256:";
#define PREFIX_CHARS (sizeof prefix - 1)

/* Fetched once: the implicit fetch of EVP_sha256() costs half as much again per small digest. */
static EVP_MD *sha256;
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (sha256 == NULL)
        abort();
}

static const EVP_MD *algorithm(void)
{
    if (pthread_once(&fetched, fetch) != 0)
        abort();
    return sha256;
}

bool digest_parse(const char *text, struct digest *ret_digest)
{
    struct digest digest;

    if (strncmp(text, prefix, PREFIX_CHARS) != 0 ||
        !text_to_exact_bytes(text + PREFIX_CHARS, DIGEST_BYTES, digest.bytes) ||
        digest_is_none(&digest))
        return false;
    *ret_digest = digest;
    return true;
}

struct digest_text digest_format(const struct digest *digest)
{
    struct digest_text written = {.text = ""};

    if (digest_is_none(digest))
        return written;
    memcpy(written.text, prefix, PREFIX_CHARS);
    text_from_bytes(digest->bytes, DIGEST_BYTES, written.text + PREFIX_CHARS);
    return written;
}

bool digest_is_none(const struct digest *digest)
{
    static const struct digest none;

    return digest_equals(digest, &none);
}

bool digest_equals(const struct digest *a, const struct digest *b)
{
    return digest_compare(a, b) == 0;
}

int digest_compare(const struct digest *a, const struct digest *b)
{
    return memcmp(a->bytes, b->bytes, DIGEST_BYTES);
}

struct digest digest_of(const void *bytes, size_t count)
{
    struct digest digest;

    if (EVP_Digest(bytes, count, digest.bytes, NULL, algorithm(), NULL) != 1)
        abort();
    return digest;
}

void hasher_init(struct hasher *hasher)
{
    *hasher = (struct hasher){.context = EVP_MD_CTX_new()};
    if (hasher->context == NULL || EVP_DigestInit_ex2(hasher->context, algorithm(), NULL) != 1)
        abort();
}

void hasher_add(struct hasher *hasher, const void *bytes, size_t count)
{
    if (EVP_DigestUpdate(hasher->context, bytes, count) != 1)
        abort();
}

struct digest hasher_end(struct hasher *hasher)
{
    struct digest digest;

    if (EVP_DigestFinal_ex(hasher->context, digest.bytes, NULL) != 1 ||
        EVP_DigestInit_ex2(hasher->context, algorithm(), NULL) != 1)
        abort();
    return digest;
}

void hasher_clear(struct hasher *hasher)
{
    EVP_MD_CTX_free(hasher->context);
    *hasher = (struct hasher){0};
}

struct digest digest_hmac(const void *key, size_t key_count, const void *bytes, size_t count)
{
    struct digest digest;
    size_t written;

    if (EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, key_count, bytes, count, digest.bytes,
                  sizeof digest.bytes, &written) == NULL ||
        written != sizeof digest.bytes)
        abort();
    return digest;
}
