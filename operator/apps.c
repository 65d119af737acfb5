#include "operator/apps.h"

#include <string.h>

#include "operator/remote.h"

void known_app_clear(struct known_app *known)
{
    envelope_clear(&known->envelope);
    app_version_clear(&known->app);
    texts_clear(&known->variants);
    *known = (struct known_app){0};
}

static bool is_better(const struct app_version *app, const char *name, const struct known_app *best)
{
    return strcmp(app->name.text, name) == 0 &&
           (digest_is_none(&best->envelope.digest) || app->version > best->app.version);
}

/* Whether the project is fresh is not asked here: who signs or publishes renews it first. */
static struct trust_moment moment_of(const struct profile *profile)
{
    struct env *env = profile->session->env;

    return (struct trust_moment){.purpose = TRUST_KEEP, .now_s = env->now_s(env)};
}

static bool is_withdrawn(const struct profile *profile, const struct digest *app_version)
{
    return profile->trust.has_freshness &&
           freshness_revokes_app_version(&profile->trust.freshness, app_version);
}

/* 0: the project never signed it. */
static enum app_standing standing_of(enum refusal refusal)
{
    switch (refusal) {
    case REFUSAL_NONE:
        return APP_HOLDS;
    case REFUSAL_OUTSIDE_VALIDITY:
    case REFUSAL_RETIRED_KEY:
    case REFUSAL_REVOKED_KEY:
    case REFUSAL_APP_NOT_COVERED:
        return APP_UNSIGNED;
    case REFUSAL_REVOKED_APP_VERSION:
        return APP_WITHDRAWN;
    default:
        return 0;
    }
}

/* Is it the project's, and does it hold, if it has to? */
static bool check(const struct profile *profile, bool has_to_hold, struct known_app *known)
{
    const struct trust_moment moment = moment_of(profile);
    enum refusal refusal =
        trust_check_app_version(&profile->trust, &known->envelope, &moment, &known->app, NULL);

    known->standing = standing_of(refusal);
    if (known->standing == APP_HOLDS || known->standing == 0 || has_to_hold)
        return known->standing == APP_HOLDS;
    if (is_withdrawn(profile, &known->envelope.digest))
        known->standing = APP_WITHDRAWN; /* whatever became of the key */
    return app_version_decode(known->envelope.payload, known->envelope.payload_length, &known->app,
                              NULL) == STATUS_OK;
}

/* An entry that the project did not sign is passed over: a site may show what it likes. */
static enum status consider(struct profile *profile, const char *name, bool has_to_hold,
                            struct app_entry *entry, struct known_app *best, struct error *err)
{
    CLEANUP(known_app_clear) struct known_app known = {0};

    TRY(envelope_decode(entry->app_version, strlen(entry->app_version), ENVELOPE_PAYLOAD_MAX,
                        &known.envelope, err));
    if (!check(profile, has_to_hold, &known) || !is_better(&known.app, name, best))
        return STATUS_OK;
    known.variants = entry->variants;
    entry->variants = (struct texts){0};
    known_app_clear(best);
    *best = known;
    known = (struct known_app){0};
    return STATUS_OK;
}

static enum status ask(struct profile *profile, struct apps *ret_apps, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer body = {0};
    struct error why = {0};

    TRY(remote_get(profile, "/v1/apps", APPS_MAX, &body, err));
    if (apps_decode(buffer_text(&body), body.length, ret_apps, &why) != STATUS_OK)
        return remote_misunderstood(&why, err);
    return STATUS_OK;
}

static enum status find(struct profile *profile, const char *name, bool has_to_hold,
                        struct known_app *ret_known, struct error *err)
{
    CLEANUP(apps_clear) struct apps apps = {0};
    CLEANUP(known_app_clear) struct known_app best = {0};

    TRY(ask(profile, &apps, err));
    for (size_t i = 0; i < apps.count; i++)
        TRY(consider(profile, name, has_to_hold, &apps.apps[i], &best, err));
    if (digest_is_none(&best.envelope.digest))
        return error_set(err, STATUS_NOT_FOUND,
                         "the project has no app \"%.64s\": 'dugnad app add %.64s PROGRAM'", name,
                         name);
    *ret_known = best;
    best = (struct known_app){0};
    return STATUS_OK;
}

enum status apps_find(struct profile *profile, const char *name, struct known_app *ret_known,
                      struct error *err)
{
    return find(profile, name, true, ret_known, err);
}

enum status apps_find_any(struct profile *profile, const char *name, struct known_app *ret_known,
                          struct error *err)
{
    return find(profile, name, false, ret_known, err);
}

enum status apps_know(struct profile *profile, const struct digest *app_version, struct error *err)
{
    CLEANUP(apps_clear) struct apps apps = {0};

