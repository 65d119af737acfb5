/* GET /v1/apps: what can be run here; /v1/apps/{hex}: one app version, however old. */
#include "protocol/apps.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "db/query.h"
#include "db/store.h"
#include "server/api/call.h"
#include "server/api/handlers.h"

struct listing {
    struct apps apps;
    int64_t ids[APPS_COUNT_MAX];
    char *names[APPS_COUNT_MAX];  /* owned */
    bool is_last[APPS_COUNT_MAX]; /* it may be used: older versions of it are left out */
};

static void free_listing(void *state)
{
    struct listing *listing = state;

    for (size_t i = 0; i < listing->apps.count; i++)
        free(listing->names[i]);
    apps_clear(&listing->apps);
    free(listing);
}

static char *span_text(struct span span)
{
    return text_copy_n(span.bytes, span.length);
}

/* A version that was revoked is listed, too, so that its number is not given again. */
static bool add_version(void *context, const struct app_version_view *version)
{
    struct listing *listing = context;
    size_t count = listing->apps.count;

    for (size_t i = 0; i < count; i++)
        if (listing->is_last[i] && strcmp(listing->names[i], version->name) == 0)
            return true;
    if (count == APPS_COUNT_MAX)
        return true;
    listing->ids[count] = version->id;
    listing->names[count] = text_copy(version->name);
    listing->is_last[count] = !version->is_revoked;
    listing->apps.apps[count].app_version = span_text(version->envelope);
    listing->apps.count++;
    return true;
}

static bool add_variant(void *context, const struct variant_view *variant)
{
    struct app_entry *app = context;
    CLEANUP(freep) char *envelope = span_text(variant->envelope);

    texts_add(&app->variants, envelope);
    return app->variants.count < APPS_VARIANTS_MAX;
}

static enum status read_all(struct store *store, struct listing *listing, struct error *err)
{
    TRY(store->query->app_versions(store, 0, QUERY_ROWS_MAX, add_version, listing, err));
    for (size_t i = 0; i < listing->apps.count; i++)
        TRY(store->query->variants(store, listing->ids[i], 0, APPS_VARIANTS_MAX, add_variant,
                                   &listing->apps.apps[i], err));
    return STATUS_OK;
}

static void read_apps(struct call *call, struct store *store)
{
    struct listing *listing = call->state;
    struct error err;

    listing->apps.apps = must_alloc(APPS_COUNT_MAX, sizeof *listing->apps.apps);
    if (read_all(store, listing, &err) == STATUS_OK)
        call_json(call, 200, apps_encode(&listing->apps));
    else
        call_fail(call, &err);
}

void apps_get(struct call *call)
{
    (void)call_state(call, sizeof(struct listing), free_listing);
    call_read(call, read_apps);
}

/* --- one version --- */

static bool take_envelope(void *context, const struct digest *digest, struct span envelope)
{
    struct listing *listing = context;

    (void)digest;
    listing->apps.apps[0].app_version = span_text(envelope);
    listing->apps.count = 1;
    return false;
}

static enum status read_one(struct call *call, struct store *store, struct error *err)
{
    struct listing *listing = call->state;
    struct digest digest;
    int64_t id;

    TRY(call_digest(call, 0, &digest, err));
    TRY(store->query->app_version_by_digest(store, &digest, &id, err));
    TRY(store->query->app_envelopes(store, &digest, 1, take_envelope, listing, err));
    return store->query->variants(store, id, 0, APPS_VARIANTS_MAX, add_variant,
                                  &listing->apps.apps[0], err);
}

static void read_app(struct call *call, struct store *store)
{
    struct listing *listing = call->state;
    struct error err;

    listing->apps.apps = must_alloc(1, sizeof *listing->apps.apps);
    if (read_one(call, store, &err) == STATUS_OK)
        call_json(call, 200, apps_encode(&listing->apps));
    else
        call_fail(call, &err);
}

void app_get(struct call *call)
{
    (void)call_state(call, sizeof(struct listing), free_listing);
    call_read(call, read_app);
}
