#include "db/sqlite/store.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "db/sqlite/failure.h"
#include "db/sqlite/migrate.h"
#include "db/sqlite/query.h"

#define BUSY_TIMEOUT_MS 5000 /* how long another writer is waited for */

/*
 * Foreign keys cost a look-up each in pages that are warm anyway, and no mistake above us stores a
 * row of nobody. The checkpoint comes late (64 MiB): with scattered access it writes each page once
 * instead of many times.
 */
static const char settings[] = "PRAGMA synchronous = FULL;"
                               "PRAGMA foreign_keys = ON;"
                               "PRAGMA cache_size = -65536;"
                               "PRAGMA wal_autocheckpoint = 16384;"
                               "PRAGMA journal_size_limit = 134217728;"
                               "PRAGMA temp_store = MEMORY;";

static enum status run(struct sqlite_store *self, const char *sql, struct error *err)
{
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    return query_run(&query, err);
}

static enum status begin(struct store *store, struct error *err)
{
    static const char sql[] = "BEGIN IMMEDIATE";

    return run(sqlite_of(store), sql, err);
}

static enum status commit(struct store *store, struct error *err)
{
    static const char sql[] = "COMMIT";

    return run(sqlite_of(store), sql, err);
}

static void rollback(struct store *store)
{
    static const char sql[] = "ROLLBACK";

    /* A failure can be ignored: SQLite has rolled back by itself already. */
    if (sqlite3_get_autocommit(sqlite_of(store)->db) == 0)
        (void)run(sqlite_of(store), sql, NULL);
}

static void close_sqlite(struct store *store)
{
    struct sqlite_store *self = sqlite_of(store);

    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        (void)sqlite3_finalize(self->cache[i].row);
    (void)sqlite3_close(self->db);
    free(self);
}

enum status snapshot_begin(struct snapshot *snapshot, struct sqlite_store *store, struct error *err)
{
    static const char sql[] = "BEGIN";

    if (sqlite3_get_autocommit(store->db) == 0)
        return STATUS_OK;
    TRY(run(store, sql, err));
    snapshot->store = store;
    return STATUS_OK;
}

void snapshot_end(struct snapshot *snapshot)
{
    if (snapshot->store != NULL)
        rollback(&snapshot->store->base);
    snapshot->store = NULL;
}

enum status ids_take(struct sqlite_store *store, enum id_kind kind, size_t count,
                     int64_t *ret_first, struct error *err)
{
    static const char sql[] = "UPDATE id_block SET next = next + ?1"
                              " WHERE server = ?2 AND kind = ?3 AND next + ?1 - 1 <= last"
                              " RETURNING next - ?1";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, store, sql, err));
    bind_integer(&query, (int64_t)count);
    bind_integer(&query, store->server);
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

enum status tally_add(struct sqlite_store *store, int64_t batch, enum tally_kind kind, int what,
                      int64_t count, struct error *err)
{
    static const char sql[] = "INSERT INTO tally (batch, kind, what, count) VALUES (?, ?, ?, ?)"
                              " ON CONFLICT DO UPDATE SET count = count + excluded.count";
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

/* A database in memory has no WAL and needs none. */
static enum status use_wal(struct sqlite_store *self, struct error *err)
{
    sqlite3_stmt *row = NULL;
    const char *mode = "";
    bool is_fine = false;
    int rc = sqlite3_prepare_v2(self->db, "PRAGMA journal_mode = WAL", -1, &row, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(row);
    if (rc == SQLITE_ROW) {
        mode = (const char *)sqlite3_column_text(row, 0);
        is_fine = strcmp(mode, "wal") == 0 || strcmp(mode, "memory") == 0;
    }
    (void)sqlite3_finalize(row);
    if (rc != SQLITE_ROW)
        return sqlite_failure(self->db, rc, err);
    if (!is_fine)
        return error_set(err, STATUS_STORAGE,
                         "the database's file system does not take a write-ahead log");
    return STATUS_OK;
}

static enum status set_up(struct sqlite_store *self, const char *path, struct error *err)
{
    int rc = sqlite3_open_v2(path, &self->db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI |
                                 SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                             NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(self->db, BUSY_TIMEOUT_MS);
    if (rc != SQLITE_OK)
        return sqlite_failure(self->db, rc, err);
    TRY(use_wal(self, err));
    rc = sqlite3_exec(self->db, settings, NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return sqlite_failure(self->db, rc, err);
    return migrate(self->db, migrations, migration_count, err);
}

enum status store_open_sqlite(const char *path, struct store **ret_store, struct error *err)
{
    struct sqlite_store *self = must_alloc(1, sizeof *self);
    CLEANUP(store_closep) struct store *store = &self->base;

    self->base = (struct store){
        .begin = begin,
        .commit = commit,
        .rollback = rollback,
        .close = close_sqlite,
        .check = sqlite_check,
        .work = &sqlite_work_ops,
        .query = &sqlite_query_ops,
        .publish = &sqlite_publish_ops,
    };
    self->server = 1;
    TRY(set_up(self, path, err));
    *ret_store = TAKE(store);
    return STATUS_OK;
}
