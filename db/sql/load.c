/* The working set of a cycle, in a handful of statements. */
#include "db/sql/work.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/text.h"
#include "db/sql/ids.h"
#include "db/sql/query.h"
#include "db/sql/rows.h"
#include "db/sql/store.h"

/* SQLite goes through a list in its order; PostgreSQL has to be told. */
#define SELECT_HOSTS                                                                               \
    "SELECT " HOST_COLUMNS " FROM json_each(?) j CROSS JOIN host h ON h.id = j.value"              \
    " JOIN volunteer v ON v.id = h.volunteer"
#define SELECT_ALLOWANCES                                                                          \
    "SELECT a.host, a.app_version, a.per_day, a.day, a.used, a.pace, a.usual_pace, a.timed"        \
    " FROM json_each(?) j CROSS JOIN allowance a ON a.host = j.value"
#define SELECT_UNITS                                                                               \
    "SELECT " UNIT_COLUMNS " FROM json_each(?) j CROSS JOIN unit u ON u.id = j.value"
#define SELECT_BATCHES                                                                             \
    "SELECT " BATCH_COLUMNS " FROM json_each(?) j CROSS JOIN batch b ON b.id = j.value"

static enum status name_hosts(struct sql_store *self, const struct work_request *request,
                              struct ids *hosts, struct error *err)
{
    for (size_t i = 0; i < request->host_count; i++)
        ids_add(hosts, request->hosts[i]);
    TRY(self->driver->find_hosts(self, request, hosts, err));
    ids_settle(hosts);
    return STATUS_OK;
}

static enum status name_units(struct sql_store *self, const struct work_request *request,
                              struct ids *units, struct error *err)
{
    for (size_t i = 0; i < request->unit_count; i++)
        ids_add(units, request->units[i]);
    for (size_t i = 0; i < request->task_count; i++)
        ids_add(units, TASK_UNIT(request->tasks[i]));
    if (request->with_tasks_of_hosts)
        TRY(self->driver->find_units(self, request, units, err));
    ids_settle(units);
    return STATUS_OK;
}

static enum status load_hosts(struct sql_store *self, const struct ids *ids, struct work_set *set,
                              struct error *err)
{
    static const char sql[] = SELECT_HOSTS, sorted[] = SELECT_HOSTS " ORDER BY h.id";
    CLEANUP(query_end) struct query query = {0};

    set->hosts = must_alloc(ids->count, sizeof *set->hosts);
    set->host_capacity = ids->count;
    TRY(query_begin(&query, self, SPOKEN(self, sql, sorted), err));
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
    static const char sql[] = SELECT_ALLOWANCES,
                      sorted[] = SELECT_ALLOWANCES " ORDER BY a.host, a.app_version";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, SPOKEN(self, sql, sorted), err));
    bind_integers(&query, hosts->values, hosts->count);
    while (query_next(&query)) {
        int64_t host = get_integer(&query);
        struct allowance *allowance = work_allowance(set, host, get_integer(&query));

        allowance->per_day = get_integer(&query);
        allowance->day = get_integer(&query);
        allowance->used = get_integer(&query);
        allowance->pace = get_integer(&query);
        allowance->usual_pace = get_integer(&query);
        allowance->timed = get_integer(&query);
    }
    return query_status(&query, err);
}

static enum status load_units(struct sql_store *self, const struct ids *ids, struct work_set *set,
                              struct error *err)
{
    static const char sql[] = SELECT_UNITS, sorted[] = SELECT_UNITS " ORDER BY u.id";
    CLEANUP(query_end) struct query query = {0};

    set->units = must_alloc(ids->count, sizeof *set->units);
    TRY(query_begin(&query, self, SPOKEN(self, sql, sorted), err));
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
    static const char sql[] = SELECT_BATCHES, sorted[] = SELECT_BATCHES " ORDER BY b.id";
    CLEANUP(query_end) struct query query = {0};
    CLEANUP(ids_clear) struct ids ids = {0};

    for (size_t i = 0; i < request->batch_count; i++)
        ids_add(&ids, request->batches[i]);
    for (size_t i = 0; i < set->unit_count; i++)
        ids_add(&ids, set->units[i].batch);
    ids_settle(&ids);

    set->batches = must_alloc(ids.count, sizeof *set->batches);
    TRY(query_begin(&query, self, SPOKEN(self, sql, sorted), err));
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
