/* Signed things an operator publishes: verified here, by the engine's own trust. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "db/query.h"
#include "server/engine/publications.h"
#include "server/engine/publishing.h"

static enum status refuse_for(struct solo *solo, enum refusal refusal, struct error *err)
{
    struct error local = {0};

    if (err == NULL)
        err = &local;
    if (err->status == STATUS_OK || err->text[0] == '\0')
        (void)error_set(err, STATUS_UNTRUSTED, "%s", refusal_words(refusal));
    err->status = STATUS_UNTRUSTED;
    error_code(err, refusal_code(refusal));
    return solo_refuse(solo, err);
}

static struct span bytes_of(const char *text)
{
    return (struct span){.bytes = text, .length = strlen(text)};
}

/* ------------------------------------------------------------------------------------- keyrings */

struct keyring_search {
    const struct digest *digest;
    bool is_found;
};

static bool compare_keyring(void *context, const struct keyring_view *view)
{
    struct keyring_search *search = context;

    search->is_found = digest_equals(&view->digest, search->digest);
    return false;
}

/* Is exactly this keyring there already? Then publishing it again is no roll-back. */
static bool is_known_keyring(struct engine *engine, const struct envelope *envelope,
                             int64_t *ret_version)
{
    struct keyring_search search = {.digest = &envelope->digest};
    struct keyring keyring = {0};
    enum status status =
        keyring_decode(envelope->payload, envelope->payload_length, &keyring, NULL);

    if (status == STATUS_OK)
        (void)engine->store->query->keyrings(engine->store, keyring.version, compare_keyring,
                                             &search, NULL);
    *ret_version = keyring.version;
    keyring_clear(&keyring);
    return search.is_found;
}

static enum refusal accept_keyring(struct engine *engine, struct solo *solo,
                                   const struct envelope *envelope, bool *ret_changes_root,
                                   struct error *err)
{
    enum refusal refusal;

    trust_clear(&solo->trust);
    solo->trust = (struct trust){0};
    *ret_changes_root = true;
    if (digest_is_none(&engine->trust.project))
        return trust_start(&solo->trust, &envelope->digest, envelope, err);
    trust_copy(&engine->trust, &solo->trust);
    refusal = trust_accept_keyring(&solo->trust, envelope, err);
    *ret_changes_root = !root_set_equals(&engine->trust.keyring.root, &solo->trust.keyring.root);
    return refusal;
}

static enum status keyring_add(struct cycle *cycle, struct solo *solo, bool changes_root,
                               struct error *err)
{
    struct store *store = cycle->engine->store;
    struct publish_command *publish = &solo->command->publish;
    CLEANUP(freep) char *json = envelope_encode(publish->envelope);
    struct keyring_record record = {.version = solo->trust.keyring.version,
                                    .digest = publish->envelope->digest,
                                    .is_root_change = changes_root,
                                    .expires_s = solo->trust.keyring.expires_s,
                                    .time_s = cycle->clock.now_s,
                                    .envelope = bytes_of(json)};

    TRY(solo_check(solo, store->publish->keyring_add(store, &record, &publish->is_new, err), err));
    cycle_note(cycle, JOURNAL_KEYRING, record.version, 0);
    publish->number = record.version;
    publish->project = solo->trust.project;
    solo->has_trust = true;
    return STATUS_OK;
}

static enum status keyring_run(struct cycle *cycle, struct solo *solo, struct error *err)
{
    struct engine *engine = cycle->engine;
    struct publish_command *publish = &solo->command->publish;
    bool changes_root;
    enum refusal refusal;

    if (is_known_keyring(engine, publish->envelope, &publish->number)) {
        publish->project = engine->trust.project;
        return STATUS_OK;
    }
    refusal = accept_keyring(engine, solo, publish->envelope, &changes_root, err);
    if (refusal != REFUSAL_NONE)
        return refuse_for(solo, refusal, err);
    return keyring_add(cycle, solo, changes_root, err);
}

/* ------------------------------------------------------------------------------------ freshness */

