/* GET /v1/apps: of each name the newest version that can be run, and newer ones that were revoked;
 * the newest first. GET /v1/apps/{hex}: one app version by its digest, in the same form. */
#ifndef PROTOCOL_APPS_H
#define PROTOCOL_APPS_H

#include "protocol/words.h"

#define APPS_MAX          (4 * 1024 * 1024)
#define APPS_COUNT_MAX    1000
#define APPS_VARIANTS_MAX 64

struct app_entry {
    char *app_version;     /* owned envelope */
    struct texts variants; /* envelopes */
};

struct apps {
    size_t count;
    struct app_entry *apps; /* owned */
};

void apps_clear(struct apps *apps);
enum status apps_decode(const char *body, size_t length, struct apps *ret_apps, struct error *err)
    MUST_USE;
char *apps_encode(const struct apps *apps);

#endif