    TRY(ask(profile, &apps, err));
    for (size_t i = 0; i < apps.count; i++) {
        const char *text = apps.apps[i].app_version;
        CLEANUP(envelope_clear) struct envelope envelope = {0};

        if (envelope_decode(text, strlen(text), ENVELOPE_PAYLOAD_MAX, &envelope, NULL) ==
                STATUS_OK &&
            digest_equals(&envelope.digest, app_version))
            return STATUS_OK;
    }
    return error_set(err, STATUS_NOT_FOUND, "the site has no such app version");
}

/* --- the same again? --- */

bool known_app_is_like(const struct known_app *known, const struct app_version *app)
{
    struct app_version like = *app;
    CLEANUP(freep) char *a = NULL, *b = NULL;

    like.version = known->app.version;
    a = app_version_encode(&like);
    b = app_version_encode(&known->app);
    return strcmp(a, b) == 0;
}

static bool is_signed(const struct profile *profile, const struct known_app *known,
                      const struct envelope *envelope)
{
    const struct trust_moment moment = moment_of(profile);
    const struct checked_app app = {.digest = known->envelope.digest, .app = &known->app};
    CLEANUP(variant_clear) struct variant variant = {0};

    return trust_check_variant(&profile->trust, envelope, &app, &moment, &variant, NULL) ==
           REFUSAL_NONE;
}

static enum variant_standing compare(const struct profile *profile, const struct known_app *known,
                                     const char *text, const char *platform,
                                     const struct digest *digest)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(variant_clear) struct variant variant = {0};

    if (envelope_decode(text, strlen(text), ENVELOPE_PAYLOAD_MAX, &envelope, NULL) != STATUS_OK ||
        variant_decode(envelope.payload, envelope.payload_length, &variant, NULL) != STATUS_OK ||
        !digest_equals(&variant.app_version, &known->envelope.digest) ||
        strcmp(variant.platform.text, platform) != 0)
        return VARIANT_LACKS;
    if (!digest_equals(&envelope.digest, digest))
        return VARIANT_DIFFERS;
    return is_signed(profile, known, &envelope) ? VARIANT_IS_THERE : VARIANT_UNSIGNED;
}

enum variant_standing known_app_variant(const struct profile *profile,
                                        const struct known_app *known, const char *platform,
                                        const struct digest *digest)
{
    enum variant_standing standing = VARIANT_LACKS;

    for (size_t i = 0; i < known->variants.count && standing != VARIANT_IS_THERE; i++) {
        enum variant_standing one =
            compare(profile, known, known->variants.texts[i], platform, digest);

        standing = one != VARIANT_LACKS ? one : standing;
    }
    return standing;
}

static bool is_for(const struct known_app *known, const struct envelope *envelope,
                   const struct work_only *only)
{
    const struct work_unit unit = {.app_version = known->envelope.digest, .only = *only};
    CLEANUP(variant_clear) struct variant variant = {0};

    return variant_decode(envelope->payload, envelope->payload_length, &variant, NULL) ==
               STATUS_OK &&
           trust_check_pair(&unit, &variant, NULL) == REFUSAL_NONE;
}

static bool can_run(const struct profile *profile, const struct known_app *known,
                    const struct work_only *only)
{
    for (size_t i = 0; i < known->variants.count; i++) {
        const char *text = known->variants.texts[i];
        CLEANUP(envelope_clear) struct envelope envelope = {0};

        if (envelope_decode(text, strlen(text), ENVELOPE_PAYLOAD_MAX, &envelope, NULL) ==
                STATUS_OK &&
            is_signed(profile, known, &envelope) && is_for(known, &envelope, only))
            return true;
    }
    return false;
}

enum status apps_find_runnable(struct profile *profile, const char *name,
                               const struct work_only *only, struct known_app *ret_known,
                               struct error *err)
{
    static const struct work_only anywhere = {0};
    CLEANUP(known_app_clear) struct known_app known = {0};

    TRY(apps_find(profile, name, &known, err));
    if (can_run(profile, &known, &anywhere) && !can_run(profile, &known, only))
        return error_set(err, STATUS_CONFLICT,
                         "no volunteer could run \"%s\" version %lld: it has no program for what "
                         "--only names. 'dugnad app add %s PROGRAM --platform P=FILE' adds one",
                         name, (long long)known.app.version, name);
    if (!can_run(profile, &known, only))
        return error_set(err, STATUS_CONFLICT,
                         "no volunteer could run \"%s\" version %lld: the site has no program of "
                         "it whose signature holds. 'dugnad app add %s PROGRAM' adds one",
                         name, (long long)known.app.version, name);
    *ret_known = known;
    known = (struct known_app){0};
    return STATUS_OK;
}
