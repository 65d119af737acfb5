/* A slice of units into its batch, in a handful of statements. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "db/postgres/bulk.h"
#include "db/postgres/driver.h"
#include "db/postgres/sets.h"
#include "db/sql/publish.h"
#include "db/sql/slice.h"

static void free_places(const struct unit_record ***places)
{
    free(*places);
}

static int compare_digests(const void *a, const void *b)
{
    const struct unit_record *x = *(struct unit_record *const *)a;
    const struct unit_record *y = *(struct unit_record *const *)b;
    int order = memcmp(x->unit->digest.bytes, y->unit->digest.bytes, DIGEST_BYTES);

    return order != 0 ? order : x < y ? -1 : x > y;
}

/* Digests of units that are not known (yet), with their place in the slice. */
static void list_digests(const struct slice *slice, const struct unit_record *records,
                         struct bulk *bulk)
{
    bulk_init(bulk, slice->self, "ib");
    for (size_t i = 0; i < slice->count; i++) {
        if (records[i].ret_is_known)
            continue;
        bulk_integer(bulk, (int64_t)i);
        bulk_digest(bulk, &records[i].unit->digest);
    }
}

static size_t count_new(const struct slice *slice, const struct unit_record *records)
{
    size_t count = 0;

    for (size_t i = 0; i < slice->count; i++)
        count += !records[i].ret_is_known;
    return count;
}

/* Those that are here already. */
static enum status find_known(const struct slice *slice, struct unit_record *records,
                              struct error *err)
{
    static const char sql[] = "SELECT r.place, u.id, u.batch FROM unnest(?, ?) AS r (place, digest)"
                              " JOIN unit u ON u.digest = r.digest";
    CLEANUP(query_end) struct query query = {0};
    CLEANUP(bulk_clear) struct bulk bulk = {0};

    for (size_t i = 0; i < slice->count; i++)
        records[i].ret_is_known = false;
    list_digests(slice, records, &bulk);
    TRY(bulk_query(&bulk, sql, &query, err));
    while (query_next(&query)) {
        struct unit_record *record = &records[get_integer(&query)];

        record->ret_is_known = true;
        record->ret_id = get_integer(&query);
        if (get_integer(&query) != slice->batch)
            return error_set(err, STATUS_CONFLICT, "unit %s is in another batch already",
                             record->name);
    }
    return query_status(&query, err);
}

static enum status refuse_revoked(const struct slice *slice, const struct unit_record *records,
                                  struct error *err)
{
    static const char sql[] = "SELECT r.place FROM unnest(?, ?) AS r (place, digest)"
                              " JOIN revoked v ON v.kind = 2 AND v.subject = r.digest LIMIT 1";
    CLEANUP(query_end) struct query query = {0};
    CLEANUP(bulk_clear) struct bulk bulk = {0};

    _Static_assert(REVOKED_UNIT == 2, "as in the statement above");
    list_digests(slice, records, &bulk);
    TRY(bulk_query(&bulk, sql, &query, err));
    if (!query_next(&query))
        return query_status(&query, err);
    error_set(err, STATUS_UNTRUSTED, "the unit is revoked");
    error_code(err, "revoked");
    return STATUS_UNTRUSTED;
}

/* Ids in the order of the slice; a unit that is in it twice is known the second time. */
static enum status name_units(struct slice *slice, struct unit_record *records, struct error *err)
{
    CLEANUP(free_places)
    const struct unit_record **places = must_alloc(slice->count, sizeof *places);

    TRY(ids_take(slice->self, ID_UNIT, slice->count, &slice->next_id, err));
    for (size_t i = 0; i < slice->count; i++)
        places[i] = &records[i];
    qsort(places, slice->count, sizeof *places, compare_digests);
    for (size_t i = 1; i < slice->count; i++)
        if (digest_equals(&places[i]->unit->digest, &places[i - 1]->unit->digest))
            records[places[i] - records].ret_is_known = true;
    for (size_t i = 0; i < slice->count; i++)
        if (!records[i].ret_is_known)
            records[i].ret_id = slice->next_id++;
    for (size_t i = 1; i < slice->count; i++)
        if (digest_equals(&places[i]->unit->digest, &places[i - 1]->unit->digest))
            records[places[i] - records].ret_id = places[i - 1]->ret_id;
    return STATUS_OK;
}

