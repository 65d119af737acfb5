/* What the site can run, checked against the project's keys. */
#ifndef OPERATOR_APPS_H
#define OPERATOR_APPS_H

#include "operator/profile.h"
#include "protocol/apps.h"

/* An app version of the project. */
struct known_app {
    struct envelope envelope;
    struct app_version app;
    struct texts variants; /* envelopes as JSON, unchecked */
};

void known_app_clear(struct known_app *known); /* for CLEANUP(), too */

/*
 * The newest version of that name which the project signed. STATUS_NOT_FOUND: there is none.
 * Needs profile->trust.
 */
enum status apps_find(struct profile *profile, const char *name, struct known_app *ret_known,
                      struct error *err) MUST_USE;

#endif
