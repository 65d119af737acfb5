/* The working set of a cycle, in a handful of statements. */
#include "db/sql/work.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/text.h"
#include "db/sql/query.h"
#include "db/sql/rows.h"
#include "db/sql/store.h"

#define TASKS_OF_HOST_MAX 512 /* as struct work_request says */

/* A growing set of ids; sorted, each once, after ids_settle(). */
struct ids {
    int64_t *values; /* owned */
    size_t count, capacity;
};

static void ids_clear(struct ids *ids)
{
    free(ids->values);
}

static void ids_add(struct ids *ids, int64_t id)
{
    if (ids->count == ids->capacity) {
        ids->capacity = ids->capacity > 0 ? ids->capacity * 2 : 64;
        ids->values = reallocarray(ids->values, ids->capacity, sizeof *ids->values);
        if (ids->values == NULL)
            abort();
    }
    ids->values[ids->count++] = id;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void ids_settle(struct ids *ids)
{
    size_t kept = 0;

    if (ids->count == 0)
        return;
    qsort(ids->values, ids->count, sizeof *ids->values, compare);
    for (size_t i = 0; i < ids->count; i++)
        if (kept == 0 || ids->values[i] != ids->values[kept - 1])
            ids->values[kept++] = ids->values[i];
    ids->count = kept;
}

/* Adds what one-column rows say. */
static enum status take_ids(struct query *query, struct ids *ids, struct error *err)
{
    while (query_next(query))
        ids_add(ids, get_integer(query));
    return query_status(query, err);
}

static enum status host_by_token(struct sql_store *self, const struct digest *token,
                                 struct ids *hosts, struct error *err)
{
    static const char sql[] = "SELECT id FROM host WHERE token = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_digest(&query, token);
    return take_ids(&query, hosts, err);
}

static enum status host_by_key(struct sql_store *self, const struct public_key *key,
                               struct ids *hosts, struct error *err)
{
    static const char sql[] = "SELECT id FROM host WHERE key = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_key(&query, key);
    return take_ids(&query, hosts, err);
}

static enum status name_hosts(struct sql_store *self, const struct work_request *request,
                              struct ids *hosts, struct error *err)
{
    for (size_t i = 0; i < request->host_count; i++)
        ids_add(hosts, request->hosts[i]);
    for (size_t i = 0; i < request->token_count; i++)
        TRY(host_by_token(self, &request->tokens[i], hosts, err));
    for (size_t i = 0; i < request->key_count; i++)
        TRY(host_by_key(self, &request->keys[i], hosts, err));
    ids_settle(hosts);
    return STATUS_OK;
}

static enum status units_of_host(struct sql_store *self, int64_t host, struct ids *units,
                                 struct error *err)
{
    static const char sql[] = "SELECT id / 16 FROM task INDEXED BY task_live"
                              " WHERE host = ? AND live = 1 ORDER BY id LIMIT ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, host);
    bind_integer(&query, TASKS_OF_HOST_MAX);
    return take_ids(&query, units, err);
}

static enum status name_units(struct sql_store *self, const struct work_request *request,
                              struct ids *units, struct error *err)
{
    for (size_t i = 0; i < request->unit_count; i++)
        ids_add(units, request->units[i]);
    for (size_t i = 0; i < request->task_count; i++)
        ids_add(units, TASK_UNIT(request->tasks[i]));
    for (size_t i = 0; i < request->host_count && request->with_tasks_of_hosts; i++)
        TRY(units_of_host(self, request->hosts[i], units, err));
    ids_settle(units);
    return STATUS_OK;
}

static enum status load_hosts(struct sql_store *self, const struct ids *ids, struct work_set *set,
                              struct error *err)
{
    static const char sql[] = "SELECT " HOST_COLUMNS " FROM json_each(?) j"
                              " CROSS JOIN host h ON h.id = j.value"
                              " JOIN volunteer v ON v.id = h.volunteer";
    CLEANUP(query_end) struct query query = {0};

    set->hosts = must_alloc(ids->count, sizeof *set->hosts);
    set->host_capacity = ids->count;
    TRY(query_begin(&query, self, sql, err));
    bind_integers(&query, ids->values, ids->count);
    while (query_next(&query)) {
        assert(set->host_count < ids->count);
        read_host(&query, &set->hosts[set->host_count++]);
    }
    return query_status(&query, err);
}

/* Within a host by app version: the order of the table's key. */
static enum status load_allowances(struct sql_store *self, const struct ids *hosts,
                                   struct work_set *set, struct error *err)
{
    static const char sql[] = "SELECT a.host, a.app_version, a.per_day, a.day, a.used"
                              " FROM json_each(?) j CROSS JOIN allowance a ON a.host = j.value";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integers(&query, hosts->values, hosts->count);
    while (query_next(&query)) {
        int64_t host = get_integer(&query);
        struct allowance *allowance = work_allowance(set, host, get_integer(&query));

        allowance->per_day = get_integer(&query);
        allowance->day = get_integer(&query);
        allowance->used = get_integer(&query);
    }
    return query_status(&query, err);
}

static enum status load_units(struct sql_store *self, const struct ids *ids, struct work_set *set,
                              struct error *err)
{
    static const char sql[] = "SELECT " UNIT_COLUMNS " FROM json_each(?) j"
                              " CROSS JOIN unit u ON u.id = j.value";
    CLEANUP(query_end) struct query query = {0};

    set->units = must_alloc(ids->count, sizeof *set->units);
    TRY(query_begin(&query, self, sql, err));
    bind_integers(&query, ids->values, ids->count);
    while (query_next(&query)) {
        assert(set->unit_count < ids->count);
        read_unit(&query, &set->units[set->unit_count++]);
    }
    TRY(query_status(&query, err));
    return load_tasks(self, set->units, set->unit_count, err);
}

static enum status load_batches(struct sql_store *self, const struct work_request *request,
                                struct work_set *set, struct error *err)
{
    static const char sql[] = "SELECT " BATCH_COLUMNS " FROM json_each(?) j"
                              " CROSS JOIN batch b ON b.id = j.value";
    CLEANUP(query_end) struct query query = {0};
    CLEANUP(ids_clear) struct ids ids = {0};

    for (size_t i = 0; i < request->batch_count; i++)
        ids_add(&ids, request->batches[i]);
    for (size_t i = 0; i < set->unit_count; i++)
        ids_add(&ids, set->units[i].batch);
    ids_settle(&ids);

    set->batches = must_alloc(ids.count, sizeof *set->batches);
    TRY(query_begin(&query, self, sql, err));
    bind_integers(&query, ids.values, ids.count);
    while (query_next(&query)) {
        assert(set->batch_count < ids.count);
        read_batch(&query, &set->batches[set->batch_count++]);
    }
    return query_status(&query, err);
}

enum status sql_load(struct store *store, const struct work_request *request,
                     struct work_set *ret_set, struct error *err)
{
    struct sql_store *self = sql_of(store);
    CLEANUP(snapshot_end) struct snapshot snapshot = {0};
    CLEANUP(work_set_clear) struct work_set set = {0};
    CLEANUP(ids_clear) struct ids hosts = {0};
    CLEANUP(ids_clear) struct ids units = {0};

    TRY(snapshot_begin(&snapshot, self, err));
    TRY(name_hosts(self, request, &hosts, err));
    TRY(name_units(self, request, &units, err));
    TRY(load_hosts(self, &hosts, &set, err));
    TRY(load_allowances(self, &hosts, &set, err));
    TRY(load_units(self, &units, &set, err));
    TRY(load_batches(self, request, &set, err));
    *ret_set = set;
    set = (struct work_set){0};
    return STATUS_OK;
}
