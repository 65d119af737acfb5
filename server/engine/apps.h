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

/* The first output that may become larger than this; NULL: none. */
const struct app_output *app_output_above(const struct app_version *app, int64_t most_bytes);

/* STATUS_TOO_LARGE: an output may become larger than what the site takes. */
enum status app_check_outputs(const struct app_version *app, int64_t most_bytes, struct error *err)
    MUST_USE;

/*
 * Set is_untrusted of the app and its builds: would hosts take them as they are signed? `serial`
 * changes whenever the trust does; the answer is kept for a minute, for verifying takes long.
 * `now_s`: 0 where no validity may be judged. NULL: nobody needed it so far.
 */
const struct app *app_judged(struct apps *apps, int64_t id, const struct trust *trust,
                             uint32_t serial, int64_t now_s);

/* NULL: nobody needed it so far. */
const struct app *app_find(const struct apps *apps, int64_t id);

void apps_forget(struct apps *apps, int64_t id);

#endif
