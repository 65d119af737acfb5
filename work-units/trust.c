#include "work-units/trust.h"

#include <string.h>

#include "work-units/signers.h"

void trust_clear(struct trust *trust)
{
    envelope_clear(&trust->keyring_envelope);
    keyring_clear(&trust->keyring);
    envelope_clear(&trust->freshness_envelope);
    freshness_clear(&trust->freshness);
    signer_sets_clear(&trust->signer_sets);
    *trust = (struct trust){0};
}

static void copy_envelope(struct envelope *to, const struct envelope *from)
{
    char *payload = text_copy_n(from->payload, from->payload_length);

    envelope_clear(to);
    *to = *from;
    to->payload = payload;
}

static enum refusal decode_keyring(const struct envelope *envelope, struct keyring *ret_keyring,
                                   struct error *err)
{
    struct error cause;

    if (strcmp(envelope->type, KEYRING_TYPE) != 0)
        return refuse_with(err, REFUSAL_MALFORMED, "the payload's type is not %s", KEYRING_TYPE);
    if (keyring_decode(envelope->payload, envelope->payload_length, ret_keyring, &cause) !=
        STATUS_OK)
        return refuse_decoded(err, &cause);
    return REFUSAL_NONE;
}

static void forget_freshness(struct trust *trust)
{
    trust->has_freshness = false;
    envelope_clear(&trust->freshness_envelope);
    freshness_clear(&trust->freshness);
}

/* The keyring is the caller's no more. */
static void take_keyring(struct trust *trust, const struct envelope *envelope,
                         struct keyring *keyring)
{
    copy_envelope(&trust->keyring_envelope, envelope);
    keyring_clear(&trust->keyring);
    trust->keyring = *keyring;
    *keyring = (struct keyring){0};
    if (trust->latest_signed_s < trust->keyring.issued_s)
        trust->latest_signed_s = trust->keyring.issued_s;
}

enum refusal trust_start(struct trust *ret_trust, const struct digest *project,
                         const struct envelope *envelope, struct error *err)
{
    CLEANUP(keyring_clear) struct keyring keyring = {.version = 0};
    enum refusal refusal;

    if (!digest_equals(&envelope->digest, project))
        return refuse_with(err, REFUSAL_OTHER_PROJECT,
                           "the first keyring is not the one that the project's link names");
    refusal = decode_keyring(envelope, &keyring, err);
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (keyring.version != 1)
        return refuse_with(err, REFUSAL_MALFORMED, "the first keyring's version is not 1");
    if (!root_set_signed(&keyring.root, envelope))
        return refuse(err, REFUSAL_NOT_ENOUGH_ROOTS);
    *ret_trust = (struct trust){.project = *project};
    take_keyring(ret_trust, envelope, &keyring);
    return REFUSAL_NONE;
}

static enum refusal check_freshness(const struct trust *trust, const struct envelope *envelope,
                                    const struct trust_moment *moment,
                                    struct freshness *ret_freshness, struct error *err)
{
    CLEANUP(freshness_clear) struct freshness freshness = {.sequence = 0};
    struct signers signers;
    struct signed_claim claim;
    struct error cause;
    enum refusal refusal =
        signers_find(trust, envelope, FRESHNESS_TYPE, ROLE_FRESH, moment, &signers, err);

    if (refusal != REFUSAL_NONE)
        return refusal;
    if (freshness_decode(envelope->payload, envelope->payload_length, &freshness, &cause) !=
        STATUS_OK)
        return refuse_decoded(err, &cause);
    claim = (struct signed_claim){.project = freshness.project, .made_s = freshness.issued_s};
    refusal = signers_allow(trust, &signers, &claim, NULL, err);
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (freshness.keyring_version > trust->keyring.version)
        return refuse(err, REFUSAL_NEEDS_NEWER_KEYRING);
    if (freshness.keyring_version == trust->keyring.version &&
        !digest_equals(&freshness.keyring, &trust->keyring_envelope.digest))
        return refuse(err, REFUSAL_KEYRING_FORK);
    *ret_freshness = freshness;
    freshness = (struct freshness){.sequence = 0};
    return REFUSAL_NONE;
}

/*
 * A freshness of a key that the new keyring revokes is worth nothing: neither its sequence, which
 * could be so high that no true one ever passes it, nor the time it claims.
 */