static enum status write_revocations(struct cycle *cycle, const struct freshness *freshness,
                                     struct error *err)
{
    struct store *store = cycle->engine->store;
    size_t most = freshness->app_version_count + freshness->batch_count + freshness->unit_count;
    struct revocation *revocations = must_alloc(most, sizeof *revocations);
    size_t count = 0;
    enum status status = STATUS_OK;

    for (size_t i = 0; i < freshness->app_version_count; i++)
        revocations[count++] =
            (struct revocation){.kind = REVOKED_APP_VERSION, .subject = freshness->app_versions[i]};
    for (size_t i = 0; i < freshness->unit_count; i++)
        revocations[count++] =
            (struct revocation){.kind = REVOKED_UNIT, .subject = freshness->units[i]};
    for (size_t i = 0; i < freshness->batch_count; i++) {
        revocations[count].kind = REVOKED_BATCH;
        memcpy(revocations[count++].subject.bytes, freshness->batches[i].bytes, BATCH_BYTES);
    }
    if (count > 0)
        status = store->publish->revoke(store, revocations, count, cycle->clock.now_s, err);
    free(revocations);
    return status;
}

static enum status freshness_run(struct cycle *cycle, struct solo *solo, struct error *err)
{
    struct engine *engine = cycle->engine;
    struct publish_command *publish = &solo->command->publish;
    CLEANUP(freep) char *json = envelope_encode(publish->envelope);
    struct freshness_record record = {.digest = publish->envelope->digest,
                                      .time_s = cycle->clock.now_s,
                                      .begins_anew = !engine->trust.has_freshness,
                                      .envelope = bytes_of(json)};
    enum refusal refusal = REFUSAL_OTHER_PROJECT;

    trust_clear(&solo->trust);
    solo->trust = (struct trust){0};
    if (!digest_is_none(&engine->trust.project)) {
        trust_copy(&engine->trust, &solo->trust);
        refusal = trust_accept_freshness(&solo->trust, publish->envelope, cycle->clock.now_s, err);
    }
    if (refusal != REFUSAL_NONE)
        return refuse_for(solo, refusal, err);
    record.sequence = publish->number = solo->trust.freshness.sequence;
    record.keyring_version = solo->trust.freshness.keyring_version;
    record.expires_s = solo->trust.freshness.expires_s;
    TRY(solo_check(
        solo, engine->store->publish->freshness_add(engine->store, &record, &publish->is_new, err),
        err));
    if (!publish->is_new)
        return STATUS_OK;
    TRY(write_revocations(cycle, &solo->trust.freshness, err));
    cycle_note(cycle, JOURNAL_FRESHNESS, record.sequence, 0);
    solo->has_trust = true;
    return STATUS_OK;
}

/* -------------------------------------------------------------------- notices, apps, variants */

static struct trust_moment moment_of(const struct cycle *cycle)
{
    return (struct trust_moment){.purpose = TRUST_START, .now_s = cycle->clock.now_s};
}

static enum status notice_run(struct cycle *cycle, struct solo *solo, struct error *err)
{
    struct engine *engine = cycle->engine;
    struct publish_command *publish = &solo->command->publish;
    CLEANUP(freep) char *json = envelope_encode(publish->envelope);
    struct trust_moment moment = moment_of(cycle);
    struct notice notice;
    enum refusal refusal =
        trust_check_notice(&engine->trust, publish->envelope, &moment, &notice, err);
    struct notice_record record = {.digest = publish->envelope->digest,
                                   .time_s = cycle->clock.now_s,
                                   .envelope = bytes_of(json)};

    if (refusal != REFUSAL_NONE)
        return refuse_for(solo, refusal, err);
    record.until_s = notice.until_s;
    publish->number = 0;
    TRY(solo_check(
        solo, engine->store->publish->notice_add(engine->store, &record, &publish->is_new, err),
        err));
    if (publish->is_new)
        cycle_note(cycle, JOURNAL_NOTICE, record.time_s, 0);
    return STATUS_OK;
}

