/*
 * Private keys in files. The two forms of PKCS#8 that an Ed25519 key of ours takes are of fixed
 * length, so they are written and matched as templates: a file that is anything else is refused
 * without a parser of ASN.1. OpenSSL's own reader of encrypted keys is no help here: it refuses
 * scrypt beyond 32 MiB of memory, and N = 2^17 with r = 8 takes 128 MiB.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/disk.h"
#include "common/base/env.h"
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "common/crypto/keys.h"

#define FILE_MAX_BYTES 1024

#define SCRYPT_N   (UINT64_C(1) << 17)
#define SCRYPT_R   8
#define SCRYPT_P   1
#define SCRYPT_MAX (UINT64_C(160) << 20) /* bytes of memory */

#define SALT_BYTES   16
#define IV_BYTES     16
#define CIPHER_BYTES 64 /* the plain form and its padding */

/* RFC 8410: PrivateKeyInfo of id-Ed25519, up to its last 32 bytes: the seed. */
static const uint8_t plain_head[] = {
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
};
#define PLAIN_BYTES (sizeof plain_head + KEY_SEED_BYTES)

/* RFC 5958, 8018 and 7914: EncryptedPrivateKeyInfo under PBES2 with scrypt; the salt follows ... */
static const uint8_t salt_head[] = {
    0x30, 0x81, 0x9f, 0x30, 0x5b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7,
    0x0d, 0x01, 0x05, 0x0d, 0x30, 0x4e, 0x30, 0x2d, 0x06, 0x09, 0x2b, 0x06,
    0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b, 0x30, 0x20, 0x04, 0x10,
};

/* ... then N, r, p, the key's length and AES-256-CBC; its initial vector follows ... */
static const uint8_t iv_head[] = {
    0x02, 0x03, 0x02, 0x00, 0x00, 0x02, 0x01, 0x08, 0x02, 0x01, 0x01, 0x02, 0x01, 0x20, 0x30,
    0x1d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a, 0x04, 0x10,
};

/* ... then what is encrypted. */
static const uint8_t cipher_head[] = {0x04, 0x40};

struct locked_key {
    uint8_t salt_head[sizeof salt_head];
    uint8_t salt[SALT_BYTES];
    uint8_t iv_head[sizeof iv_head];
    uint8_t iv[IV_BYTES];
    uint8_t cipher_head[sizeof cipher_head];
    uint8_t cipher[CIPHER_BYTES];
};

struct plain_key {
    uint8_t head[sizeof plain_head];
    uint8_t seed[KEY_SEED_BYTES];
};

_Static_assert(sizeof(struct locked_key) == 162 && sizeof(struct plain_key) == 48,
               "DER has no gaps");

static void plain_key_wipe(struct plain_key *plain)
{
    secret_clear(plain, sizeof *plain);
}

static void buffer_wipe(struct buffer *buffer)
{
    if (buffer->bytes != NULL)
        secret_clear(buffer->bytes, buffer->capacity);
    buffer_clear(buffer);
}

/* AES-256-CBC under the key that scrypt makes of the passphrase. False: wrong passphrase. */
static bool crypt_key(const struct locked_key *locked, const char *passphrase, bool is_encrypting,
                      const uint8_t *from, size_t count, uint8_t *ret_to, size_t *ret_count)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    uint8_t key[32];
    int first = 0, last = 0;
    bool is_done;

    if (context == NULL ||
        EVP_PBE_scrypt(passphrase, strlen(passphrase), locked->salt, sizeof locked->salt, SCRYPT_N,
                       SCRYPT_R, SCRYPT_P, SCRYPT_MAX, key, sizeof key) != 1 ||
        EVP_CipherInit_ex2(context, EVP_aes_256_cbc(), key, locked->iv, is_encrypting, NULL) != 1)
        abort();
    is_done = EVP_CipherUpdate(context, ret_to, &first, from, (int)count) == 1 &&
              EVP_CipherFinal_ex(context, ret_to + first, &last) == 1;
    EVP_CIPHER_CTX_free(context);
    secret_clear(key, sizeof key);
    *ret_count = (size_t)(first + last);
    return is_done;
}

static void lock_key(const struct plain_key *plain, struct env *env, const char *passphrase,
                     struct locked_key *ret_locked)
{
    uint8_t cipher[CIPHER_BYTES + EVP_MAX_BLOCK_LENGTH];
    size_t count;

    memcpy(ret_locked->salt_head, salt_head, sizeof salt_head);
    memcpy(ret_locked->iv_head, iv_head, sizeof iv_head);
    memcpy(ret_locked->cipher_head, cipher_head, sizeof cipher_head);
    env->random(env, ret_locked->salt, sizeof ret_locked->salt);
    env->random(env, ret_locked->iv, sizeof ret_locked->iv);
    if (!crypt_key(ret_locked, passphrase, true, (const uint8_t *)plain, sizeof *plain, cipher,
                   &count) ||
        count != CIPHER_BYTES)
        abort();
    memcpy(ret_locked->cipher, cipher, CIPHER_BYTES);
}