static void add_rule(struct bulk *bulk, const struct unit *unit)
{
    bulk_integer(bulk, unit->rule.quorum);
    bulk_integer(bulk, unit->rule.copies);
    bulk_integer(bulk, unit->rule.max_failures);
    bulk_integer(bulk, unit->rule.max_tasks);
    bulk_integer(bulk, unit->rule.independence);
    bulk_integer(bulk, unit->deadline_span_s);
    bulk_integer(bulk, unit->declared_ops);
    bulk_integer(bulk, unit->memory_bytes);
    bulk_integer(bulk, unit->disk_bytes);
    bulk_integer(bulk, unit->output_bytes);
    bulk_integer(bulk, unit->not_before_s);
    bulk_integer(bulk, unit->not_after_s);
    bulk_integer(bulk, unit->signer);
    bulk_text(bulk, unit->classes);
    bulk_text(bulk, unit->platforms);
    bulk_digest(bulk, &unit->digest);
    bulk_integer(bulk, unit->index);
}

static enum status insert_units(const struct slice *slice, const struct unit_record *records,
                                struct error *err)
{
    static const char sql[] =
        "INSERT INTO unit (quorum, copies, max_failures, max_tasks, independence, deadline_span_s,"
        " declared_ops, memory_bytes, disk_bytes, output_bytes, not_before_s, not_after_s, signer, "
        "classes,"
        " platforms, digest, position, id, batch, app_version, copies_wanted, state, version,"
        " failure, revision, pinned_class)"
        " SELECT r.*, ?19, ?20, r.copies, 1, 1, 0, 0, ''"
        " FROM unnest(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
        "?18)"
        " AS r (quorum, copies, max_failures, max_tasks, independence, deadline_span_s,"
        " declared_ops, memory_bytes, disk_bytes, output_bytes, not_before_s, not_after_s, signer, "
        "classes,"
        " platforms, digest, position, id)"
        " ON CONFLICT (batch, position) DO NOTHING";
    CLEANUP(query_end) struct query query = {0};
    CLEANUP(bulk_clear) struct bulk bulk;

    _Static_assert(UNIT_OPEN == 1, "as in the statement above");
    bulk_init(&bulk, slice->self, "iiiiiiiiiiiiittbii");
    for (size_t i = 0; i < slice->count; i++) {
        if (records[i].ret_is_known)
            continue;
        add_rule(&bulk, records[i].unit);
        bulk_integer(&bulk, records[i].ret_id);
    }
    TRY(bulk_query(&bulk, sql, &query, err));
    bind_integer(&query, slice->batch);
    bind_integer(&query, slice->app_version);
    TRY(query_run(&query, err));
    return query_changes(&query) == (int64_t)slice->added ? STATUS_OK : STATUS_CONFLICT;
}

static enum status insert_manifests(const struct slice *slice, const struct unit_record *records,
                                    struct error *err)
{
    static const char sql[] = "INSERT INTO manifest (unit, name, envelope, batch)"
                              " SELECT r.*, ?4 FROM unnest(?1, ?2, ?3) AS r (unit, name, envelope)"
                              " ON CONFLICT (batch, name) DO NOTHING";
    CLEANUP(query_end) struct query query = {0};
    CLEANUP(bulk_clear) struct bulk bulk;

    bulk_init(&bulk, slice->self, "itb");
    for (size_t i = 0; i < slice->count; i++) {
        if (records[i].ret_is_known)
            continue;
        bulk_integer(&bulk, records[i].ret_id);
        bulk_text(&bulk, records[i].name);
        bulk_span(&bulk, records[i].envelope);
    }
    TRY(bulk_query(&bulk, sql, &query, err));
    bind_integer(&query, slice->batch);
    TRY(query_run(&query, err));
    return query_changes(&query) == (int64_t)slice->added ? STATUS_OK : STATUS_CONFLICT;
}

/* After a conflict, which still leaves the transaction whole: whose place, or name, was taken? */
static const struct unit_record *find_refused(const struct slice *slice,
                                              const struct unit_record *records, const char *sql)
{
    CLEANUP(query_end) struct query query = {0};

    if (query_begin(&query, slice->self, sql, NULL) != STATUS_OK)
        return &records[0];
    bind_integer(&query, slice->next_id - (int64_t)slice->added);
    bind_integer(&query, slice->next_id);
    if (query_next(&query)) {
        int64_t id = get_integer(&query);

        for (size_t i = 0; i < slice->count; i++)
            if (records[i].ret_id == id)
                return &records[i];
    }
    return &records[0];
}

