#include "db/sqlite/store.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "db/sql/publish.h"
#include "db/sql/query.h"
#include "db/sql/view.h"
#include "db/sql/work.h"
#include "db/sqlite/failure.h"
#include "db/sqlite/migrate.h"
#include "db/sqlite/save.h"

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

static const struct work_ops sqlite_work_ops = {
    .load = sql_load,
    .save = sqlite_save,
    .scan_ready = sql_scan_ready,
    .scan_sent = sql_scan_sent,
    .scan_expired = sql_scan_expired,
    .granted_at = sql_granted_at,
};

static enum status run(struct sql_store *self, const char *sql, struct error *err)
{
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    return query_run(&query, err);
}

static enum status begin(struct store *store, struct error *err)
{
    static const char sql[] = "BEGIN IMMEDIATE";

    return run(sql_of(store), sql, err);
}

static enum status commit(struct store *store, struct error *err)
{
    static const char sql[] = "COMMIT";

    return run(sql_of(store), sql, err);
}

static void rollback(struct store *store)
{
    static const char sql[] = "ROLLBACK";

    /* A failure can be ignored: SQLite has rolled back by itself already. */
    if (sqlite_driver.is_in_transaction(sql_of(store)))
        (void)run(sql_of(store), sql, NULL);
}

/* A file is one machine's, and its lock that of one server. */
static enum status join(struct store *store, int64_t server, bool runs, struct error *err)
{
    (void)store;
    (void)runs;
    if (server == 1)
        return STATUS_OK;
    return error_set(err, STATUS_INVALID,
                     "an embedded database is server 1's alone: several servers need PostgreSQL");
}

static void close_sqlite(struct store *store)
{
    struct sqlite_store *self = sqlite_of(store);

    statements_forget(&self->base);
    (void)sqlite3_close(self->db);
    free(self);
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

/* SQLite takes names that begin so for URIs; what means something in one is written in numbers. */
static char *uri_of(const char *path, bool has_log)
{
    sqlite3_str *uri = sqlite3_str_new(NULL);
    char *text;

    sqlite3_str_appendall(uri, "file:");
    for (; *path != '\0'; path++)
        if (*path == '?' || *path == '#' || *path == '%')
            sqlite3_str_appendf(uri, "%%%02x", (unsigned)(unsigned char)*path);
        else
            sqlite3_str_appendchar(uri, 1, *path);
    sqlite3_str_appendall(uri, has_log ? "?mode=rw" : "?mode=ro&immutable=1");
    text = sqlite3_str_finish(uri);
    if (text == NULL)
        abort();
    return text;
}

/*
 * With a log beside it SQLite wants to write: an index of the log, and at the end the log into the
 * file. Alone with it, it keeps the index in memory; and the log may be left as it is. Without one
 * the file is all there is.
 */
static enum status set_up_reading(struct sqlite_store *self, const char *path, bool has_log,
                                  struct error *err)
{
    char *uri = uri_of(path, has_log);
    int rc = sqlite3_open_v2(uri, &self->db,
                             (has_log ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
                                 SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                             NULL);

    sqlite3_free(uri);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(self->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(self->db,
                          "PRAGMA locking_mode = EXCLUSIVE; PRAGMA query_only = ON;"
                          "PRAGMA cache_size = -65536",
                          NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return sqlite_failure(self->db, rc, err);
    return migrations_are_done(self->db, migration_count, err);
}

static struct sqlite_store *make(void)
{
    struct sqlite_store *self = must_alloc(1, sizeof *self);

    self->base.base = (struct store){
        .begin = begin,
        .commit = commit,
        .rollback = rollback,
        .close = close_sqlite,
        .join = join,
        .check = sqlite_check,
        .work = &sqlite_work_ops,
        .query = &sql_query_ops,
        .publish = &sql_publish_ops,
    };
    self->base.driver = &sqlite_driver;
    self->base.server = 1;
    return self;
}

enum status store_open_sqlite(const char *path, struct store **ret_store, struct error *err)
{
    struct sqlite_store *self = make();
    CLEANUP(store_closep) struct store *store = &self->base.base;

    TRY(set_up(self, path, err));
    *ret_store = TAKE(store);
    return STATUS_OK;
}

enum status store_open_sqlite_reading(const char *path, bool has_log, struct store **ret_store,
                                      struct error *err)
{
    struct sqlite_store *self = make();
    CLEANUP(store_closep) struct store *store = &self->base.base;

    TRY(set_up_reading(self, path, has_log, err));
    *ret_store = TAKE(store);
    return STATUS_OK;
}
