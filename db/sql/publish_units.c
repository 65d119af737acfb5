/* Units that an operator adds to a batch, in slices. */
#include <assert.h>
#include <string.h>

#include "db/sql/publish.h"
#include "db/sql/slice.h"

static enum status refuse_revoked(struct sql_store *self, enum revoked_kind kind,
                                  const struct digest *subject, const char *words,
                                  struct error *err)
{
    bool is_revoked;

    TRY(find_revoked(self, kind, subject, &is_revoked, err));
    if (!is_revoked)
        return STATUS_OK;
    error_set(err, STATUS_UNTRUSTED, "%s", words);
    error_code(err, "revoked");
    return STATUS_UNTRUSTED;
}

static enum status check_batch(struct slice *slice, bool is_closed, enum batch_state state,
                               const struct digest *public_id, const struct digest *app_version,
                               struct error *err)
{
    if (state == BATCH_CANCELLED || state == BATCH_FINISHED)
        return error_set(err, STATUS_GONE, "the batch has ended: it takes no more units");
    if (is_closed)
        return error_set(err, STATUS_GONE, "the batch is closed: it takes no more units");
    TRY(refuse_revoked(slice->self, REVOKED_BATCH, public_id, "the batch is revoked", err));
    return refuse_revoked(slice->self, REVOKED_APP_VERSION, app_version,
                          "the batch's app version is revoked", err);
}

enum status slice_open(struct slice *slice, struct error *err)
{
    static const char sql[] =
        "SELECT b.closed, b.state, b.app_version, b.public_id, a.digest FROM batch b"
        " JOIN app_version a ON a.id = b.app_version WHERE b.id = ?";
    CLEANUP(query_end) struct query query = {0};
    struct digest public_id = {0}, app_version;
    enum batch_state state;
    struct span id;
    bool is_closed;

    TRY(query_begin(&query, slice->self, sql, err));
    bind_integer(&query, slice->batch);
    if (!query_next(&query)) {
        TRY(query_status(&query, err));
        return error_set(err, STATUS_NOT_FOUND, "no such batch");
    }
    is_closed = get_bool(&query);
    state = (enum batch_state)get_integer(&query);
    slice->app_version = get_integer(&query);
    id = get_span(&query);
    if (id.length == sizeof(struct batch_id))
        memcpy(public_id.bytes, id.bytes, id.length);
    app_version = get_digest(&query);
    return check_batch(slice, is_closed, state, &public_id, &app_version, err);
}

/* Sets what is said of a known unit; `ret_is_known` false: it is to be added. */
static enum status look_up(const struct slice *slice, struct unit_record *record, struct error *err)
{
    static const char sql[] = "SELECT id, batch FROM unit WHERE digest = ?";
    CLEANUP(query_end) struct query query = {0};

    record->ret_is_known = false;
    TRY(query_begin(&query, slice->self, sql, err));
    bind_digest(&query, &record->unit->digest);
    if (!query_next(&query))
        return query_status(&query, err);
    record->ret_is_known = true;
    record->ret_id = get_integer(&query);
    if (get_integer(&query) != slice->batch)
        return error_set(err, STATUS_CONFLICT, "unit %s is in another batch already", record->name);
    return STATUS_OK;
}

static void bind_rule(struct query *query, const struct unit *unit)
{
    bind_integer(query, unit->rule.quorum);
    bind_integer(query, unit->rule.copies);
    bind_integer(query, unit->rule.max_failures);
    bind_integer(query, unit->rule.max_tasks);
    bind_integer(query, unit->rule.independence);
    bind_integer(query, unit->deadline_span_s);
    bind_integer(query, unit->declared_ops);
    bind_integer(query, unit->memory_bytes);
    bind_integer(query, unit->disk_bytes);
    bind_integer(query, unit->output_bytes);
    bind_integer(query, unit->not_before_s);
    bind_integer(query, unit->not_after_s);
    bind_integer(query, unit->signer);
    bind_text(query, unit->classes);
    bind_text(query, unit->platforms);
    bind_digest(query, &unit->digest);
}

