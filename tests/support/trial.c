#include "tests/support/trial.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

struct trial trial;

void trial_set_up(void)
{
    trial = (struct trial){
        .start = {.purpose = TRUST_START, .now_s = SAMPLE_NOW_S},
        .finish = {.purpose = TRUST_FINISH, .now_s = SAMPLE_NOW_S},
        .keep = {.purpose = TRUST_KEEP, .now_s = SAMPLE_NOW_S},
    };
    sample_init(&trial.sample);
    sample_trust(&trial.sample, &trial.trust);
}

void trial_tear_down(void)
{
    trust_clear(&trial.trust);
    sample_clear(&trial.sample);
}

struct checked_app trial_the_app(void)
{
    return (struct checked_app){.digest = trial.sample.app_digest,
                                .app = &trial.sample.app_version};
}

enum refusal trial_check_app(struct envelope envelope, const struct trust_moment *moment)
{
    CLEANUP(app_version_clear) struct app_version app = {.version = 0};
    struct error err;
    enum refusal refusal = trust_check_app_version(&trial.trust, &envelope, moment, &app, &err);

    cr_expect(refusal == REFUSAL_NONE || strcmp(err.code, refusal_code(refusal)) == 0);
    envelope_clear(&envelope);
    return refusal;
}

enum refusal trial_check_variant(struct envelope envelope, const struct trust_moment *moment)
{
    CLEANUP(variant_clear) struct variant variant = {.file_count = 0};
    struct checked_app app = trial_the_app();
    enum refusal refusal =
        trust_check_variant(&trial.trust, &envelope, &app, moment, &variant, NULL);

    envelope_clear(&envelope);
    return refusal;
}

enum refusal trial_check_unit(struct envelope envelope, const struct trust_moment *moment)
{
    CLEANUP(work_unit_clear) struct work_unit unit = {.index = 0};
    struct checked_app app = trial_the_app();
    struct error err;
    enum refusal refusal = trust_check_unit(&trial.trust, &envelope, &app, moment, &unit, &err);

    cr_expect(refusal == REFUSAL_NONE || strcmp(err.code, refusal_code(refusal)) == 0);
    envelope_clear(&envelope);
    return refusal;
}

enum refusal trial_check_notice(struct envelope envelope, const struct trust_moment *moment)
{
    struct notice notice;
    enum refusal refusal = trust_check_notice(&trial.trust, &envelope, moment, &notice, NULL);

    envelope_clear(&envelope);
    return refusal;
}

enum refusal trial_accept_keyring(struct envelope envelope)
{
    enum refusal refusal = trust_accept_keyring(&trial.trust, &envelope, NULL);

    envelope_clear(&envelope);
    return refusal;
}

enum refusal trial_accept_freshness(struct envelope envelope)
{
    enum refusal refusal = trust_accept_freshness(&trial.trust, &envelope, SAMPLE_NOW_S, NULL);

    envelope_clear(&envelope);
    return refusal;
}

struct envelope trial_unit_signed_by(const struct private_key *key)
{
    CLEANUP(freep) char *payload = work_unit_encode(&trial.sample.unit);

    return sample_seal(WORK_UNIT_TYPE, payload, key);
}

struct envelope trial_app_signed_by(const struct private_key *key)
{
    CLEANUP(freep) char *payload = app_version_encode(&trial.sample.app_version);

    return sample_seal(APP_VERSION_TYPE, payload, key);
}

struct envelope trial_unit_with(const char *piece, const char *instead)
{
    CLEANUP(freep) char *payload = work_unit_encode(&trial.sample.unit);
    CLEANUP(freep) char *changed = NULL;
    char *at = strstr(payload, piece);

    cr_assert(at != NULL, "%s", piece);
    changed = text_format("%.*s%s%s", (int)(at - payload), payload, instead, at + strlen(piece));
    return sample_seal(WORK_UNIT_TYPE, changed, &trial.sample.work);
}

void trial_next_keyring(void)
{
    trial.sample.keyring.version++;
    trial.sample.keyring.issued_s = SAMPLE_NOW_S;
}

static void end_key(struct key_end **ends, size_t *count, const struct private_key *key,
                    int64_t at_s)
{
    struct key_end *grown = realloc(*ends, (*count + 1) * sizeof *grown);

    cr_assert(grown != NULL);
    *ends = grown;
    grown[(*count)++] = (struct key_end){.key = key->public_key, .at_s = at_s};
}

void trial_revoke_key(const struct private_key *key)
{
    trial_next_keyring();
    end_key(&trial.sample.keyring.revoked, &trial.sample.keyring.revoked_count, key, SAMPLE_NOW_S);
    cr_assert(eq(int, trial_accept_keyring(sample_seal_keyring(&trial.sample)), REFUSAL_NONE));
}

void trial_retire_key(const struct private_key *key, int64_t at_s)
{
    trial_next_keyring();
    end_key(&trial.sample.keyring.retired, &trial.sample.keyring.retired_count, key, at_s);
    cr_assert(eq(int, trial_accept_keyring(sample_seal_keyring(&trial.sample)), REFUSAL_NONE));
}