static enum status write_pem(const char *label, const void *der, size_t count,
                             struct buffer *ret_pem)
{
    char text[BASE64_CHARS(sizeof(struct locked_key)) + 1];
    size_t length;

    base64_encode(der, count, text);
    length = strlen(text);
    TRY(buffer_printf(ret_pem, NULL, "-----BEGIN %s-----\n", label));
    for (size_t at = 0; at < length; at += 64)
        TRY(buffer_printf(ret_pem, NULL, "%.64s\n", text + at));
    secret_clear(text, sizeof text);
    return buffer_printf(ret_pem, NULL, "-----END %s-----\n", label);
}

enum status private_key_save(const struct private_key *key, struct env *env, const char *path,
                             const char *passphrase, struct error *err)
{
    CLEANUP(buffer_wipe) struct buffer pem = {.max = FILE_MAX_BYTES};
    CLEANUP(plain_key_wipe) struct plain_key plain;
    struct locked_key locked;
    size_t count = sizeof plain.seed;
    enum status status;

    memcpy(plain.head, plain_head, sizeof plain_head);
    if (EVP_PKEY_get_raw_private_key(key->secret, plain.seed, &count) != 1)
        abort();
    if (passphrase != NULL) {
        lock_key(&plain, env, passphrase, &locked);
        status = write_pem("ENCRYPTED PRIVATE KEY", &locked, sizeof locked, &pem);
    } else {
        status = write_pem("PRIVATE KEY", &plain, sizeof plain, &pem);
    }
    if (status != STATUS_OK)
        abort(); /* the buffer has room for both */
    return env->disk->write(env->disk, path, pem.bytes, pem.length, 0600, err);
}

/* Exactly `count` bytes of DER between the two lines of this label. */
static bool read_pem(const char *pem, const char *label, void *ret_der, size_t count)
{
    CLEANUP(freep) char *head = text_format("-----BEGIN %s-----\n", label);
    CLEANUP(freep) char *tail = text_format("\n-----END %s-----\n", label);
    char text[FILE_MAX_BYTES + 1];
    size_t length = 0, written = 0;
    const char *end;
    bool is_read;

    if (!text_starts_with(pem, head))
        return false;
    pem += strlen(head);
    end = strstr(pem, tail);
    if (end == NULL || strcmp(end, tail) != 0)
        return false;
    for (; pem < end; pem++)
        if (*pem != '\n')
            text[length++] = *pem;
    is_read = base64_decode(text, length, ret_der, count, &written) && written == count;
    secret_clear(text, sizeof text);
    return is_read;
}

static enum status unlock_key(const struct locked_key *locked, const char *passphrase,
                              struct plain_key *ret_plain, struct error *err)
{
    uint8_t plain[CIPHER_BYTES + EVP_MAX_BLOCK_LENGTH];
    size_t count = 0;
    bool is_right;

    if (passphrase == NULL) {
        (void)error_set(err, STATUS_FORBIDDEN, "the key file needs its passphrase");
        error_code(err, "passphrase");
        return STATUS_FORBIDDEN;
    }
    is_right = crypt_key(locked, passphrase, false, locked->cipher, CIPHER_BYTES, plain, &count) &&
               count == sizeof *ret_plain && memcmp(plain, plain_head, sizeof plain_head) == 0;
    if (is_right)
        memcpy(ret_plain, plain, sizeof *ret_plain);
    secret_clear(plain, sizeof plain);
    if (is_right)
        return STATUS_OK;
    (void)error_set(err, STATUS_FORBIDDEN, "that is not the key file's passphrase");
    error_code(err, "passphrase");
    return STATUS_FORBIDDEN;
}

static bool is_locked_key(const struct locked_key *locked)
{
    return memcmp(locked->salt_head, salt_head, sizeof salt_head) == 0 &&
           memcmp(locked->iv_head, iv_head, sizeof iv_head) == 0 &&
           memcmp(locked->cipher_head, cipher_head, sizeof cipher_head) == 0;
}

enum status private_key_load(struct private_key *ret_key, struct disk *disk, const char *path,
                             const char *passphrase, struct error *err)
{
    CLEANUP(buffer_wipe) struct buffer pem = {.max = FILE_MAX_BYTES};
    CLEANUP(plain_key_wipe) struct plain_key plain;
    struct locked_key locked;
    enum status status = disk->read(disk, path, &pem, err);

    if (status != STATUS_OK && status != STATUS_TOO_LARGE)
        return status;
    if (read_pem(buffer_text(&pem), "ENCRYPTED PRIVATE KEY", &locked, sizeof locked) &&
        is_locked_key(&locked)) {
        TRY(unlock_key(&locked, passphrase, &plain, err));
    } else if (!read_pem(buffer_text(&pem), "PRIVATE KEY", &plain, sizeof plain) ||
               memcmp(plain.head, plain_head, sizeof plain_head) != 0) {
        return error_set(err, STATUS_INVALID, "the file is not a private key of this program");
    }
    private_key_from_seed(ret_key, plain.seed);
    return STATUS_OK;
}
