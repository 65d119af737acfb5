#include <string.h>

#include "work-units/signers.h"
#include "work-units/trust.h"

static enum refusal check_start(const struct trust *trust, const struct trust_moment *moment,
                                struct error *err)
{
    return moment->purpose == TRUST_START ? trust_may_start(trust, moment->now_s, err)
                                          : REFUSAL_NONE;
}

enum refusal trust_check_app_version(const struct trust *trust, const struct envelope *envelope,
                                     const struct trust_moment *moment, struct app_version *ret_app,
                                     struct error *err)
{
    CLEANUP(app_version_clear) struct app_version app = {.version = 0};
    struct signers signers;
    struct signed_claim claim;
    struct error cause;
    enum refusal refusal =
        signers_find(trust, envelope, APP_VERSION_TYPE, ROLE_APP, moment, &signers, err);

    if (refusal != REFUSAL_NONE)
        return refusal;
    if (app_version_decode(envelope->payload, envelope->payload_length, &app, &cause) != STATUS_OK)
        return refuse_decoded(err, &cause);
    claim = (struct signed_claim){.project = app.project, .app = app.name.text};
    refusal = signers_allow(trust, &signers, &claim, NULL, err);
    if (refusal == REFUSAL_NONE && trust->has_freshness &&
        freshness_revokes_app_version(&trust->freshness, &envelope->digest))
        refusal = refuse(err, REFUSAL_REVOKED_APP_VERSION);
    if (refusal == REFUSAL_NONE)
        refusal = check_start(trust, moment, err);
    if (refusal != REFUSAL_NONE)
        return refusal;

    *ret_app = app;
    app = (struct app_version){.version = 0};
    return REFUSAL_NONE;
}

static enum refusal check_variant(const struct trust *trust, const struct signers *signers,
                                  const struct variant *variant, const struct checked_app *app,
                                  struct error *err)
{
    struct signed_claim claim = {.project = variant->project, .app = app->app->name.text};
    enum refusal refusal = signers_allow(trust, signers, &claim, NULL, err);

    if (refusal != REFUSAL_NONE)
        return refusal;
    if (!digest_equals(&variant->app_version, &app->digest))
        return refuse(err, REFUSAL_VARIANT_NOT_OF_APP);
    if (trust->has_freshness &&
        freshness_revokes_app_version(&trust->freshness, &variant->app_version))
        return refuse(err, REFUSAL_REVOKED_APP_VERSION);
    return REFUSAL_NONE;
}

enum refusal trust_check_variant(const struct trust *trust, const struct envelope *envelope,
                                 const struct checked_app *app, const struct trust_moment *moment,
                                 struct variant *ret_variant, struct error *err)
{
    CLEANUP(variant_clear) struct variant variant = {.file_count = 0};
    struct signers signers;
    struct error cause;
    enum refusal refusal =
        signers_find(trust, envelope, VARIANT_TYPE, ROLE_APP, moment, &signers, err);

    if (refusal != REFUSAL_NONE)
        return refusal;
    if (variant_decode(envelope->payload, envelope->payload_length, &variant, &cause) != STATUS_OK)
        return refuse_decoded(err, &cause);
    refusal = check_variant(trust, &signers, &variant, app, err);
    if (refusal == REFUSAL_NONE)
        refusal = check_start(trust, moment, err);
    if (refusal != REFUSAL_NONE)
        return refusal;

    *ret_variant = variant;
    variant = (struct variant){.file_count = 0};
    return REFUSAL_NONE;
}

static enum refusal check_validity(const struct trust *trust, const struct work_unit *unit,
                                   const struct trust_moment *moment, struct error *err)
{
    int64_t judged_s = trust_judged_s(trust, moment->now_s);

    if (moment->purpose == TRUST_START && judged_s < unit->not_before_s)
        return refuse_with(err, REFUSAL_OUTSIDE_VALIDITY, "the unit is not valid yet");
    if (moment->purpose != TRUST_FINISH && judged_s > unit->not_after_s)
        return refuse_with(err, REFUSAL_OUTSIDE_VALIDITY, "the unit's validity is over");
    return REFUSAL_NONE;
}

static enum refusal check_contract(const struct trust *trust, const struct work_unit *unit,
                                   const struct checked_app *app, struct error *err)
{
    const char *limit = limits_exceeding(&unit->limits, &app->app->limits);

    if (unit->keyring_version > trust->keyring.version)
        return refuse(err, REFUSAL_NEEDS_NEWER_KEYRING);
    if (!digest_equals(&unit->app_version, &app->digest))
        return refuse(err, REFUSAL_OTHER_APP_VERSION);
    if (limit != NULL)
        return refuse_with(err, REFUSAL_LIMITS_ABOVE_CEILING,
                           "the unit's limit %s is above its app version's ceiling", limit);
    return REFUSAL_NONE;
}

static enum refusal check_unit(const struct trust *trust, const struct envelope *envelope,
                               const struct work_unit *unit, const struct checked_app *app,
                               const struct trust_moment *moment, struct error *err)
{
    enum refusal refusal = check_contract(trust, unit, app, err);

    if (refusal == REFUSAL_NONE)
        refusal = trust_check_revoked(trust, &envelope->digest, unit, err);
    if (refusal == REFUSAL_NONE)
        refusal = check_validity(trust, unit, moment, err);
    if (refusal == REFUSAL_NONE)
        refusal = check_start(trust, moment, err);
    return refusal;
}

enum refusal trust_check_unit(const struct trust *trust, const struct envelope *envelope,
                              const struct checked_app *app, const struct trust_moment *moment,
                              struct work_unit *ret_unit, struct error *err)
{
    struct signer_set signers;

