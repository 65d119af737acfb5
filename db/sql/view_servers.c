/* What the other servers of a database are and do. An embedded one has none. */
#include <assert.h>

#include "db/sql/view.h"

enum status view_other_servers(struct store *store,
                               bool (*row)(void *context, const struct other_server *server),
                               void *context, struct error *err)
{
    /* The lock of a running server is the key that SERVER_LOCK() makes, in its two halves. */
    static const char sql[] =
        "SELECT s.id, s.up_s, s.work_mark, s.looks_restored, EXISTS (SELECT 1 FROM pg_locks l "
        "WHERE l.locktype = "
        "'advisory'"
        " AND l.granted AND l.objsubid = 1 AND l.database = (SELECT oid FROM pg_database"
        " WHERE datname = current_database())"
        " AND l.classid::bigint << 32 | l.objid::bigint ="
        " hashtextextended(current_schema(), 110455409238400 + s.id))"
        " FROM server s WHERE s.id <> ? ORDER BY s.id";
    struct sql_store *self = sql_of(store);
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    if (!self->driver->is_postgres)
        return STATUS_OK;
    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, self->server);
    while (goes_on && query_next(&query)) {
        struct other_server server = {.id = get_integer(&query)};

        server.up_s = get_integer(&query);
        server.work_mark = get_integer(&query);
        server.looks_restored = get_integer(&query);
        server.runs = get_bool(&query);
        goes_on = row(context, &server);
    }
    return query_status(&query, err);
}

/* Before the entries, in the same snapshot: what comes later is for the next time. */
static enum status read_newest(struct sql_store *self, int64_t *ret_newest, struct error *err)
{
    static const char sql[] = "SELECT next - 1 FROM id_block WHERE server = 1 AND kind = ?";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, ID_JOURNAL);
    return take_one(&query, ret_newest, "block of journal entries", err);
}

enum status view_other_entries(struct store *store, int64_t after, size_t limit,
                               bool (*row)(void *context, const struct other_entry *entry),
                               void *context, int64_t *ret_newest, struct error *err)
{
    static const char sql[] =
        "SELECT page.* FROM server s, LATERAL (SELECT j.seq, j.server, j.kind, j.subject"
        " FROM journal j WHERE j.server = s.id AND j.seq > ?1"
        " AND j.kind IN (2, 30, 31, 32, 40, 41, 42, 43, 44) ORDER BY j.seq LIMIT ?2) AS page"
        " WHERE s.id <> ?3 ORDER BY page.seq LIMIT ?2";
    struct sql_store *self = sql_of(store);
    CLEANUP(snapshot_end) struct snapshot snapshot = {0};
    CLEANUP(query_end) struct query query = {0};
    bool goes_on = true;

    _Static_assert(JOURNAL_UNIT_REOPENED == 2 && JOURNAL_BATCH_STATE == 30 &&
                       JOURNAL_BATCH_PRIORITY == 32 && JOURNAL_KEYRING == 40 &&
                       JOURNAL_NOTICE == 44,
                   "as in the statement above");
    assert(limit >= 1 && limit <= QUERY_ROWS_MAX);
    TRY(snapshot_begin(&snapshot, self, err));
    TRY(read_newest(self, ret_newest, err));
    if (!self->driver->is_postgres)
        return STATUS_OK;
    TRY(query_begin(&query, self, sql, err));
    bind_integer(&query, after);
    bind_integer(&query, (int64_t)limit);
    bind_integer(&query, self->server);
    while (goes_on && query_next(&query)) {
        struct other_entry entry = {.seq = get_integer(&query)};

        entry.server = get_integer(&query);
        entry.kind = (enum journal_kind)get_integer(&query);
        entry.subject = get_integer(&query);
        goes_on = row(context, &entry);
    }
    return query_status(&query, err);
}
