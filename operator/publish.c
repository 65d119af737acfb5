#include "operator/publish.h"

#include <stdlib.h>
#include <string.h>

#include "operator/remote.h"
#include "operator/site_behind.h"

#define SIGNED_FILE "signed.json"

enum status publish_envelope(struct profile *profile, const char *path,
                             const struct envelope *envelope, enum published_kind kind,
                             struct published *ret_published, struct error *err)
{
    CLEANUP(freep) char *json = envelope_encode(envelope);
    CLEANUP(buffer_clear) struct buffer body = {0};
    struct error why = {0};

    TRY(remote_post(profile, path, json, PUBLISHED_MAX, &body, err));
    if (published_decode(buffer_text(&body), body.length, kind, ret_published, &why) != STATUS_OK)
        return remote_misunderstood(&why, err);
    return STATUS_OK;
}

/* What we sign is what everybody else accepts: decode it first, so that no mistake is signed. */
static enum status check_keyring(const char *payload, struct error *err)
{
    CLEANUP(keyring_clear) struct keyring again = {0};

    return keyring_decode(payload, strlen(payload), &again, err);
}

static enum status follow(struct profile *profile, const struct envelope *envelope,
                          struct error *err)
{
    struct error why = {0};
    enum refusal refusal;

    if (digest_is_none(&profile->trust.project))
        refusal = trust_start(&profile->trust, &envelope->digest, envelope, &why);
    else
        refusal = trust_accept_keyring(&profile->trust, envelope, &why);
    if (refusal != REFUSAL_NONE)
        return error_set(err, STATUS_UNTRUSTED, "the new keyring does not hold: %s: %s",
                         refusal_words(refusal), why.text);
    profile->project = profile->trust.project;
    return STATUS_OK;
}

enum status publish_keyring(struct profile *profile, const struct keyring *keyring,
                            const struct private_key *roots, size_t root_count, struct error *err)
{
    CLEANUP(freep) char *payload = keyring_encode(keyring);
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    struct published published = {0};

    TRY(check_keyring(payload, err));
    envelope_init(&envelope, KEYRING_TYPE, payload, strlen(payload));
    for (size_t i = 0; i < root_count; i++)
        TRY(envelope_sign(&envelope, &roots[i], err));
    TRY(site_behind_mend(profile, err));
    TRY(publish_envelope(profile, "/v1/keyrings", &envelope, PUBLISHED_KEYRING, &published, err));
    TRY(follow(profile, &envelope, err));
    if (!digest_equals(&published.digest, &profile->project))
        return error_set(err, STATUS_UNTRUSTED, "the site took the keyring for another project");
    profile->site_keyring = keyring->version;
    TRY(profile_save(profile, err));
    return site_behind_keep(profile, &envelope, keyring->version, err);
}

/*
 * The last freshness that we signed ourselves. A keyring that ends the fresh key makes everybody
 * forget what that key signed, and so would we: but what was revoked has to stay revoked. What the
 * site shows is no substitute: a stolen key could have signed it.
 */
static enum status recall_signed(const struct profile *profile, struct freshness *ret_freshness,
                                 struct error *err)
{
    struct disk *disk = profile->session->env->disk;
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(freshness_clear) struct freshness freshness = {0};
    CLEANUP(buffer_clear) struct buffer content = {0};
    struct disk_path path;
    enum status status;

    buffer_init(&content, ENVELOPE_MAX(ENVELOPE_PAYLOAD_MAX));
    TRY(profile_path(profile, &path, err, SIGNED_FILE));
    status = disk->read(disk, path.text, &content, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    TRY(envelope_decode(buffer_text(&content), content.length, ENVELOPE_PAYLOAD_MAX, &envelope,
                        err));
    TRY(freshness_decode(envelope.payload, envelope.payload_length, &freshness, err));
    if (!digest_equals(&freshness.project, &profile->trust.project))
        return STATUS_OK;
    *ret_freshness = freshness;
    freshness = (struct freshness){0};
    return STATUS_OK;
}

static enum status remember_signed(const struct profile *profile, const struct envelope *envelope,
                                   struct error *err)
{
    struct disk *disk = profile->session->env->disk;
    CLEANUP(freep) char *text = envelope_encode(envelope);
    struct disk_path path;

