/*
 * Freshness: that the project's keys are still in their owner's hands, and what was taken back.
 * Signed by a `fresh` key.
 *
 * {"type", "project": digest, "sequence": 1.., "issued", "expires", "keyring_version": 1..,
 *  "keyring": digest, "revoked": {"app_versions": [digests], "batches": [32 hex], "units": []}}
 */
#ifndef WORK_UNITS_FRESHNESS_H
#define WORK_UNITS_FRESHNESS_H

#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "work-units/names.h"

#define FRESHNESS_TYPE        "application/vnd.dugnad.freshness+json"
#define FRESHNESS_LIFE_MAX_S  (60 * DAY_S)
#define FRESHNESS_REVOKED_MAX 1024 /* of each kind; the payload's 64 KiB may allow fewer */

struct freshness {
    struct digest project;
    int64_t sequence; /* 1.., rises */
    int64_t issued_s;
    int64_t expires_s;           /* up to FRESHNESS_LIFE_MAX_S after issued_s */
    int64_t keyring_version;     /* the newest ... */
    struct digest keyring;       /* ... and its identity */
    struct digest *app_versions; /* owned: revoked ones */
    size_t app_version_count;
    struct batch_id *batches; /* owned: revoked ones */
    size_t batch_count;
    struct digest *units; /* owned: revoked ones */
    size_t unit_count;
};

/* As keyring_decode(), keyring_encode(). */
enum status freshness_decode(const char *payload, size_t length, struct freshness *ret_freshness,
                             struct error *err) MUST_USE;
char *freshness_encode(const struct freshness *freshness);
void freshness_clear(struct freshness *freshness);

bool freshness_revokes_app_version(const struct freshness *freshness, const struct digest *digest);
bool freshness_revokes_batch(const struct freshness *freshness, const struct batch_id *batch);
bool freshness_revokes_unit(const struct freshness *freshness, const struct digest *digest);

#endif