struct stored_search {
    struct envelope *ret_envelope;
    enum status status;
    struct error *err;
};

static bool take_stored(void *context, const struct digest *digest, struct span bytes)
{
    struct stored_search *search = context;

    (void)digest;
    search->status = envelope_decode(bytes.bytes, bytes.length, ENVELOPE_PAYLOAD_MAX,
                                     search->ret_envelope, search->err);
    return false;
}

/* The envelope that is kept of the payload which is published again. */
static enum status load_stored(struct cycle *cycle, const struct solo *solo,
                               struct envelope *ret_envelope, struct error *err)
{
    struct store *store = cycle->engine->store;
    struct stored_search search = {.ret_envelope = ret_envelope, .err = err};

    TRY(store->query->app_envelopes(store, &solo->command->publish.envelope->digest, 1, take_stored,
                                    &search, err));
    return search.status;
}

/* A signature that holds is never put out of the way: this is for one that does not. */
static enum status replace_stored(struct cycle *cycle, struct solo *solo, struct error *err)
{
    const struct envelope *envelope = solo->command->publish.envelope;
    CLEANUP(freep) char *json = envelope_encode(envelope);
    struct store *store = cycle->engine->store;

    LOG(LOG_INFO, "app.signed-anew", LOG_S("digest", digest_format(&envelope->digest).text));
    return store->publish->app_envelope_replace(store, &envelope->digest, bytes_of(json), err);
}

static enum status renew_app(struct cycle *cycle, struct solo *solo, struct error *err)
{
    CLEANUP(envelope_clear) struct envelope stored = {0};
    CLEANUP(app_version_clear) struct app_version app = {0};
    struct trust_moment moment = moment_of(cycle);

    TRY(load_stored(cycle, solo, &stored, err));
    if (trust_check_app_version(&cycle->engine->trust, &stored, &moment, &app, NULL) ==
        REFUSAL_NONE)
        return STATUS_OK;
    return replace_stored(cycle, solo, err);
}

static enum status renew_variant(struct cycle *cycle, struct solo *solo,
                                 const struct checked_app *app, struct error *err)
{
    CLEANUP(envelope_clear) struct envelope stored = {0};
    CLEANUP(variant_clear) struct variant variant = {0};
    struct trust_moment moment = moment_of(cycle);

    TRY(load_stored(cycle, solo, &stored, err));
    if (trust_check_variant(&cycle->engine->trust, &stored, app, &moment, &variant, NULL) ==
        REFUSAL_NONE)
        return STATUS_OK;
    return replace_stored(cycle, solo, err);
}

static enum status write_app(struct cycle *cycle, struct solo *solo, const struct app_version *app,
                             struct error *err)
{
    struct store *store = cycle->engine->store;
    struct publish_command *publish = &solo->command->publish;
    CLEANUP(freep) char *json = envelope_encode(publish->envelope);
    char version[24];
    struct app_version_record record = {.digest = publish->envelope->digest,
                                        .name = app->name.text,
                                        .version = version,
                                        .memory_bytes = app->limits.memory_bytes,
                                        .disk_bytes = app->limits.disk_bytes,
                                        .time_s = cycle->clock.now_s,
                                        .envelope = bytes_of(json)};
    int64_t row;

    (void)snprintf(version, sizeof version, "%lld", (long long)app->version);
    TRY(solo_check(
        solo, store->publish->app_version_add(store, &record, &row, &publish->is_new, err), err));
    if (publish->is_new)
        cycle_note(cycle, JOURNAL_APP_VERSION, row, 0);
    return STATUS_OK;
}

static enum status app_run(struct cycle *cycle, struct solo *solo, struct error *err)
{
    CLEANUP(app_version_clear) struct app_version app = {0};
    struct trust_moment moment = moment_of(cycle);
    enum refusal refusal = trust_check_app_version(
        &cycle->engine->trust, solo->command->publish.envelope, &moment, &app, err);