static enum status insert_unit(const struct slice *slice, const struct unit_record *record,
                               struct error *err)
{
    static const char sql[] =
        "INSERT INTO unit (quorum, copies, max_failures, max_tasks, independence, deadline_span_s,"
        " declared_ops, memory_bytes, disk_bytes, output_bytes, not_before_s, not_after_s,"
        " signer, classes, platforms, digest, id, batch, app_version, position, copies_wanted, "
        "state, version, failure,"
        " revision, pinned_class)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 0, '')"
        " ON CONFLICT (batch, position) DO NOTHING";
    const struct unit *unit = record->unit;
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, slice->self, sql, err));
    bind_rule(&query, unit);
    bind_integer(&query, record->ret_id);
    bind_integer(&query, slice->batch);
    bind_integer(&query, slice->app_version);
    bind_integer(&query, unit->index);
    bind_integer(&query, unit->rule.copies);
    bind_integer(&query, UNIT_OPEN);
    TRY(query_run(&query, err));
    if (query_changes(&query) == 0)
        return error_set(err, STATUS_CONFLICT,
                         "unit %s: index %lld of the batch is taken by another unit", record->name,
                         (long long)unit->index);
    return STATUS_OK;
}

static enum status insert_manifest(const struct slice *slice, const struct unit_record *record,
                                   struct error *err)
{
    static const char sql[] = "INSERT INTO manifest (unit, batch, name, envelope)"
                              " VALUES (?, ?, ?, ?) ON CONFLICT (batch, name) DO NOTHING";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, slice->self, sql, err));
    bind_integer(&query, record->ret_id);
    bind_integer(&query, slice->batch);
    bind_text(&query, record->name);
    bind_span(&query, record->envelope);
    TRY(query_run(&query, err));
    if (query_changes(&query) == 0)
        return error_set(err, STATUS_CONFLICT, "unit %s: another unit of the batch has this name",
                         record->name);
    return STATUS_OK;
}

/* Inputs are kept for the whole batch: units of a batch mostly share them. */
static enum status refer_to_inputs(const struct slice *slice, const struct unit_record *record,
                                   struct error *err)
{
    for (size_t i = 0; i < record->input_count; i++) {
        TRY(require_file(slice->self, &record->inputs[i], record->name, err));
        TRY(publish_file_refer(&slice->self->base, &record->inputs[i], FILE_INPUT, slice->batch,
                               err));
    }
    return STATUS_OK;
}

static enum status add_unit(struct slice *slice, struct unit_record *record, struct error *err)
{
    TRY(look_up(slice, record, err));
    if (record->ret_is_known)
        return STATUS_OK;
    TRY(refuse_revoked(slice->self, REVOKED_UNIT, &record->unit->digest, "the unit is revoked",
                       err));
    if (slice->next_id == 0)
        TRY(ids_take(slice->self, ID_UNIT, slice->count, &slice->next_id, err));
    record->ret_id = slice->next_id++;
    TRY(insert_unit(slice, record, err));
    TRY(insert_manifest(slice, record, err));
    TRY(refer_to_inputs(slice, record, err));
    slice->added++;
    return STATUS_OK;
}

enum status slice_count(const struct slice *slice, struct error *err)
{
    static const char sql[] =
        "UPDATE batch SET units = units + ?1, version = version + 1,"
        " first_unit = CASE WHEN first_unit BETWEEN 1 AND ?2 THEN first_unit ELSE ?2 END,"
        " last_unit = CASE WHEN last_unit > ?2 + ?1 - 1 THEN last_unit ELSE ?2 + ?1 - 1 END"
        " WHERE id = ?3";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, slice->self, sql, err));
    bind_integer(&query, (int64_t)slice->added);
    bind_integer(&query, slice->next_id - (int64_t)slice->added);
    bind_integer(&query, slice->batch);
    TRY(query_run(&query, err));
    return tally_add(slice->self, slice->batch, TALLY_UNITS, PHASE_WAITING, (int64_t)slice->added,
                     err);
}

enum status publish_signers_put(struct store *store, const struct signer_set *signers,
                                struct error *err)
{
    static const char sql[] = "INSERT INTO signer_set (number, signer)"
                              " SELECT ?, j.value FROM json_each(?) j WHERE true"
                              " ON CONFLICT DO NOTHING";
    CLEANUP(query_end) struct query query = {0};

    assert(signers->count > 1);
    TRY(query_begin(&query, sql_of(store), sql, err));
    bind_integer(&query, signer_set_number(signers));
    bind_integers(&query, signers->signers, signers->count);
    return query_run(&query, err);
}

enum status publish_units_add(struct store *store, int64_t batch, struct unit_record *records,
                              size_t count, size_t *ret_new, struct error *err)
{
    struct slice slice = {.self = sql_of(store), .batch = batch, .count = count};

    assert(count <= PUBLISH_UNITS_MAX);
    TRY(slice_open(&slice, err));
    for (size_t i = 0; i < count; i++)
        TRY(add_unit(&slice, &records[i], err));
    if (slice.added > 0)
        TRY(slice_count(&slice, err));
    *ret_new = slice.added;
    return STATUS_OK;
}
