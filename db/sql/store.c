#include "db/sql/store.h"

#include "db/sql/query.h"

enum status snapshot_begin(struct snapshot *snapshot, struct sql_store *store, struct error *err)
{
    if (store->driver->is_in_transaction(store))
        return STATUS_OK;
    TRY(store->driver->begin_snapshot(store, err));
    snapshot->store = store;
    return STATUS_OK;
}

void snapshot_end(struct snapshot *snapshot)
{
    if (snapshot->store != NULL)
        snapshot->store->base.rollback(&snapshot->store->base);
    snapshot->store = NULL;
}

void statements_forget(struct sql_store *store)
{
    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        if (store->cache[i].sql != NULL)
            store->driver->forget(store, store->cache[i].statement);
        store->cache[i] = (struct cached_statement){0};
    }
}

enum status record_damaged(const char *what, struct error *err)
{
    error_set(err, STATUS_STORAGE, "a record in the database is damaged; run the check");
    error_code(err, STORE_DAMAGED);
    error_detail(err, "damaged: %s", what);
    return STATUS_STORAGE;
}

enum status record_conflict(const char *what, int64_t id, struct error *err)
{
    error_set(err, STATUS_CONFLICT, "somebody else changed it meanwhile; try again");
    error_detail(err, "%s %lld is no longer as it was loaded", what, (long long)id);
    return STATUS_CONFLICT;
}

enum status ids_take(struct sql_store *store, enum id_kind kind, size_t count, int64_t *ret_first,
                     struct error *err)
{
    static const char sql[] = "UPDATE id_block SET next = next + ?1"
                              " WHERE server = ?2 AND kind = ?3 AND next + ?1 - 1 <= last"
                              " RETURNING next - ?1";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, store, sql, err));
    bind_integer(&query, (int64_t)count);
    bind_integer(&query, kind == ID_JOURNAL ? 1 : store->server);
    bind_integer(&query, kind);
    if (query_next(&query)) {
        *ret_first = get_integer(&query);
        return query_run(&query, err);
    }
    TRY(query_status(&query, err));
    error_set(err, STATUS_STORAGE, "the site has used up its numbers");
    error_detail(err, "id block of kind %d is used up", (int)kind);
    return STATUS_STORAGE;
}

enum status tally_add(struct sql_store *store, int64_t batch, enum tally_kind kind, int what,
                      int64_t count, struct error *err)
{
    static const char sql[] =
        "INSERT INTO tally (batch, kind, what, count) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (batch, kind, what) DO UPDATE SET count = tally.count + excluded.count";
    CLEANUP(query_end) struct query query = {0};

    if (count == 0)
        return STATUS_OK;
    TRY(query_begin(&query, store, sql, err));
    bind_integer(&query, batch);
    bind_integer(&query, kind);
    bind_integer(&query, what);
    bind_integer(&query, count);
    return query_run(&query, err);
}