    TRY(profile_path(profile, &path, err, SIGNED_FILE));
    return disk->write(disk, path.text, text, strlen(text), 0600, err);
}

static void begin_freshness(const struct profile *profile, const struct freshness *ours,
                            int64_t now_s, struct freshness *ret_freshness)
{
    const struct trust *trust = &profile->trust;
    int64_t known = trust->has_freshness ? trust->freshness.sequence : 0;
    int64_t last = known > ours->sequence ? known : ours->sequence;

    *ret_freshness = (struct freshness){
        .project = trust->project,
        .sequence = last + 1,
        .issued_s = now_s,
        .expires_s = now_s + FRESHNESS_LIFE_S,
        .keyring_version = trust->keyring.version,
        .keyring = trust->keyring_envelope.digest,
    };
}

static struct digest *joined_digests(const struct digest *a, size_t a_count, const struct digest *b,
                                     size_t b_count, size_t *ret_count)
{
    struct digest *all = must_alloc(a_count + b_count, sizeof *all);
    size_t count = a_count;

    if (a_count > 0)
        memcpy(all, a, a_count * sizeof *all);
    for (size_t i = 0; i < b_count; i++) {
        bool is_there = false;

        for (size_t j = 0; j < count; j++)
            is_there = is_there || digest_equals(&all[j], &b[i]);
        if (!is_there)
            all[count++] = b[i];
    }
    *ret_count = count;
    return all;
}

static struct batch_id *joined_batches(const struct batch_id *a, size_t a_count,
                                       const struct batch_id *b, size_t b_count, size_t *ret_count)
{
    struct batch_id *all = must_alloc(a_count + b_count, sizeof *all);
    size_t count = a_count;

    if (a_count > 0)
        memcpy(all, a, a_count * sizeof *all);
    for (size_t i = 0; i < b_count; i++) {
        bool is_there = false;

        for (size_t j = 0; j < count; j++)
            is_there = is_there || batch_compare(&all[j], &b[i]) == 0;
        if (!is_there)
            all[count++] = b[i];
    }
    *ret_count = count;
    return all;
}

/* Once revoked, for ever revoked. */
static void add_revocations(struct freshness *freshness, const struct revocations *more)
{
    struct freshness old = *freshness;

    freshness->app_versions =
        joined_digests(old.app_versions, old.app_version_count, more->app_versions,
                       more->app_version_count, &freshness->app_version_count);
    freshness->batches = joined_batches(old.batches, old.batch_count, more->batches,
                                        more->batch_count, &freshness->batch_count);
    freshness->units = joined_digests(old.units, old.unit_count, more->units, more->unit_count,
                                      &freshness->unit_count);
    free(old.app_versions);
    free(old.batches);
    free(old.units);
}

static void add_revocations_of(struct freshness *freshness, const struct freshness *other)
{
    const struct revocations revoked = {
        .app_versions = other->app_versions,
        .app_version_count = other->app_version_count,
        .batches = other->batches,
        .batch_count = other->batch_count,
        .units = other->units,
        .unit_count = other->unit_count,
    };

    add_revocations(freshness, &revoked);
}

static enum status publish_next(struct profile *profile, const struct private_key *fresh,
                                const struct revocations *more, struct error *err)
{
    struct env *env = profile->session->env;
    CLEANUP(freshness_clear) struct freshness freshness = {0}, ours = {0};
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(freep) char *payload = NULL;
    struct published published = {0};
    struct error why = {0};

    TRY(site_behind_mend(profile, err));
    TRY(recall_signed(profile, &ours, err));
    begin_freshness(profile, &ours, env->now_s(env), &freshness);
    add_revocations_of(&freshness, &profile->trust.freshness);
    add_revocations_of(&freshness, &ours);
    add_revocations(&freshness, more);
    payload = freshness_encode(&freshness);
    envelope_init(&envelope, FRESHNESS_TYPE, payload, strlen(payload));
    TRY(envelope_sign(&envelope, fresh, err));
    if (trust_accept_freshness(&profile->trust, &envelope, env->now_s(env), &why) != REFUSAL_NONE)
        return error_set(err, STATUS_UNTRUSTED, "the new freshness does not hold: %s", why.text);
    TRY(remember_signed(profile, &envelope, err));
    TRY(publish_envelope(profile, "/v1/freshness", &envelope, PUBLISHED_FRESHNESS, &published,
                         err));
    return profile_save_trust(profile, err);
}

enum status publish_freshness(struct profile *profile, const struct private_key *fresh,
                              const struct revocations *more, struct error *err)
{
    bool was_held = profile->lock != NULL;
    enum status status;

    TRY(profile_hold(profile, err));
    status = publish_next(profile, fresh, more, err);
    if (!was_held)
        profile_release(profile);
    return status;
}
