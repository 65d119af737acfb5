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

#endif