static enum status refuse_index(const struct slice *slice, const struct unit_record *records,
                                struct error *err)
{
    static const char sql[] = "SELECT min(i) FROM generate_series(?, ? - 1) AS i"
                              " WHERE NOT EXISTS (SELECT 1 FROM unit u WHERE u.id = i)";
    const struct unit_record *record = find_refused(slice, records, sql);

    return error_set(err, STATUS_CONFLICT,
                     "unit %s: index %lld of the batch is taken by another unit", record->name,
                     (long long)record->unit->index);
}

static enum status refuse_name(const struct slice *slice, const struct unit_record *records,
                               struct error *err)
{
    static const char sql[] = "SELECT min(i) FROM generate_series(?, ? - 1) AS i"
                              " WHERE NOT EXISTS (SELECT 1 FROM manifest m WHERE m.unit = i)";

    return error_set(err, STATUS_CONFLICT, "unit %s: another unit of the batch has this name",
                     find_refused(slice, records, sql)->name);
}

static enum status require_inputs(const struct slice *slice, const struct unit_record *records,
                                  struct bulk *inputs, struct error *err)
{
    static const char sql[] =
        "SELECT r.place, r.file FROM unnest(?, ?) AS r (place, file)"
        " WHERE NOT EXISTS (SELECT 1 FROM file f WHERE f.digest = r.file) ORDER BY r.place LIMIT 1";
    CLEANUP(query_end) struct query query = {0};
    struct digest digest;
    const char *name;

    (void)slice;
    TRY(bulk_query(inputs, sql, &query, err));
    if (!query_next(&query))
        return query_status(&query, err);
    name = records[get_integer(&query)].name;
    digest = get_digest(&query);
    return error_set(err, STATUS_NOT_FOUND, "%s needs a file that is not here: %s", name,
                     digest_format(&digest).text);
}

static void list_inputs(const struct slice *slice, const struct unit_record *records,
                        struct bulk *bulk)
{
    bulk_init(bulk, slice->self, "ib");
    for (size_t i = 0; i < slice->count; i++)
        for (size_t j = 0; j < records[i].input_count && !records[i].ret_is_known; j++) {
            bulk_integer(bulk, (int64_t)i);
            bulk_bytes(bulk, records[i].inputs[j].bytes, DIGEST_BYTES);
        }
}

/* Inputs are kept for the whole batch: units of a batch mostly share them. */
static enum status refer_to_inputs(const struct slice *slice, const struct unit_record *records,
                                   struct error *err)
{
    static const char sql[] =
        "INSERT INTO file_reference (file, kind, subject)"
        " SELECT DISTINCT r.file, 2, ?3 FROM unnest(?1, ?2) AS r (place, file)"
        " ON CONFLICT DO NOTHING";
    CLEANUP(query_end) struct query query = {0};
    CLEANUP(bulk_clear) struct bulk there = {0};
    CLEANUP(bulk_clear) struct bulk again = {0};

    _Static_assert(FILE_INPUT == 2, "as in the statement above");
    list_inputs(slice, records, &there);
    if (bulk_rows(&there) == 0)
        return STATUS_OK;
    TRY(require_inputs(slice, records, &there, err));
    list_inputs(slice, records, &again);
    TRY(bulk_query(&again, sql, &query, err));
    bind_integer(&query, slice->batch);
    return query_run(&query, err);
}

static enum status insert(struct slice *slice, struct unit_record *records, struct error *err)
{
    enum status status = insert_units(slice, records, err);

    if (status == STATUS_CONFLICT)
        return refuse_index(slice, records, err);
    TRY(status);
    status = insert_manifests(slice, records, err);
    if (status == STATUS_CONFLICT)
        return refuse_name(slice, records, err);
    TRY(status);
    TRY(refer_to_inputs(slice, records, err));
    return slice_count(slice, err);
}

enum status postgres_units_add(struct store *store, int64_t batch, struct unit_record *records,
                               size_t count, size_t *ret_new, struct error *err)
{
    struct slice slice = {.self = sql_of(store), .batch = batch, .count = count};

    assert(count <= PUBLISH_UNITS_MAX);
    *ret_new = 0;
    TRY(slice_open(&slice, err));
    TRY(find_known(&slice, records, err));
    slice.added = count_new(&slice, records);
    if (slice.added == 0)
        return STATUS_OK;
    TRY(refuse_revoked(&slice, records, err));
    TRY(name_units(&slice, records, err));
    slice.added = count_new(&slice, records);
    *ret_new = slice.added;
    return insert(&slice, records, err);
}