static void review_freshness(struct trust *trust)
{
    CLEANUP(freshness_clear) struct freshness again = {.sequence = 0};
    struct trust_moment moment = {.purpose = TRUST_FINISH};

    if (!trust->has_freshness ||
        check_freshness(trust, &trust->freshness_envelope, &moment, &again, NULL) == REFUSAL_NONE)
        return;
    forget_freshness(trust);
    trust->latest_signed_s = trust->keyring.issued_s;
}

static enum refusal check_successor(const struct trust *trust, const struct envelope *envelope,
                                    const struct keyring *keyring, struct error *err)
{
    if (keyring->version < trust->keyring.version)
        return refuse(err, REFUSAL_KEYRING_ROLLBACK);
    if (!root_set_signed(&trust->keyring.root, envelope) ||
        !root_set_signed(&keyring->root, envelope))
        return refuse(err, REFUSAL_NOT_ENOUGH_ROOTS);
    if (keyring->version == trust->keyring.version)
        return refuse(err, REFUSAL_KEYRING_FORK);
    return REFUSAL_NONE;
}

enum refusal trust_accept_keyring(struct trust *trust, const struct envelope *envelope,
                                  struct error *err)
{
    CLEANUP(keyring_clear) struct keyring keyring = {.version = 0};
    enum refusal refusal;

    if (digest_equals(&envelope->digest, &trust->keyring_envelope.digest))
        return REFUSAL_NONE;
    refusal = decode_keyring(envelope, &keyring, err);
    if (refusal == REFUSAL_NONE)
        refusal = check_successor(trust, envelope, &keyring, err);
    if (refusal != REFUSAL_NONE)
        return refusal;
    take_keyring(trust, envelope, &keyring);
    review_freshness(trust);
    return REFUSAL_NONE;
}

static void take_freshness(struct trust *trust, const struct envelope *envelope,
                           struct freshness *freshness)
{
    copy_envelope(&trust->freshness_envelope, envelope);
    freshness_clear(&trust->freshness);
    trust->freshness = *freshness;
    trust->has_freshness = true;
    *freshness = (struct freshness){0};
    if (trust->latest_signed_s < trust->freshness.issued_s)
        trust->latest_signed_s = trust->freshness.issued_s;
}

enum refusal trust_accept_freshness(struct trust *trust, const struct envelope *envelope,
                                    int64_t now_s, struct error *err)
{
    CLEANUP(freshness_clear) struct freshness freshness = {.sequence = 0};
    struct trust_moment moment = {.purpose = TRUST_KEEP, .now_s = now_s};
    enum refusal refusal;

    if (trust->has_freshness && digest_equals(&envelope->digest, &trust->freshness_envelope.digest))
        return REFUSAL_NONE;
    refusal = check_freshness(trust, envelope, &moment, &freshness, err);
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (trust->has_freshness && freshness.sequence <= trust->freshness.sequence)
        return refuse(err, REFUSAL_FRESHNESS_ROLLBACK);
    take_freshness(trust, envelope, &freshness);
    return REFUSAL_NONE;
}

enum refusal trust_restore_freshness(struct trust *trust, const struct envelope *envelope,
                                     struct error *err)
{
    CLEANUP(freshness_clear) struct freshness freshness = {.sequence = 0};
    struct trust_moment moment = {.purpose = TRUST_FINISH};
    enum refusal refusal = check_freshness(trust, envelope, &moment, &freshness, err);

    if (refusal == REFUSAL_NONE)
        take_freshness(trust, envelope, &freshness);
    return refusal;
}

int64_t trust_judged_s(const struct trust *trust, int64_t now_s)
{
    return now_s > trust->latest_signed_s ? now_s : trust->latest_signed_s;
}

enum refusal trust_may_start(const struct trust *trust, int64_t now_s, struct error *err)
{
    int64_t judged_s = trust_judged_s(trust, now_s);

    if (judged_s >= trust->keyring.expires_s)
        return refuse(err, REFUSAL_KEYRING_EXPIRED);
    if (!trust->has_freshness)
        return refuse_with(err, REFUSAL_STALE_FRESHNESS, "there is no freshness of the project");
    if (judged_s >= trust->freshness.expires_s)
        return refuse_with(err, REFUSAL_STALE_FRESHNESS,
                           "the project's operator has not renewed its freshness in time");
    return REFUSAL_NONE;
}
