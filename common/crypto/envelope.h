/*
 * DSSE v1 envelopes (github.com/secure-systems-lab/dsse, envelope.md and protocol.md):
 *
 *   {"payloadType": …, "payload": base64, "signatures": [{"keyid": …, "sig": base64}]}
 *
 * Signatures are Ed25519, made over PAE(type, payload). The payload's exact bytes are kept. What a
 * thing *is* is the SHA-256 of that PAE, its identity digest: the envelope's own bytes (order of
 * signatures, white space) identify nothing. Narrower than DSSE: base64 of the standard alphabet
 * only, no members beyond these, no other kind of key.
 */
#ifndef COMMON_CRYPTO_ENVELOPE_H
#define COMMON_CRYPTO_ENVELOPE_H

#include <jansson.h>

#include "common/base/buffer.h"
#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "common/crypto/keys.h"

#define ENVELOPE_TYPE_MAX       128
#define ENVELOPE_SIGNATURES_MAX 16
#define ENVELOPE_PAYLOAD_MAX    (64 * 1024)
#define ENVELOPE_KEYRING_MAX    (256 * 1024) /* payload of a keyring */

/* Most bytes of the JSON of an envelope whose payload has `payload_max`. */
#define ENVELOPE_MAX(payload_max) ((payload_max) / 3 * 4 + 8 * 1024)

struct envelope_signature {
    struct public_key hint; /* the `keyid`: who is said to have signed; none: not said */
    struct signature signature;
};

/* Zeroed: none. */
struct envelope {
    char type[ENVELOPE_TYPE_MAX + 1];
    char *payload; /* owned; NUL-terminated beyond its length */
    size_t payload_length;
    struct digest digest; /* its identity */
    size_t signature_count;
    struct envelope_signature signatures[ENVELOPE_SIGNATURES_MAX];
};

/* Unsigned, with a copy of the payload. `type` has up to ENVELOPE_TYPE_MAX characters. */
void envelope_init(struct envelope *envelope, const char *type, const char *payload,
                   size_t payload_length);
void envelope_clear(struct envelope *envelope); /* for CLEANUP(), too */

/*
 * Strict: exactly these members, 1..16 signatures of 64 bytes, `keyid` absent, empty or a public
 * key's text. STATUS_TOO_LARGE: the payload exceeds payload_max. STATUS_INVALID: anything else, the
 * code says what. Nothing is verified yet.
 */
enum status envelope_decode(const char *bytes, size_t length, size_t payload_max,
                            struct envelope *ret_envelope, struct error *err) MUST_USE;

/* The same from JSON that is part of a message. */
enum status envelope_from_json(json_t *json, size_t payload_max, struct envelope *ret_envelope,
                               struct error *err) MUST_USE;

/* A new reference; free with json_decref(). Never NULL. */
json_t *envelope_to_json(const struct envelope *envelope);

/* Compact JSON, to be freed. Never NULL. */
char *envelope_encode(const struct envelope *envelope);

/* Add this key's signature, in place of an earlier one. STATUS_TOO_LARGE: there are 16 already. */
enum status envelope_sign(struct envelope *envelope, const struct private_key *key,
                          struct error *err) MUST_USE;

/* A signature is there that says to be this key's, or does not say whose it is. */
bool envelope_may_be_by(const struct envelope *envelope, const struct public_key *key);

/* A signature by this key is there and valid. */
bool envelope_is_signed_by(const struct envelope *envelope, const struct public_key *key);

/*
 * How many *distinct* ones of these keys have a valid signature here. A hint narrows down which key
 * a signature is tried with, and can do no more.
 */
size_t envelope_count_signers(const struct envelope *envelope, const struct public_key *keys,
                              size_t key_count);

/* "DSSEv1 <type length> <type> <payload length> <payload>", the bytes that are signed. Free it. */
char *envelope_pae(const char *type, const char *payload, size_t payload_length,
                   size_t *ret_length);

/* The identity of a payload of that type. */
struct digest envelope_identity(const char *type, const char *payload, size_t payload_length);

#endif
