/* Batches. */
#include "db/sql/publish.h"

struct found_batch {
    int64_t id;   /* 0: there is none */
    bool is_same; /* in all that does not change later */
};

static enum status find_batch(struct sql_store *self, const struct batch_record *record,
                              struct found_batch *ret_found, struct error *err)
{
    static const char sql[] = "SELECT id, name = ? AND app_version = ? AND needed_by_s = ? FROM "
                              "batch WHERE public_id = ?";
    CLEANUP(query_end) struct query query = {0};

    *ret_found = (struct found_batch){0};
    TRY(query_begin(&query, self, sql, err));
    bind_text(&query, record->name);
    bind_integer(&query, record->app_version);
    bind_integer(&query, record->needed_by_s);
    bind_bytes(&query, &record->public_id, sizeof record->public_id);
    if (query_next(&query)) {
        ret_found->id = get_integer(&query);
        ret_found->is_same = get_bool(&query);
    }
    return query_status(&query, err);
}

static enum status insert_batch(struct sql_store *self, int64_t id,
                                const struct batch_record *record, struct error *err)
{
    static const char sql[] =
        "INSERT INTO batch (id, version, public_id, name, app_version, state, closed, why, "
        "priority,"
        " needed_by_s, created_s, first_unit, last_unit, units, units_accepted, units_failed, "
        "ended_tasks, failed_tasks,"
        " ended_hosts) VALUES (?, 1, ?, ?, ?, ?, 0, '', ?, ?, ?, 0, 0, 0, 0, 0, 0, 0, '[]')"
        " ON CONFLICT (name) WHERE state < 5 DO NOTHING";
    CLEANUP(query_end) struct query query = {0};

    _Static_assert(BATCH_CANCELLED == 5, "as in the statement above and its index");
    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, id);
    bind_bytes(&query, &record->public_id, sizeof record->public_id);
    bind_text(&query, record->name);
    bind_integer(&query, record->app_version);
    bind_integer(&query, BATCH_OPEN);
    bind_integer(&query, record->priority);
    bind_integer(&query, record->needed_by_s);
    bind_integer(&query, record->created_s);
    TRY(query_run(&query, err));
    if (query_changes(&query) == 0)
        return error_set(err, STATUS_CONFLICT, "another batch that has not ended is called %s",
                         record->name);
    return STATUS_OK;
}

enum status publish_batch_create(struct store *store, const struct batch_record *record,
                                 int64_t *ret_id, bool *ret_is_new, struct error *err)
{
    struct sql_store *self = sql_of(store);
    struct found_batch found;
    int64_t id;

    TRY(find_batch(self, record, &found, err));
    if (found.id != 0 && !found.is_same)
        return error_set(err, STATUS_CONFLICT,
                         "the batch's id is taken by one of another name, app version or time");
    id = found.id;
    if (id == 0) {
        TRY(require_app_version(self, record->app_version, err));
        TRY(ids_take(self, ID_BATCH, 1, &id, err));
        TRY(insert_batch(self, id, record, err));
    }
    *ret_id = id;
    *ret_is_new = found.id == 0;
    return STATUS_OK;
}

/* The index on (batch, position) makes all pages together one pass. */
#define UNITS_OF_BATCH(which)                                                                      \
    "SELECT id FROM unit WHERE batch = ?1 AND " which                                              \
    " AND position > coalesce((SELECT position FROM unit WHERE id = ?2), -1)"                      \
    " ORDER BY position LIMIT ?3"

enum status publish_units_of_batch(struct store *store, int64_t batch, enum live_scope scope,
                                   int64_t after, int64_t *ret_units, size_t capacity,
                                   size_t *ret_count, struct error *err)
{
    static const char not_ended[] = UNITS_OF_BATCH("state IN (1, 2, 3)");
    static const char failed[] = UNITS_OF_BATCH("state = 5");
    CLEANUP(query_end) struct query query = {0};

    _Static_assert(UNIT_ACCEPTED == 4 && UNIT_FAILED == 5, "as in the statements above");
    TRY(query_begin(&query, sql_of(store), scope == UNITS_FAILED ? failed : not_ended, err));
    bind_integer(&query, batch);
    bind_integer(&query, after);
    bind_integer(&query, (int64_t)capacity);
    return read_ids(&query, ret_units, ret_count, err);
}