    return trust_admit_unit(trust, envelope, app, moment, ret_unit, &signers, err);
}

enum refusal trust_admit_unit(const struct trust *trust, const struct envelope *envelope,
                              const struct checked_app *app, const struct trust_moment *moment,
                              struct work_unit *ret_unit, struct signer_set *ret_signers,
                              struct error *err)
{
    CLEANUP(work_unit_clear) struct work_unit unit = {.index = 0};
    struct signers signers, allowed;
    struct signed_claim claim;
    struct error cause;
    enum refusal refusal =
        signers_find(trust, envelope, WORK_UNIT_TYPE, ROLE_WORK, moment, &signers, err);

    if (refusal != REFUSAL_NONE)
        return refusal;
    if (work_unit_decode(envelope->payload, envelope->payload_length, &unit, &cause) != STATUS_OK)
        return refuse_decoded(err, &cause);
    claim = (struct signed_claim){.project = unit.project, .made_s = unit.not_before_s};
    refusal = signers_allow(trust, &signers, &claim, &allowed, err);
    if (refusal == REFUSAL_NONE)
        refusal = check_unit(trust, envelope, &unit, app, moment, err);
    if (refusal != REFUSAL_NONE)
        return refusal;

    *ret_signers = (struct signer_set){0};
    for (size_t i = 0; i < allowed.count; i++)
        signer_set_add(ret_signers, trust_signer_of(&allowed.publishers[i]->key));
    *ret_unit = unit;
    unit = (struct work_unit){.index = 0};
    return REFUSAL_NONE;
}

enum refusal trust_check_notice(const struct trust *trust, const struct envelope *envelope,
                                const struct trust_moment *moment, struct notice *ret_notice,
                                struct error *err)
{
    struct notice notice;
    struct signers signers;
    struct signed_claim claim;
    struct error cause;
    enum refusal refusal =
        signers_find(trust, envelope, NOTICE_TYPE, ROLE_WORK, moment, &signers, err);

    if (refusal != REFUSAL_NONE)
        return refusal;
    if (notice_decode(envelope->payload, envelope->payload_length, &notice, &cause) != STATUS_OK)
        return refuse_decoded(err, &cause);
    claim = (struct signed_claim){.project = notice.project, .made_s = notice.issued_s};
    refusal = signers_allow(trust, &signers, &claim, NULL, err);
    if (refusal == REFUSAL_NONE && moment->purpose != TRUST_FINISH &&
        trust_judged_s(trust, moment->now_s) > notice.until_s)
        refusal = refuse_with(err, REFUSAL_OUTSIDE_VALIDITY, "the notice is over");
    if (refusal == REFUSAL_NONE)
        *ret_notice = notice;
    return refusal;
}

enum refusal trust_check_pair(const struct work_unit *unit, const struct variant *variant,
                              struct error *err)
{
    const struct work_only *only = &unit->only;

    if (!digest_equals(&unit->app_version, &variant->app_version))
        return refuse(err, REFUSAL_VARIANT_NOT_OF_APP);
    if (only->platforms.count > 0 && !texts_have(&only->platforms, variant->platform.text))
        return refuse_with(err, REFUSAL_NOT_ALLOWED_HERE, "the unit may not run on %s",
                           variant->platform.text);
    if (only->classes.count > 0 && !texts_have(&only->classes, variant->class_name.text))
        return refuse_with(err, REFUSAL_NOT_ALLOWED_HERE, "the unit may not run in the class %s",
                           variant->class_name.text);
    if (only->organisations.count > 0) /* no host can show that it is of one */
        return refuse_with(err, REFUSAL_NOT_ALLOWED_HERE, "the unit may run for %.60s alone",
                           only->organisations.texts[0]);
    return REFUSAL_NONE;
}

enum refusal trust_check_revoked(const struct trust *trust, const struct digest *unit_digest,
                                 const struct work_unit *unit, struct error *err)
{
    if (!trust->has_freshness)
        return REFUSAL_NONE;
    if (freshness_revokes_unit(&trust->freshness, unit_digest))
        return refuse(err, REFUSAL_REVOKED_UNIT);
    if (freshness_revokes_batch(&trust->freshness, &unit->batch))
        return refuse(err, REFUSAL_REVOKED_BATCH);
    if (freshness_revokes_app_version(&trust->freshness, &unit->app_version))
        return refuse(err, REFUSAL_REVOKED_APP_VERSION);
    return REFUSAL_NONE;
}

enum refusal trust_check_input(const struct work_unit *unit, const char *name, int64_t size,
                               const struct digest *digest, struct error *err)
{
    const struct work_input *input = work_unit_input(unit, name);

    if (input == NULL)
        return refuse(err, REFUSAL_CHANGED_INPUT);
    if (size > input->size)
        return refuse(err, REFUSAL_LARGER_THAN_SIGNED);
    if (digest != NULL && (size != input->size || !digest_equals(digest, &input->digest)))
        return refuse(err, REFUSAL_CHANGED_INPUT);
    return REFUSAL_NONE;
}

enum refusal trust_check_file(const struct variant *variant, const char *name, int64_t size,
                              const struct digest *digest, struct error *err)
{
    const struct variant_file *file = variant_file(variant, name);

    if (file == NULL)
        return refuse(err, REFUSAL_CHANGED_EXECUTABLE);
    if (size > file->size)
        return refuse(err, REFUSAL_LARGER_THAN_SIGNED);
    if (digest != NULL && (size != file->size || !digest_equals(digest, &file->digest)))
        return refuse(err, REFUSAL_CHANGED_EXECUTABLE);
    return REFUSAL_NONE;
}
