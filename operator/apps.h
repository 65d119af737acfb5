/* What the site can run, checked against the project's keys. */
#ifndef OPERATOR_APPS_H
#define OPERATOR_APPS_H

#include "operator/profile.h"
#include "protocol/apps.h"
#include "work-units/work_unit.h"

/* How an app version of the project stands; apps_find_any() alone finds others than the first. */
enum app_standing {
    APP_HOLDS = 1,
    APP_UNSIGNED,  /* the key that signed it ran out, was revoked or no longer covers it */
    APP_WITHDRAWN, /* it was itself revoked, for good */
};

/* An app version of the project. */
struct known_app {
    struct envelope envelope;
    struct app_version app;
    enum app_standing standing;
    struct texts variants; /* envelopes as JSON, unchecked */
};

void known_app_clear(struct known_app *known); /* for CLEANUP(), too */

/* Does it differ from `app` in nothing but its number? */
bool known_app_is_like(const struct known_app *known, const struct app_version *app);

/*
 * How it stands to a variant of that platform and identity. VARIANT_UNSIGNED: it is there, and to
 * be signed anew, for its signature does not hold (any more). Needs profile->trust.
 */
enum variant_standing { VARIANT_LACKS, VARIANT_UNSIGNED, VARIANT_IS_THERE, VARIANT_DIFFERS };
enum variant_standing known_app_variant(const struct profile *profile,
                                        const struct known_app *known, const char *platform,
                                        const struct digest *digest);

/*
 * The newest version of that name which the project signed. STATUS_NOT_FOUND: there is none. The
 * project may be stale: renew it before anything is signed. Needs profile->trust.
 */
enum status apps_find(struct profile *profile, const char *name, struct known_app *ret_known,
                      struct error *err) MUST_USE;

/* The same, for units to be signed that may run only there. STATUS_CONFLICT: no variant of it has a
 * signature that holds and is for there, so that nobody would ever run them. */
enum status apps_find_runnable(struct profile *profile, const char *name,
                               const struct work_only *only, struct known_app *ret_known,
                               struct error *err) MUST_USE;

/*
 * The newest version that was ever published, however it stands: to be signed anew or succeeded,
 * not to be used.
 */
enum status apps_find_any(struct profile *profile, const char *name, struct known_app *ret_known,
                          struct error *err) MUST_USE;

/* STATUS_NOT_FOUND: the site has no app version of that digest, whoever signed it. */
enum status apps_know(struct profile *profile, const struct digest *app_version, struct error *err)
    MUST_USE;

#endif
