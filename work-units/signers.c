#include "work-units/signers.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum refusal refuse(struct error *err, enum refusal refusal)
{
    return refuse_with(err, refusal, "%s", refusal_words(refusal));
}

enum refusal refuse_with(struct error *err, enum refusal refusal, const char *fmt, ...)
{
    char words[200];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(words, sizeof words, fmt, args);
    va_end(args);
    (void)error_set(err, STATUS_UNTRUSTED, "%s", words);
    error_code(err, refusal_code(refusal));
    return refusal;
}

enum refusal refuse_decoded(struct error *err, const struct error *cause)
{
    return refuse_with(err, refusal_from_error(cause), "%s", cause->text);
}

/* May this key sign things of that role at all, now? */
static enum refusal judge(const struct trust *trust, const struct publisher *publisher,
                          enum publisher_role role, const struct trust_moment *moment)
{
    int64_t judged_s = trust_judged_s(trust, moment->now_s);
    bool is_retired = keyring_retired_s(&trust->keyring, &publisher->key) != INT64_MAX;

    if (keyring_is_revoked(&trust->keyring, &publisher->key))
        return REFUSAL_REVOKED_KEY;
    if (publisher->role != role)
        return REFUSAL_WRONG_ROLE;
    if (moment->purpose != TRUST_FINISH && !is_retired &&
        (judged_s < publisher->not_before_s || judged_s > publisher->not_after_s))
        return REFUSAL_OUTSIDE_VALIDITY;
    return REFUSAL_NONE;
}

/* The envelope says that this key signed it, but its signature does not fit. */
static enum refusal judge_misfit(const struct envelope *envelope, const struct public_key *key)
{
    for (size_t i = 0; i < envelope->signature_count; i++)
        if (public_key_equals(&envelope->signatures[i].hint, key))
            return signature_is_sound(&envelope->signatures[i].signature) ? REFUSAL_CHANGED_PAYLOAD
                                                                          : REFUSAL_BAD_SIGNATURE;
    return REFUSAL_UNKNOWN_KEY;
}

/* No publisher signed it: who else? */
static enum refusal judge_stranger(const struct trust *trust, const struct envelope *envelope)
{
    for (size_t i = 0; i < trust->keyring.revoked_count; i++)
        if (envelope_may_be_by(envelope, &trust->keyring.revoked[i].key) &&
            envelope_is_signed_by(envelope, &trust->keyring.revoked[i].key))
            return REFUSAL_REVOKED_KEY;
    if (envelope_count_signers(envelope, trust->keyring.root.keys, trust->keyring.root.key_count) >
        0)
        return REFUSAL_WRONG_ROLE;
    return REFUSAL_UNKNOWN_KEY;
}

/* Weighs each publisher in turn; what it returns for the last reason is shown to people. */
static enum refusal weigh(const struct trust *trust, const struct envelope *envelope,
                          enum publisher_role role, const struct trust_moment *moment,
                          struct signers *signers)
{
    enum refusal worst = REFUSAL_UNKNOWN_KEY;

    for (size_t i = 0; i < trust->keyring.publisher_count; i++) {
        const struct publisher *publisher = &trust->keyring.publishers[i];
        enum refusal refusal;

        if (!envelope_may_be_by(envelope, &publisher->key))
            continue;
        refusal = envelope_is_signed_by(envelope, &publisher->key)
                      ? judge(trust, publisher, role, moment)
                      : judge_misfit(envelope, &publisher->key);
        if (refusal == REFUSAL_NONE && signers->count < ENVELOPE_SIGNATURES_MAX)
            signers->publishers[signers->count++] = publisher;
        else if (worst == REFUSAL_UNKNOWN_KEY)
            worst = refusal;
    }
    return signers->count > 0 ? REFUSAL_NONE : worst;
}

enum refusal signers_find(const struct trust *trust, const struct envelope *envelope,
                          const char *type, enum publisher_role role,
                          const struct trust_moment *moment, struct signers *ret_signers,
                          struct error *err)
{
    struct signers signers = {.count = 0};
    enum refusal refusal;

