/* Signing and publishing what the project's trust rests on: keyrings and freshness. */
#ifndef OPERATOR_PUBLISH_H
#define OPERATOR_PUBLISH_H

#include "operator/keychain.h"
#include "protocol/published.h"

#define KEYRING_LIFE_S   KEYRING_LIFE_MAX_S
#define FRESHNESS_LIFE_S (14 * DAY_S)
#define SIGNED_BEFORE_S  DAY_S /* validity begins so much earlier: clocks differ */

/* POST an envelope; what the site took has to be what was sent. */
enum status publish_envelope(struct profile *profile, const char *path,
                             const struct envelope *envelope, enum published_kind kind,
                             struct published *ret_published, struct error *err) MUST_USE;

/* Encode, check by decoding, sign with the roots, publish, follow it in the profile's trust. */
enum status publish_keyring(struct profile *profile, const struct keyring *keyring,
                            const struct private_key *roots, size_t root_count, struct error *err)
    MUST_USE;

/* What is revoked besides what was before. Zeroed: nothing. */
struct revocations {
    const struct digest *app_versions;
    size_t app_version_count;
    const struct batch_id *batches;
    size_t batch_count;
    const struct digest *units;
    size_t unit_count;
};

/* A new freshness with the next sequence, for FRESHNESS_LIFE_S. */
enum status publish_freshness(struct profile *profile, const struct private_key *fresh,
                              const struct revocations *more, struct error *err) MUST_USE;

#endif
