/* The keyring after the newest one: what every change of a project's keys or places begins with. */
#ifndef OPERATOR_NEXT_KEYRING_H
#define OPERATOR_NEXT_KEYRING_H

#include "operator/profile.h"

/*
 * Like the newest that the profile trusts, of the next version, issued now and valid for
 * KEYRING_LIFE_S. Owned by the caller: keyring_clear().
 */
enum status next_keyring(const struct profile *profile, struct keyring *ret_keyring,
                         struct error *err) MUST_USE;

/* After the last change: the publishers that are not retired are valid as long as the keyring. */
void next_keyring_prolong(struct keyring *keyring);

/* So much of its validity is left, or less: time for the next one; and time to warn. */
#define KEYRING_RENEW_S (100 * DAY_S)
#define KEYRING_WARN_S  (60 * DAY_S)

/* Of the newest that the profile trusts; of none it is never time. */
bool next_keyring_is_due(const struct profile *profile);

/* STATUS_CONFLICT: the newest has ended, so that nothing that is signed would count. */
enum status next_keyring_can_wait(const struct profile *profile, struct error *err) MUST_USE;

/* A line on stderr from KEYRING_WARN_S before it ends; silent under --json. */
void next_keyring_warn(const struct profile *profile, const struct options *options);

#endif
