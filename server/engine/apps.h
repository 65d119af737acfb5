/*
 * App versions with their variants, as decisions need them. Signed things do not change, so what
 * was read once stays true; only variants are added, and then the app is read anew.
 */
#ifndef SERVER_ENGINE_APPS_H
#define SERVER_ENGINE_APPS_H

#include "common/crypto/envelope.h"
#include "server/engine/map.h"
#include "server/policy/match.h"
#include "work-units/app_version.h"

struct store;
struct trust;

struct app {
    int64_t id; /* row */
    struct digest digest;
    struct app_version version;
    struct match_app match; /* but for is_revoked; its texts are this app's */
    struct match_variant *variants;
    struct envelope envelope;
    struct envelope *variant_envelopes; /* one for each of the variants */
    uint32_t judged_serial;             /* of the trust that both were judged by ... */
    int64_t judged_until_s;             /* ... and for how long that holds */
    char **texts;                       /* owned by the app: of its variants */
    size_t text_count;
};

/* Zeroed: empty. */
struct apps {
    struct map map; /* owned apps, by row id */
};

void apps_forget_all(struct apps *apps);

/* From the store unless it is known. STATUS_NOT_FOUND. Valid until it is forgotten. */
enum status apps_need(struct apps *apps, struct store *store, int64_t id, struct error *err);

/* NULL: nobody needed it so far. */
const struct app *app_find(const struct apps *apps, int64_t id);

void apps_forget(struct apps *apps, int64_t id);

#endif
