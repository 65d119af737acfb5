#include "server/api/signatures.h"

#include "db/store.h"
#include "server/engine/published.h"

#define PAGE 64 /* builds read at once */

struct reading {
    const struct signature_judge *judge;
    struct signatures *signatures;
    int64_t app_version; /* row */
    struct digest app;
    int64_t last; /* build */
    size_t rows;
    enum status status;
    struct error *err;
};

static enum status open_envelope(struct reading *reading, struct span stored,
                                 struct envelope *ret_envelope)
{
    reading->status = envelope_decode(stored.bytes, stored.length, ENVELOPE_PAYLOAD_MAX,
                                      ret_envelope, reading->err);
    return reading->status;
}

static bool take_app(void *context, const struct app_version_view *view)
{
    struct reading *reading = context;
    CLEANUP(envelope_clear) struct envelope envelope = {0};

    if (view->id != reading->app_version)
        return false;
    reading->app = view->digest;
    if (open_envelope(reading, view->envelope, &envelope) == STATUS_OK)
        reading->signatures->app =
            published_check_app(reading->judge->published, &envelope, reading->judge->now_s);
    return false;
}

static bool take_build(void *context, const struct variant_view *view)
{
    struct reading *reading = context;
    const struct signature_judge *judge = reading->judge;
    CLEANUP(envelope_clear) struct envelope envelope = {0};

    reading->last = view->id;
    reading->rows++;
    if (open_envelope(reading, view->envelope, &envelope) != STATUS_OK)
        return false;
    reading->signatures->builds++;
    reading->signatures->unsigned_builds +=
        published_check_variant(judge->published, &reading->app, &envelope, judge->now_s) !=
        REFUSAL_NONE;
    return true;
}

enum status signatures_of_app(const struct signature_judge *judge, struct store *store,
                              int64_t app_version, struct signatures *signatures, struct error *err)
{
    struct reading reading = {
        .judge = judge, .signatures = signatures, .app_version = app_version, .err = err};

    signatures->start = published_may_start(judge->published, judge->now_s);
    TRY(store->query->app_versions(store, app_version + 1, 1, take_app, &reading, err));
    TRY(reading.status);
    do {
        reading.rows = 0;
        TRY(store->query->variants(store, app_version, reading.last, PAGE, take_build, &reading,
                                   err));
        TRY(reading.status);
    } while (reading.rows == PAGE);
    return STATUS_OK;
}

static bool take_signer(void *context, const struct signer_group *group)
{
    struct reading *reading = context;
    struct signatures *signatures = reading->signatures;
    enum refusal refusal =
        published_check_signer(reading->judge->published, group->signer, group->latest_not_before_s,
                               reading->judge->now_s);

    if (refusal == REFUSAL_NONE)
        return true;
    signatures->units = signatures->unsigned_units == 0 ? refusal : signatures->units;
    signatures->unsigned_units += group->units;
    return true;
}

enum status signatures_of_batch(const struct signature_judge *judge, struct store *store,
                                int64_t batch, int64_t most, struct signatures *signatures,
                                struct error *err)
{
    struct reading reading = {.judge = judge, .signatures = signatures, .err = err};

    return store->query->signers(store, batch, most, take_signer, &reading, err);
}

void signatures_of_unit(const struct signature_judge *judge, const struct unit *unit,
                        struct signatures *signatures)
{
    signatures->units =
        published_check_signer(judge->published, unit->signer, unit->not_before_s, judge->now_s);
    signatures->unsigned_units = signatures->units != REFUSAL_NONE && unit->copies_wanted > 0;
}
