/* Batches and their units, as operators publish them. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "db/query.h"
#include "server/engine/publications.h"

static enum status find_app(struct cycle *cycle, struct solo *solo, const struct digest *digest,
                            int64_t *ret_row, struct error *err)
{
    struct store *store = cycle->engine->store;
    enum status status = store->query->app_version_by_digest(store, digest, ret_row, err);

    if (status == STATUS_NOT_FOUND)
        (void)error_set(err, STATUS_NOT_FOUND, "there is no such app version; publish it first");
    return solo_check(solo, status, err);
}

static enum status load_batch(struct cycle *cycle, int64_t row, struct error *err)
{
    return cycle_load(cycle, &(struct work_request){.batches = &row, .batch_count = 1}, err);
}

/* The site may take less than it did when the app was added. */
static enum status check_outputs(struct cycle *cycle, struct solo *solo, int64_t app_version,
                                 struct error *err)
{
    struct engine *engine = cycle->engine;

    TRY(apps_need(&engine->apps, engine->store, app_version, err));
    return solo_check(solo,
                      app_check_outputs(&app_find(&engine->apps, app_version)->version,
                                        engine->config.upload_max, err),
                      err);
}

enum status batch_run(struct cycle *cycle, struct solo *solo, struct error *err)
{
    struct store *store = cycle->engine->store;
    struct batch_command *batch = &solo->command->batch;
    struct batch_record record = {.public_id = batch->batch,
                                  .name = batch->name,
                                  .priority = batch->priority,
                                  .needed_by_s = batch->needed_by_s,
                                  .created_s = cycle->clock.now_s};

    TRY(find_app(cycle, solo, &batch->app_version, &record.app_version, err));
    TRY(check_outputs(cycle, solo, record.app_version, err));
    TRY(solo_check(
        solo, store->publish->batch_create(store, &record, &batch->row, &batch->is_new, err), err));
    TRY(load_batch(cycle, batch->row, err));
    if (batch->is_new)
        cycle_note(cycle, JOURNAL_BATCH_STATE, batch->row, BATCH_OPEN);
    return STATUS_OK;
}

/* ----------------------------------------------------------------------------------------- units
 */

/* A slice on its way into the store. What the records point to is here. */
struct slice {
    struct unit *units;
    struct unit_record *records;
    struct digest *inputs; /* of all units, one after the other */
    size_t count;
};

static void slice_clear(struct slice *slice)
{
    for (size_t i = 0; i < slice->count; i++)
        unit_clear(&slice->units[i]);
    free(slice->units);
    free(slice->records);
    free(slice->inputs);
}

static char *join(const struct texts *texts)
{
    CLEANUP(buffer_clear) struct buffer joined;

    buffer_init(&joined, 16 * 1024);
    for (size_t i = 0; i < texts->count; i++)
        if (buffer_printf(&joined, NULL, i == 0 ? "%s" : " %s", texts->texts[i]) != STATUS_OK)
            abort(); /* the manifest's limits are far below */
    return buffer_take(&joined);
}

/* The part of a manifest that the server decides by. */
static struct unit unit_of(const struct command_unit *command)
{
    const struct work_unit *signed_unit = command->unit;
    const struct work_acceptance *acceptance = &signed_unit->acceptance;

    return (struct unit){.digest = command->digest,
                         .index = signed_unit->index,
                         .rule = {.quorum = (uint32_t)acceptance->quorum,
                                  .copies = (uint32_t)acceptance->copies,
                                  .max_failures = (uint32_t)acceptance->max_failures,
                                  .max_tasks = (uint32_t)acceptance->max_tasks,
                                  .independence = signed_unit->independence},
                         .deadline_span_s = signed_unit->deadline_s,
                         .declared_ops = signed_unit->declared_ops,
                         .memory_bytes = signed_unit->limits.memory_bytes,
                         .disk_bytes = signed_unit->limits.disk_bytes,
                         .output_bytes = signed_unit->limits.output_bytes,
                         .not_before_s = signed_unit->not_before_s,
                         .not_after_s = signed_unit->not_after_s,
                         .signer = signer_set_number(&command->signers),
                         .classes = join(&signed_unit->only.classes),
                         .platforms = join(&signed_unit->only.platforms),
                         .pinned_class = text_copy(""),
                         .state = UNIT_OPEN,
                         .copies_wanted = (uint32_t)acceptance->copies};
}

static struct unit_record record_of(const struct command_unit *command, const struct unit *unit,
                                    struct digest *inputs)
{
    struct unit_record record = {
        .unit = unit,
        .name = command->unit->name.text,
        .envelope = {.bytes = command->envelope, .length = command->envelope_length},
        .inputs = inputs};

    for (size_t i = 0; i < command->unit->input_count; i++)
        if (!command->unit->inputs[i].is_inline)
            inputs[record.input_count++] = command->unit->inputs[i].digest;
    return record;
}

static void prepare(const struct units_command *command, struct slice *ret_slice)
{
    size_t inputs = 0;

    for (size_t i = 0; i < command->count; i++)
        inputs += command->units[i].unit->input_count;
    *ret_slice = (struct slice){.units = must_alloc(command->count, sizeof(struct unit)),
                                .records = must_alloc(command->count, sizeof(struct unit_record)),
                                .inputs = must_alloc(inputs, sizeof(struct digest))};
    inputs = 0;
    for (size_t i = 0; i < command->count; i++) {
        ret_slice->units[i] = unit_of(&command->units[i]);
        ret_slice->records[i] =
            record_of(&command->units[i], &ret_slice->units[i], ret_slice->inputs + inputs);
        inputs += ret_slice->records[i].input_count;
        ret_slice->count++;
    }
}

