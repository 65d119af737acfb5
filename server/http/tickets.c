#include "server/http/tickets.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <string.h>

#include "common/base/env.h"
#include "common/crypto/keys.h"

#define NAME_BYTES 16 /* as OpenSSL has them */
#define IV_BYTES   16 /* of AES in CBC mode */

/* What a key is for: so none is any other's. */
enum part { PART_NAME = 1, PART_CIPHER = 2, PART_MAC = 3 };

struct ticket_key {
    struct digest name; /* its first NAME_BYTES */
    struct digest cipher, mac;
};

void tickets_init(struct tickets *tickets, struct env *env, const void *secret, size_t count)
{
    static const char label[] = "dugnad session tickets";

    *tickets = (struct tickets){.env = env};
    if (count > 0)
        tickets->secret = digest_hmac(secret, count, label, sizeof label - 1);
}

void tickets_clear(struct tickets *tickets)
{
    secret_clear(&tickets->secret, sizeof tickets->secret);
}

static struct digest derive(const struct tickets *tickets, int64_t epoch, enum part part)
{
    const int64_t words[2] = {epoch, part};

    return digest_hmac(tickets->secret.bytes, DIGEST_BYTES, words, sizeof words);
}

static void key_make(const struct tickets *tickets, int64_t epoch, struct ticket_key *ret_key)
{
    ret_key->name = derive(tickets, epoch, PART_NAME);
    ret_key->cipher = derive(tickets, epoch, PART_CIPHER);
    ret_key->mac = derive(tickets, epoch, PART_MAC);
}

static bool use_mac(const struct ticket_key *key, EVP_MAC_CTX *mac)
{
    static char sha256[] = "SHA256";
    struct digest bytes = key->mac;
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, bytes.bytes, DIGEST_BYTES),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, sha256, 0),
        OSSL_PARAM_construct_end(),
    };
    bool is_fine = EVP_MAC_CTX_set_params(mac, parameters) == 1;

    secret_clear(&bytes, sizeof bytes);
    return is_fine;
}

static int seal(const struct tickets *tickets, unsigned char *ret_name, unsigned char *ret_iv,
                EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct ticket_key key;
    bool is_fine;

    key_make(tickets, tickets->env->now_s(tickets->env) / TICKETS_EPOCH_S, &key);
    tickets->env->random(tickets->env, ret_iv, IV_BYTES);
    memcpy(ret_name, key.name.bytes, NAME_BYTES);
    is_fine = EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher.bytes, ret_iv) == 1 &&
              use_mac(&key, mac);
    secret_clear(&key, sizeof key);
    return is_fine ? 1 : -1;
}

/* The key of that name: this epoch's, the last one's, or (of a server whose clock is ahead) the
 * next one's. */
static bool find_key(const struct tickets *tickets, const unsigned char *name,
                     struct ticket_key *ret_key)
{
    int64_t epoch = tickets->env->now_s(tickets->env) / TICKETS_EPOCH_S;

    for (int64_t i = epoch + 1; i >= epoch - 1; i--) {
        key_make(tickets, i, ret_key);
        if (memcmp(ret_key->name.bytes, name, NAME_BYTES) == 0)
            return true;
    }
    return false;
}

/* 0: a full handshake. 2: resumed, and with a new ticket, so that none is shown twice. */
static int open_ticket(const struct tickets *tickets, const unsigned char *name,
                       const unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct ticket_key key;
    int outcome = 0;

    if (find_key(tickets, name, &key))
        outcome = EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, key.cipher.bytes, iv) == 1 &&
                          use_mac(&key, mac)
                      ? 2
                      : -1;
    secret_clear(&key, sizeof key);
    return outcome;
}

static int handle(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                  EVP_MAC_CTX *mac, int is_sealing)
{
    const struct tickets *tickets = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    return is_sealing ? seal(tickets, name, iv, cipher, mac)
                      : open_ticket(tickets, name, iv, cipher, mac);
}

bool tickets_use(struct tickets *tickets, SSL_CTX *context)
{
    if (digest_is_none(&tickets->secret))
        return true;
    return SSL_CTX_set_app_data(context, tickets) == 1 &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(context, handle) == 1;
}
