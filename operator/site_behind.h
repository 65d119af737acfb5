/*
 * A site that lacks what this profile knows: one that was restored from an older copy, or that
 * withholds it. The keyrings that the profile published are kept in keyrings/VERSION.json, so that
 * the whole chain, changes of the root included, can be published again.
 */
#ifndef OPERATOR_SITE_BEHIND_H
#define OPERATOR_SITE_BEHIND_H

#include "operator/profile.h"

/* Keep a keyring that the site took, durably. */
enum status site_behind_keep(const struct profile *profile, const struct envelope *keyring,
                             int64_t version, struct error *err) MUST_USE;

/* Publish again the keyrings that the site lacks, as it was seen last; it lacks none: nothing. */
enum status site_behind_mend(struct profile *profile, struct error *err) MUST_USE;

/* Say once, on the session's `err`, that the site lacks the newest `what` ("freshness"). */
void site_behind_say(struct profile *profile, const char *what);

#endif
