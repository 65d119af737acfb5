#include "server/engine/apps.h"

#include <stdlib.h>

#include "common/base/text.h"
#include "common/crypto/envelope.h"
#include "db/query.h"
#include "db/store.h"
#include "work-units/trust.h"

#define PAGE         256 /* variants read at once */
#define JUDGED_FOR_S 60

static void app_free(struct app *app)
{
    for (size_t i = 0; i < app->text_count; i++)
        free(app->texts[i]);
    free(app->texts);
    for (size_t i = 0; i < app->match.variant_count; i++)
        envelope_clear(&app->variant_envelopes[i]);
    free(app->variant_envelopes);
    free(app->variants);
    envelope_clear(&app->envelope);
    app_version_clear(&app->version);
    free(app);
}
DEFINE_CLEANUP(struct app *, app_free)

void apps_forget_all(struct apps *apps)
{
    struct app *app;
    size_t cursor = 0;

    while ((app = map_next(&apps->map, &cursor)) != NULL)
        app_free(app);
    map_clear(&apps->map);
}

const struct app *app_find(const struct apps *apps, int64_t id)
{
    return map_get(&apps->map, id);
}

void apps_forget(struct apps *apps, int64_t id)
{
    struct app *app = map_take(&apps->map, id);

    if (app != NULL)
        app_free(app);
}

struct reading {
    struct app *app;
    int64_t last; /* id of the last variant of the page */
    size_t rows;
    bool is_found;
    enum status status;
    struct error *err;
};

static bool take_version(void *context, const struct app_version_view *view)
{
    struct reading *reading = context;
    struct envelope *envelope = &reading->app->envelope;

    if (view->id != reading->app->id)
        return false;
    reading->is_found = true;
    reading->app->digest = view->digest;
    reading->status = envelope_decode(view->envelope.bytes, view->envelope.length,
                                      ENVELOPE_PAYLOAD_MAX, envelope, reading->err);
    if (reading->status == STATUS_OK)
        reading->status = app_version_decode(envelope->payload, envelope->payload_length,
                                             &reading->app->version, reading->err);
    return false;
}

static char *keep_text(struct app *app, const char *text)
{
    char *copy = text_copy(text);

    app->texts = realloc(app->texts, (app->text_count + 1) * sizeof *app->texts);
    if (app->texts == NULL)
        abort();
    app->texts[app->text_count++] = copy;
    return copy;
}

static void make_room(struct app *app)
{
    size_t count = app->match.variant_count + 1;

    app->variants = realloc(app->variants, count * sizeof *app->variants);
    app->variant_envelopes =
        realloc(app->variant_envelopes, count * sizeof *app->variant_envelopes);
    if (app->variants == NULL || app->variant_envelopes == NULL)
        abort();
}

static bool take_variant(void *context, const struct variant_view *view)
{
    struct reading *reading = context;
    struct app *app = reading->app;
    size_t at = app->match.variant_count;

    make_room(app);
    app->variant_envelopes[at] = (struct envelope){0};
    app->match.variant_count++;
    app->variants[at] = (struct match_variant){.digest = view->digest,
                                               .platform = keep_text(app, view->platform),
                                               .class_name = keep_text(app, view->class_name)};
    reading->status =
        envelope_decode(view->envelope.bytes, view->envelope.length, ENVELOPE_PAYLOAD_MAX,
                        &app->variant_envelopes[at], reading->err);
    reading->last = view->id;
    reading->rows++;
    return reading->status == STATUS_OK;
}

static enum status read_variants(struct reading *reading, struct store *store, struct error *err)
{
    do {
        reading->rows = 0;
        TRY(store->query->variants(store, reading->app->id, reading->last, PAGE, take_variant,
                                   reading, err));
        TRY(reading->status);
    } while (reading->rows == PAGE);
    return STATUS_OK;
}

enum status apps_need(struct apps *apps, struct store *store, int64_t id, struct error *err)
{
    CLEANUP(app_freep) struct app *app = NULL;
    struct reading reading = {.err = err};

    if (app_find(apps, id) != NULL)
        return STATUS_OK;
    app = must_alloc(1, sizeof *app);
    app->id = id;
    reading.app = app;
    TRY(store->query->app_versions(store, id + 1, 1, take_version, &reading, err));
    TRY(reading.status);
    if (!reading.is_found)
        return error_set(err, STATUS_NOT_FOUND, "this site has no such app version");
    TRY(read_variants(&reading, store, err));
    app->match.variants = app->variants;
    app->match.layers = (const char *const *)app->version.layers.texts;
    app->match.layer_count = app->version.layers.count;
    map_put(&apps->map, id, TAKE(app));
    return STATUS_OK;
}

const struct app_output *app_output_above(const struct app_version *app, int64_t most_bytes)
{
    for (size_t i = 0; i < app->output_count && app->limits.output_bytes > most_bytes; i++)
        if (app->outputs[i].max_bytes > most_bytes)
            return &app->outputs[i];
    return NULL;
}

enum status app_check_outputs(const struct app_version *app, int64_t most_bytes, struct error *err)
{
    const struct app_output *output = app_output_above(app, most_bytes);

    if (output == NULL)
        return STATUS_OK;
    return error_set(err, STATUS_TOO_LARGE,
                     "its output %.64s may have up to %lld bytes, and this site takes up to "
                     "%lld (upload_max): declare a lower maximum, or have the site take more",
                     output->name.text, (long long)output->max_bytes, (long long)most_bytes);
}

static bool is_variant_trusted(const struct app *app, size_t at, const struct trust *trust,
                               const struct trust_moment *moment)
{
    CLEANUP(variant_clear) struct variant variant = {0};
    const struct checked_app checked = {.digest = app->digest, .app = &app->version};

    return trust_check_variant(trust, &app->variant_envelopes[at], &checked, moment, &variant,
                               NULL) == REFUSAL_NONE;
}

static void judge(struct app *app, const struct trust *trust, const struct trust_moment *moment)
{
    CLEANUP(app_version_clear) struct app_version version = {0};

    app->match.is_untrusted =
        trust_check_app_version(trust, &app->envelope, moment, &version, NULL) != REFUSAL_NONE;
    for (size_t i = 0; i < app->match.variant_count; i++)
        app->variants[i].is_untrusted = !is_variant_trusted(app, i, trust, moment);
}

const struct app *app_judged(struct apps *apps, int64_t id, const struct trust *trust,
                             uint32_t serial, int64_t now_s)
{
    struct app *app = map_get(&apps->map, id);
    const struct trust_moment moment = {.purpose = now_s != 0 ? TRUST_START : TRUST_FINISH,
                                        .now_s = now_s};

    if (app == NULL || (app->judged_serial == serial && now_s < app->judged_until_s &&
                        now_s >= app->judged_until_s - JUDGED_FOR_S))
        return app;
    judge(app, trust, &moment);
    app->judged_serial = serial;
    app->judged_until_s = now_s + JUDGED_FOR_S;
    return app;
}