    if (refusal != REFUSAL_NONE)
        return refuse_for(solo, refusal, err);
    TRY(solo_check(solo, app_check_outputs(&app, cycle->engine->config.upload_max, err), err));
    TRY(write_app(cycle, solo, &app, err));
    return solo->command->publish.is_new || solo->is_refused ? STATUS_OK
                                                             : renew_app(cycle, solo, err);
}

/* Which app version a variant says it is for; nothing is believed yet. */
static enum status find_app_of(struct cycle *cycle, struct solo *solo, const struct app **ret_app,
                               struct error *err)
{
    struct engine *engine = cycle->engine;
    const struct envelope *envelope = solo->command->publish.envelope;
    struct variant variant = {0};
    enum status status = variant_decode(envelope->payload, envelope->payload_length, &variant, err);

    if (status == STATUS_OK)
        status = engine->store->query->app_version_by_digest(engine->store, &variant.app_version,
                                                             &solo->app_version, err);
    if (status == STATUS_NOT_FOUND)
        (void)error_set(err, STATUS_NOT_FOUND, "its app version is not here; publish it first");
    variant_clear(&variant);
    TRY(solo_check(solo, status, err));
    TRY(apps_need(&engine->apps, engine->store, solo->app_version, err));
    *ret_app = app_find(&engine->apps, solo->app_version);
    return STATUS_OK;
}

static enum status write_variant(struct cycle *cycle, struct solo *solo,
                                 const struct variant *variant, struct error *err)
{
    struct store *store = cycle->engine->store;
    struct publish_command *publish = &solo->command->publish;
    CLEANUP(freep) char *json = envelope_encode(publish->envelope);
    struct digest files[VARIANT_FILES_MAX];
    struct variant_record record = {.digest = publish->envelope->digest,
                                    .app_version = solo->app_version,
                                    .platform = variant->platform.text,
                                    .class_name = variant->class_name.text,
                                    .runner = variant->runner == RUNNER_WASM ? "wasm" : "native",
                                    .files = files,
                                    .time_s = cycle->clock.now_s,
                                    .envelope = bytes_of(json)};
    int64_t row;

    for (; record.file_count < variant->file_count; record.file_count++)
        files[record.file_count] = variant->files[record.file_count].digest;
    TRY(solo_check(solo, store->publish->variant_add(store, &record, &row, &publish->is_new, err),
                   err));
    if (publish->is_new)
        cycle_note(cycle, JOURNAL_VARIANT, row, solo->app_version);
    return STATUS_OK;
}

static enum status variant_run(struct cycle *cycle, struct solo *solo, struct error *err)
{
    const struct envelope *envelope = solo->command->publish.envelope;
    CLEANUP(variant_clear) struct variant variant = {0};
    struct trust_moment moment = moment_of(cycle);
    struct checked_app checked;
    const struct app *app = NULL;
    enum refusal refusal;

    TRY(find_app_of(cycle, solo, &app, err));
    checked = (struct checked_app){.digest = app->digest, .app = &app->version};
    refusal =
        trust_check_variant(&cycle->engine->trust, envelope, &checked, &moment, &variant, err);
    if (refusal != REFUSAL_NONE)
        return refuse_for(solo, refusal, err);
    TRY(write_variant(cycle, solo, &variant, err));
    return solo->command->publish.is_new || solo->is_refused
               ? STATUS_OK
               : renew_variant(cycle, solo, &checked, err);
}

enum status signed_run(struct cycle *cycle, struct solo *solo, struct error *err)
{
    solo->command->publish.is_new = false;
    solo->command->publish.number = 0;
    solo->has_trust = false;
    switch (solo->command->kind) {
    case COMMAND_KEYRING:
        return keyring_run(cycle, solo, err);
    case COMMAND_FRESHNESS:
        return freshness_run(cycle, solo, err);
    case COMMAND_NOTICE:
        return notice_run(cycle, solo, err);
    case COMMAND_APP_VERSION:
        return app_run(cycle, solo, err);
    case COMMAND_VARIANT:
        return variant_run(cycle, solo, err);
    default:
        abort();
    }
}