    if (strcmp(envelope->type, type) != 0)
        return refuse_with(err, REFUSAL_MALFORMED, "the payload's type is not %s", type);
    refusal = weigh(trust, envelope, role, moment, &signers);
    if (refusal == REFUSAL_UNKNOWN_KEY)
        refusal = judge_stranger(trust, envelope);
    if (refusal != REFUSAL_NONE)
        return refuse(err, refusal);
    *ret_signers = signers;
    return REFUSAL_NONE;
}

static enum refusal judge_claim(const struct trust *trust, const struct publisher *publisher,
                                const struct signed_claim *claim)
{
    if (claim->app != NULL && !publisher_covers(publisher, claim->app))
        return REFUSAL_APP_NOT_COVERED;
    if (claim->made_s >= keyring_retired_s(&trust->keyring, &publisher->key))
        return REFUSAL_RETIRED_KEY;
    return REFUSAL_NONE;
}

enum refusal signers_allow(const struct trust *trust, const struct signers *signers,
                           const struct signed_claim *claim, struct signers *ret_allowed,
                           struct error *err)
{
    struct signers allowed = {.count = 0};
    enum refusal first = REFUSAL_NONE;

    if (!digest_equals(&claim->project, &trust->project))
        return refuse(err, REFUSAL_OTHER_PROJECT);
    for (size_t i = 0; i < signers->count; i++) {
        enum refusal refusal = judge_claim(trust, signers->publishers[i], claim);

        if (refusal == REFUSAL_NONE)
            allowed.publishers[allowed.count++] = signers->publishers[i];
        else if (first == REFUSAL_NONE)
            first = refusal;
    }
    if (allowed.count == 0)
        return refuse(err, first);
    if (ret_allowed != NULL)
        *ret_allowed = allowed;
    return REFUSAL_NONE;
}

/* ----------------------------------------------------------------------------- signers of units */

int64_t trust_signer_of(const struct public_key *key)
{
    struct digest digest = digest_of(key->bytes, sizeof key->bytes);
    uint64_t number = 0;

    for (size_t i = 0; i < sizeof number; i++)
        number = number << 8 | digest.bytes[i];
    number &= INT64_MAX;
    return number == 0 ? 1 : (int64_t)number;
}

bool trust_learn_signers(struct trust *trust, const struct signer_set *signers)
{
    return signers->count == 1 || signer_sets_learn(&trust->signer_sets, signers);
}

static enum refusal check_one(const struct trust *trust, int64_t signer, int64_t not_before_s,
                              const struct trust_moment *moment)
{
    const struct signed_claim claim = {.made_s = not_before_s};

    for (size_t i = 0; i < trust->keyring.publisher_count; i++) {
        const struct publisher *publisher = &trust->keyring.publishers[i];
        enum refusal refusal;

        if (publisher->role != ROLE_WORK || trust_signer_of(&publisher->key) != signer)
            continue;
        refusal = judge(trust, publisher, ROLE_WORK, moment);
        return refusal == REFUSAL_NONE ? judge_claim(trust, publisher, &claim) : refusal;
    }
    for (size_t i = 0; i < trust->keyring.revoked_count; i++)
        if (trust_signer_of(&trust->keyring.revoked[i].key) == signer)
            return REFUSAL_REVOKED_KEY;
    return REFUSAL_UNKNOWN_KEY;
}

enum refusal trust_check_signer(const struct trust *trust, int64_t signer, int64_t not_before_s,
                                const struct trust_moment *moment)
{
    const struct signer_set *several;
    enum refusal first = REFUSAL_NONE;

    if (signer == TRUST_SIGNER_UNKNOWN)
        return REFUSAL_NONE;
    several = signer_sets_find(&trust->signer_sets, signer);
    if (several == NULL)
        return check_one(trust, signer, not_before_s, moment);
    for (size_t i = 0; i < several->count; i++) {
        enum refusal refusal = check_one(trust, several->signers[i], not_before_s, moment);

        if (refusal == REFUSAL_NONE)
            return REFUSAL_NONE;
        if (first == REFUSAL_NONE)
            first = refusal;
    }
    return first;
}
