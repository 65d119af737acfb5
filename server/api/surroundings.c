#include "server/api/surroundings.h"

#include "db/store.h"
#include "server/api/call.h"
#include "server/engine/apps.h"

static bool add_refused(void *context, const struct refused_group *group)
{
    struct waiting_facts *facts = context;

    facts->refused[facts->refused_count++] = *group;
    return facts->refused_count < WAITING_REFUSED_MAX;
}

struct reading {
    struct store *store;
    struct waiting_facts *facts;
    const struct unit *unit;
    enum status status;
    struct error *err;
};

static void take_outputs(const struct app_version *app, struct waiting_facts *facts)
{
    const struct app_output *output = app_output_above(app, facts->upload_max_bytes);

    if (output == NULL)
        return;
    facts->output = output->name;
    facts->output_bytes = output->max_bytes;
}

static bool take_app(void *context, const struct app_version_view *view)
{
    struct reading *reading = context;
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(app_version_clear) struct app_version app = {0};

    if (view->id != reading->unit->app_version)
        return false;
    reading->status = envelope_decode(view->envelope.bytes, view->envelope.length,
                                      ENVELOPE_PAYLOAD_MAX, &envelope, reading->err);
    if (reading->status == STATUS_OK)
        reading->status =
            app_version_decode(envelope.payload, envelope.payload_length, &app, reading->err);
    if (reading->status != STATUS_OK)
        return false;
    take_outputs(&app, reading->facts);
    reading->status =
        offers_read(reading->store, &app, reading->unit, reading->facts->now_s - DAY_S,
                    &reading->facts->offers, reading->err);
    return false;
}

static enum status read_app(struct store *store, const struct unit *unit,
                            struct waiting_facts *facts, struct error *err)
{
    struct reading reading = {.store = store, .facts = facts, .unit = unit, .err = err};

    TRY(store->query->app_versions(store, unit->app_version + 1, 1, take_app, &reading, err));
    return reading.status;
}

enum status surroundings_read(const struct call *call, struct store *store, const struct unit *unit,
                              struct surroundings *ret_surroundings,
                              struct waiting_facts *ret_facts, struct error *err)
{
    const int64_t app_version = unit->app_version;
    const struct engine_clock clock = engine_clock(call->api->engine);
    struct waiting_facts facts = {.now_s = clock.now_s};
    struct project_parts parts;

    facts.upload_max_bytes = call->api->limits.upload_max;
    TRY(read_app(store, unit, &facts, err));
    TRY(store->query->supply(store, app_version, facts.now_s - DAY_S, facts.now_s / DAY_S,
                             &facts.supply, err));
    published_project(call->api->published, &parts);
    facts.has_freshness = parts.freshness_sequence > 0;
    project_parts_clear(&parts);
    ret_surroundings->stops = published_stops(call->api->published);
    ret_surroundings->clock = clock;
    facts.why_stopped = ret_surroundings->stops.issuing ? ret_surroundings->stops.why : "";
    facts.why_no_uploads = ret_surroundings->stops.uploads ? ret_surroundings->stops.why : "";
    ret_surroundings->judge = (struct signature_judge){
        .published = call->api->published, .now_s = clock.is_in_doubt ? 0 : clock.now_s};
    TRY(signatures_of_app(&ret_surroundings->judge, store, app_version, &facts.signatures, err));
    TRY(store->query->refused(store, app_version, facts.now_s - DAY_S, WAITING_REFUSED_MAX,
                              add_refused, &facts, err));
    facts.clock_doubt = clock.is_in_doubt ? ret_surroundings->clock.why : "";
    *ret_facts = facts;
    return STATUS_OK;
}
