#include "work-units/freshness.h"

#include <stdlib.h>

#include "common/json/build.h"
#include "common/json/profile.h"

void freshness_clear(struct freshness *freshness)
{
    free(freshness->app_versions);
    free(freshness->batches);
    free(freshness->units);
    *freshness = (struct freshness){0};
}

static struct digest *read_digests(struct members *part, const char *name, size_t *ret_count)
{
    struct members_list list = members_list(part, name, 0, FRESHNESS_REVOKED_MAX);
    struct digest *digests = must_alloc(list.count, sizeof *digests);

    for (size_t i = 0; i < list.count; i++)
        digests[i] = list_digest(&list, i);
    *ret_count = list.count;
    return digests;
}

static struct batch_id *read_batches(struct members *part, size_t *ret_count)
{
    struct members_list list = members_list(part, "batches", 0, FRESHNESS_REVOKED_MAX);
    struct batch_id *batches = must_alloc(list.count, sizeof *batches);

    for (size_t i = 0; i < list.count; i++)
        list_hex(&list, i, batches[i].bytes, BATCH_BYTES);
    *ret_count = list.count;
    return batches;
}

static void read_revoked(struct members *members, struct freshness *freshness)
{
    struct members part;

    members_object(members, "revoked", &part);
    freshness->app_versions = read_digests(&part, "app_versions", &freshness->app_version_count);
    freshness->batches = read_batches(&part, &freshness->batch_count);
    freshness->units = read_digests(&part, "units", &freshness->unit_count);
    members_end_part(&part);
}

static void read_life(struct members *members, struct freshness *freshness)
{
    freshness->issued_s = members_time(members, "issued");
    freshness->expires_s = members_time(members, "expires");
    if (!members_failed(members) &&
        (freshness->expires_s <= freshness->issued_s ||
         freshness->expires_s - freshness->issued_s > FRESHNESS_LIFE_MAX_S))
        members_fail(members, "expires", "bad-number", "is not up to 60 days after issued");
}

enum status freshness_decode(const char *payload, size_t length, struct freshness *ret_freshness,
                             struct error *err)
{
    CLEANUP(freshness_clear) struct freshness freshness = {.sequence = 0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(profile_parse(payload, length, &profile_payload, &root, err));
    members_begin(&members, root, err);
    members_type(&members, FRESHNESS_TYPE);
    freshness.project = members_digest(&members, "project");
    freshness.sequence = members_integer(&members, "sequence", 1, PROFILE_INTEGER_MAX);
    read_life(&members, &freshness);
    freshness.keyring_version =
        members_integer(&members, "keyring_version", 1, PROFILE_INTEGER_MAX);
    freshness.keyring = members_digest(&members, "keyring");
    read_revoked(&members, &freshness);
    TRY(members_end(&members));

    *ret_freshness = freshness;
    freshness = (struct freshness){.sequence = 0};
    return STATUS_OK;
}

static json_t *digests_to_json(const struct digest *digests, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        build_append(list, digest_to_json(&digests[i]));
    return list;
}

static json_t *batches_to_json(const struct batch_id *batches, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        build_append(list, json_string(batch_format(&batches[i]).text));
    return list;
}

char *freshness_encode(const struct freshness *freshness)
{
    json_auto_t *root = json_pack(
        "{s:s, s:o, s:I, s:I, s:I, s:I, s:o, s:{s:o, s:o, s:o}}", "type", FRESHNESS_TYPE, "project",
        digest_to_json(&freshness->project), "sequence", (json_int_t)freshness->sequence, "issued",
        (json_int_t)freshness->issued_s, "expires", (json_int_t)freshness->expires_s,
        "keyring_version", (json_int_t)freshness->keyring_version, "keyring",
        digest_to_json(&freshness->keyring), "revoked", "app_versions",
        digests_to_json(freshness->app_versions, freshness->app_version_count), "batches",
        batches_to_json(freshness->batches, freshness->batch_count), "units",
        digests_to_json(freshness->units, freshness->unit_count));

    return profile_print(root);
}

static bool is_among(const struct digest *digests, size_t count, const struct digest *digest)
{
    for (size_t i = 0; i < count; i++)
        if (digest_equals(&digests[i], digest))
            return true;
    return false;
}

bool freshness_revokes_app_version(const struct freshness *freshness, const struct digest *digest)
{
    return is_among(freshness->app_versions, freshness->app_version_count, digest);
}

bool freshness_revokes_batch(const struct freshness *freshness, const struct batch_id *batch)
{
    for (size_t i = 0; i < freshness->batch_count; i++)
        if (batch_compare(&freshness->batches[i], batch) == 0)
            return true;
    return false;
}

bool freshness_revokes_unit(const struct freshness *freshness, const struct digest *digest)
{
    return is_among(freshness->units, freshness->unit_count, digest);
}
