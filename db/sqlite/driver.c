/* How a statement reaches SQLite. */
#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "db/sql/query.h"
#include "db/sqlite/failure.h"
#include "db/sqlite/store.h"

static enum status prepare(struct sql_store *store, const char *sql, void **ret_statement,
                           struct error *err)
{
    sqlite3 *db = sqlite_of(&store->base)->db;
    sqlite3_stmt *row = NULL;
    int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &row, NULL);

    if (rc != SQLITE_OK)
        return sqlite_failure(db, rc, err);
    *ret_statement = row;
    return STATUS_OK;
}

static void forget(struct sql_store *store, void *statement)
{
    (void)store;
    (void)sqlite3_finalize(statement);
}

static bool is_busy(void *statement)
{
    return sqlite3_stmt_busy(statement) != 0;
}

static void reset(struct query *query)
{
    (void)sqlite3_reset(query->statement); /* its failure was told when stepping */
    (void)sqlite3_clear_bindings(query->statement);
}

/* Binding fails for want of memory or by our own mistake only. */
static void bound(int rc)
{
    if (rc != SQLITE_OK)
        abort();
}

static void bind_integer_to(struct query *query, int parameter, const int64_t *value)
{
    bound(value != NULL ? sqlite3_bind_int64(query->statement, parameter + 1, *value)
                        : sqlite3_bind_null(query->statement, parameter + 1));
}

static void bind_text_to(struct query *query, int parameter, const char *text)
{
    bound(sqlite3_bind_text(query->statement, parameter + 1, text, -1, SQLITE_STATIC));
}

static void bind_bytes_to(struct query *query, int parameter, const struct span *bytes)
{
    bound(bytes != NULL ? sqlite3_bind_blob64(query->statement, parameter + 1, bytes->bytes,
                                              bytes->length, SQLITE_STATIC)
                        : sqlite3_bind_null(query->statement, parameter + 1));
}

/* As a JSON array. */
static void bind_integers_to(struct query *query, int parameter, const int64_t *values,
                             size_t count)
{
    sqlite3_str *list = sqlite3_str_new(NULL);
    char *json;

    sqlite3_str_appendchar(list, 1, '[');
    for (size_t i = 0; i < count; i++)
        sqlite3_str_appendf(list, i == 0 ? "%lld" : ",%lld", (long long)values[i]);
    sqlite3_str_appendchar(list, 1, ']');
    json = sqlite3_str_finish(list);
    if (json == NULL)
        abort();
    bound(sqlite3_bind_text(query->statement, parameter + 1, json, -1, sqlite3_free));
}

static bool next(struct query *query)
{
    assert(sqlite3_bind_parameter_count(query->statement) == query->bound);
    query->rc = sqlite3_step(query->statement);
    return query->rc == SQLITE_ROW;
}

static enum status status(const struct query *query, struct error *err)
{
    if (query->rc == SQLITE_DONE || query->rc == SQLITE_ROW)
        return STATUS_OK;
    return sqlite_failure(sqlite_of(&query->store->base)->db, query->rc, err);
}

static int64_t changes(const struct sql_store *store)
{
    return sqlite3_changes64(((const struct sqlite_store *)store)->db);
}

static int64_t integer(struct query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

static const char *text(struct query *query, int column)
{
    return (const char *)sqlite3_column_text(query->statement, column);
}

static struct span bytes(struct query *query, int column)
{
    const void *there = sqlite3_column_blob(query->statement, column);
    int length = sqlite3_column_bytes(query->statement, column);

    return (struct span){.bytes = there, .length = there != NULL ? (size_t)length : 0};
}

static bool is_in_transaction(const struct sql_store *store)
{
    return sqlite3_get_autocommit(((const struct sqlite_store *)store)->db) == 0;
}

static enum status begin_snapshot(struct sql_store *store, struct error *err)
{
    static const char sql[] = "BEGIN";
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, store, sql, err));
    return query_run(&query, err);
}

const struct sql_driver sqlite_driver = {
    .prepare = prepare,
    .forget = forget,
    .is_busy = is_busy,
    .reset = reset,
    .bind_integer = bind_integer_to,
    .bind_text = bind_text_to,
    .bind_bytes = bind_bytes_to,
    .bind_integers = bind_integers_to,
    .next = next,
    .status = status,
    .changes = changes,
    .integer = integer,
    .text = text,
    .bytes = bytes,
    .find_hosts = sqlite_find_hosts,
    .find_units = sqlite_find_units,
    .insert_rows = sqlite_insert_rows,
    .is_in_transaction = is_in_transaction,
    .begin_snapshot = begin_snapshot,
};