static enum status check_unit(const struct engine *engine, const struct batch *batch,
                              const struct app *app, const struct command_unit *unit,
                              struct error *err)
{
    const struct freshness *freshness = &engine->trust.freshness;

    if (batch_compare(&unit->unit->batch, &batch->public_id) != 0)
        return error_set(err, STATUS_INVALID, "unit %s is of another batch", unit->unit->name.text);
    if (!digest_equals(&unit->unit->app_version, &app->digest))
        return error_set(err, STATUS_INVALID, "unit %s is of another app version",
                         unit->unit->name.text);
    if (unit->unit->only.organisations.count > 0)
        return error_set(err, STATUS_INVALID,
                         "unit %s is for organisations alone, and no host here is of one",
                         unit->unit->name.text);
    if (engine->trust.has_freshness && (freshness_revokes_batch(freshness, &batch->public_id) ||
                                        freshness_revokes_unit(freshness, &unit->digest) ||
                                        freshness_revokes_app_version(freshness, &app->digest)))
        return error_set(err, STATUS_UNTRUSTED, "unit %s, its batch or its app version was revoked",
                         unit->unit->name.text);
    return STATUS_OK;
}

static enum status check_batch(const struct batch *batch, struct error *err)
{
    if (batch->state == BATCH_CANCELLED)
        return error_set(err, STATUS_GONE, "the batch was cancelled");
    if (batch->is_closed)
        return error_set(err, STATUS_GONE, "the batch was closed: it takes no more units");
    return STATUS_OK;
}

static enum status find_batch(struct cycle *cycle, struct solo *solo, struct batch **ret_batch,
                              struct error *err)
{
    struct engine *engine = cycle->engine;
    int64_t row;
    enum status status =
        engine->store->query->batch_by_id(engine->store, &solo->command->units.batch, &row, err);

    if (status == STATUS_NOT_FOUND)
        (void)error_set(err, STATUS_NOT_FOUND, "there is no such batch");
    TRY(solo_check(solo, status, err));
    TRY(load_batch(cycle, row, err));
    *ret_batch = work_batch(&cycle->set, row);
    assert(*ret_batch != NULL);
    return apps_need(&engine->apps, engine->store, (*ret_batch)->app_version, err);
}

static void hint_at(struct solo *solo, const struct batch *batch, const struct unit_record *record)
{
    const struct unit *unit = record->unit;
    struct ready_hint *hint = &solo->units[solo->unit_count++].hint;

    *hint = (struct ready_hint){.unit = record->ret_id,
                                .batch = batch->id,
                                .app_version = batch->app_version,
                                .copies_wanted = unit->copies_wanted,
                                .memory_bytes = unit->memory_bytes,
                                .disk_bytes = unit_room_bytes(unit),
                                .declared_ops = unit->declared_ops,
                                .not_before_s = unit->not_before_s,
                                .not_after_s = unit->not_after_s,
                                .signer = unit->signer};
    (void)text_fit(hint->classes, sizeof hint->classes, unit->classes);
    (void)text_fit(hint->platforms, sizeof hint->platforms, unit->platforms);
}

/* With a unit before it, which has the same number. */
static bool is_put(const struct slice *slice, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (slice->units[i].signer == slice->units[at].signer)
            return true;
    return false;
}

/*
 * Several signed some of them: these are good as long as one of them is. A site that has met
 * SIGNER_SETS_MAX sets takes one of them for all. What the trust knows may be more than the store
 * does: a cycle that learned it may have been rolled back.
 */
static enum status keep_signers(struct cycle *cycle, const struct units_command *command,
                                struct slice *slice, struct error *err)
{
    struct store *store = cycle->engine->store;

    for (size_t i = 0; i < slice->count; i++) {
        const struct signer_set *signers = &command->units[i].signers;

        if (signers->count == 1 || is_put(slice, i))
            continue;
        if (trust_learn_signers(&cycle->engine->trust, signers))
            TRY(store->publish->signers_put(store, signers, err));
        else
            slice->units[i].signer = signers->signers[0];
    }
    return STATUS_OK;
}

static enum status add_units(struct cycle *cycle, struct solo *solo, const struct batch *batch,
                             struct error *err)
{
    struct store *store = cycle->engine->store;
    struct units_command *command = &solo->command->units;
    CLEANUP(slice_clear) struct slice slice = {0};
    size_t added = 0;

    prepare(command, &slice);
    TRY(keep_signers(cycle, command, &slice, err));
    TRY(solo_check(
        solo, store->publish->units_add(store, batch->id, slice.records, slice.count, &added, err),
        err));
    free(solo->units);
    solo->units = must_alloc(slice.count, sizeof *solo->units);
    for (size_t i = 0; i < slice.count; i++)
        if (!slice.records[i].ret_is_known)
            hint_at(solo, batch, &slice.records[i]);
    command->added = (int64_t)added;
    command->known = (int64_t)(slice.count - added);
    if (added > 0)
        cycle_note(cycle, JOURNAL_BATCH_UNITS, batch->id, (int64_t)added);
    return STATUS_OK;
}

enum status units_run(struct cycle *cycle, struct solo *solo, struct error *err)
{
    const struct units_command *command = &solo->command->units;
    struct batch *batch = NULL;
    const struct app *app;

    assert(command->count >= 1 && command->count <= COMMAND_UNITS_MAX);
    TRY(find_batch(cycle, solo, &batch, err));
    app = app_find(&cycle->engine->apps, batch->app_version);
    TRY(solo_check(solo, check_batch(batch, err), err));
    TRY(check_outputs(cycle, solo, batch->app_version, err));
    for (size_t i = 0; i < command->count; i++)
        TRY(solo_check(solo, check_unit(cycle->engine, batch, app, &command->units[i], err), err));
    return add_units(cycle, solo, batch, err);
}
