#include "server/api/challenge.h"

#include <string.h>

#include "common/base/env.h"
#include "common/crypto/base64.h"

#define TIME_BYTES   8
#define RANDOM_BYTES 16
#define PLAIN_BYTES  (TIME_BYTES + RANDOM_BYTES)
#define ALL_BYTES    (PLAIN_BYTES + DIGEST_BYTES)

static struct digest authenticate(const struct site_secret *secret, const uint8_t *plain,
                                  const char *prefix)
{
    static const char purpose[] = "dugnad-challenge-v1\n";
    CLEANUP(buffer_clear) struct buffer bytes = {.max = 256};

    (void)buffer_append(&bytes, purpose, sizeof purpose - 1, NULL);
    (void)buffer_append(&bytes, plain, PLAIN_BYTES, NULL);
    (void)buffer_append(&bytes, prefix, strlen(prefix), NULL);
    return digest_hmac(secret->bytes, sizeof secret->bytes, bytes.bytes, bytes.length);
}

static void put_time(uint8_t *bytes, int64_t time_s)
{
    for (int i = 0; i < TIME_BYTES; i++)
        bytes[i] = (uint8_t)((uint64_t)time_s >> (8 * (TIME_BYTES - 1 - i)));
}

static int64_t get_time(const uint8_t *bytes)
{
    uint64_t time = 0;

    for (int i = 0; i < TIME_BYTES; i++)
        time = time << 8 | bytes[i];
    return (int64_t)time;
}

void challenge_make(const struct site_secret *secret, struct env *env, const char *prefix,
                    struct challenge_reply *ret_reply)
{
    int64_t now_s = env->now_s(env);
    struct challenge *challenge = &ret_reply->challenge;
    struct digest proof;

    *ret_reply = (struct challenge_reply){.expires_s = now_s + CHALLENGE_LIFE_S};
    put_time(challenge->bytes, now_s);
    env->random(env, challenge->bytes + TIME_BYTES, RANDOM_BYTES);
    proof = authenticate(secret, challenge->bytes, prefix);
    memcpy(challenge->bytes + PLAIN_BYTES, proof.bytes, DIGEST_BYTES);
    challenge->length = ALL_BYTES;
}

enum status challenge_check(const struct site_secret *secret, int64_t now_s, const char *prefix,
                            const struct challenge *challenge, struct error *err)
{
    struct digest proof;
    int64_t age_s;

    if (challenge->length != ALL_BYTES)
        return error_set(err, STATUS_INVALID, "this is no challenge of this site; get a new one");
    proof = authenticate(secret, challenge->bytes, prefix);
    if (!secret_equals(proof.bytes, challenge->bytes + PLAIN_BYTES, DIGEST_BYTES))
        return error_set(err, STATUS_INVALID,
                         "this is no challenge of this site for this address; get a new one");
    age_s = now_s - get_time(challenge->bytes);
    if (age_s < -CHALLENGE_LIFE_S || age_s > CHALLENGE_LIFE_S)
        return error_set(err, STATUS_INVALID, "the challenge is over; get a new one");
    return STATUS_OK;
}

void challenge_token(const struct site_secret *secret, const struct public_key *key,
                     const struct challenge *challenge, struct token *ret_token)
{
    static const char purpose[] = "host-token";
    CLEANUP(buffer_clear) struct buffer bytes = {.max = 256};
    struct digest token;

    (void)buffer_append(&bytes, purpose, sizeof purpose - 1, NULL);
    (void)buffer_append(&bytes, key->bytes, sizeof key->bytes, NULL);
    (void)buffer_append(&bytes, challenge->bytes, challenge->length, NULL);
    token = digest_hmac(secret->bytes, sizeof secret->bytes, bytes.bytes, bytes.length);
    base64url_encode(token.bytes, sizeof token.bytes, ret_token->text);
}

struct digest challenge_receipt(const struct site_secret *secret, const struct public_key *key,
                                int64_t task, const struct digest *unit)
{
    static const char purpose[] = "dugnad-receipt-v1\n";
    CLEANUP(buffer_clear) struct buffer bytes = {.max = 256};
    uint8_t number[TIME_BYTES];

    put_time(number, task);
    (void)buffer_append(&bytes, purpose, sizeof purpose - 1, NULL);
    (void)buffer_append(&bytes, key->bytes, sizeof key->bytes, NULL);
    (void)buffer_append(&bytes, number, sizeof number, NULL);
    (void)buffer_append(&bytes, unit->bytes, sizeof unit->bytes, NULL);
    return digest_hmac(secret->bytes, sizeof secret->bytes, bytes.bytes, bytes.length);
}
