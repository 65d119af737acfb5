#include "server/engine/oversized.h"

#include "common/base/log.h"
#include "db/query.h"
#include "db/store.h"
#include "server/engine/state.h"

#define PAGE 64

struct looking {
    struct engine *engine;
    int64_t last; /* row of the app version looked at */
    size_t rows;
    int64_t apps, units; /* that are too large, and theirs that have not ended */
    enum status status;
    struct error *err;
};

static void warn(const struct looking *looking, const struct app_version *app,
                 const struct app_output *output, int64_t units)
{
    if (looking->apps > OVERSIZED_SAID_MAX)
        return;
    LOG(LOG_WARN, "app.output_too_large", LOG_S("app", app->name.text),
        LOG_N("version", app->version), LOG_S("output", output->name.text),
        LOG_N("bytes", output->max_bytes), LOG_N("upload_max", looking->engine->config.upload_max),
        LOG_N("units", units));
}

static enum status judge(struct looking *looking, const struct app_version_view *view)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(app_version_clear) struct app_version app = {0};
    struct engine *engine = looking->engine;
    const struct app_output *output;
    int64_t units = 0;

    TRY(envelope_decode(view->envelope.bytes, view->envelope.length, ENVELOPE_PAYLOAD_MAX,
                        &envelope, looking->err));
    TRY(app_version_decode(envelope.payload, envelope.payload_length, &app, looking->err));
    output = app_output_above(&app, engine->config.upload_max);
    if (output == NULL)
        return STATUS_OK;
    TRY(engine->store->query->app_units(engine->store, view->id, &units, looking->err));
    looking->apps++;
    looking->units += units;
    warn(looking, &app, output, units);
    return STATUS_OK;
}

static bool look(void *context, const struct app_version_view *view)
{
    struct looking *looking = context;

    looking->last = view->id;
    looking->rows++;
    looking->status = view->is_revoked ? STATUS_OK : judge(looking, view);
    return looking->status == STATUS_OK;
}

enum status oversized_warn(struct engine *engine, struct error *err)
{
    struct looking looking = {.engine = engine, .err = err};
    const struct query_ops *query = engine->store->query;

    do {
        looking.rows = 0;
        TRY(query->app_versions(engine->store, looking.last, PAGE, look, &looking, err));
        TRY(looking.status);
    } while (looking.rows == PAGE);
    if (looking.apps > 0)
        LOG(LOG_WARN, "site.upload_max_low", LOG_N("apps", looking.apps),
            LOG_N("units", looking.units), LOG_N("upload_max", engine->config.upload_max),
            LOG_S("why", "outputs may become larger than upload_max: no copy of these units is "
                         "sent, until it is raised or they are submitted again with an app of "
                         "lower maxima"));
    return STATUS_OK;
}
