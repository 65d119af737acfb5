#include "db/postgres/migrate.h"

#include <libpq-fe.h>
#include <stdlib.h>

#include "common/base/buffer.h"
#include "db/postgres/failure.h"
#include "db/postgres/store.h"

#define SCRIPT_MAX (1 << 20)

/* Serialises servers that come up together, before there is any table. */
static const char begin_step[] =
    "BEGIN; SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 110455409238372))";
static const char make_table[] =
    "CREATE TABLE IF NOT EXISTS migration (version BIGINT PRIMARY KEY, name TEXT NOT NULL)";

static enum status read_number(struct postgres_store *store, const char *sql, int *ret_number,
                               struct error *err)
{
    PGresult *result = PQexec(store->connection, sql);
    enum status status = STATUS_OK;

    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        status = postgres_failure(store->connection, result, err);
    else
        *ret_number = (int)strtol(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return status;
}

/* 0: of a database that nothing was done to yet. A role that may only use the tables is fine. */
static enum status read_version(struct postgres_store *store, int *ret_version, struct error *err)
{
    int is_there = 0;

    *ret_version = 0;
    TRY(read_number(store, "SELECT (to_regclass('migration') IS NOT NULL)::int", &is_there, err));
    if (is_there == 0)
        return STATUS_OK;
    return read_number(store, "SELECT coalesce(max(version), 0) FROM migration", ret_version, err);
}

/* All that one step does, and the row that says so. */
static enum status write_script(const struct migration *step, int version, struct buffer *script,
                                struct error *err)
{
    buffer_init(script, SCRIPT_MAX);
    TRY(buffer_append_text(script, make_table, err));
    TRY(buffer_append_text(script, ";\n", err));
    for (const char *const *line = step->lines; *line != NULL; line++)
        TRY(buffer_append_text(script, *line, err));
    return buffer_printf(script, err, "INSERT INTO migration VALUES (%d, '%s')", version,
                         step->name);
}

/* The version is read again: another server may just have done this step. */
static enum status take_step(struct postgres_store *store, const struct migration *steps, int count,
                             int *version, struct error *err)
{
    CLEANUP(txn_end) struct txn txn = {0};
    CLEANUP(buffer_clear) struct buffer script = {0};

    TRY(postgres_begin(store, begin_step, err));
    txn.store = &store->base.base;
    TRY(read_version(store, version, err));
    if (*version >= count)
        return STATUS_OK;
    TRY(write_script(&steps[*version], *version + 1, &script, err));
    TRY(postgres_run(store, buffer_text(&script), err));
    ++*version;
    return txn_commit(&txn, err);
}

enum status postgres_is_migrated(struct postgres_store *store, int count, struct error *err)
{
    int version = 0;

    TRY(read_version(store, &version, err));
    return migration_verdict(version, count, err);
}

enum status postgres_migrate(struct postgres_store *store, const struct migration *steps, int count,
                             struct error *err)
{
    int version = 0;

    TRY(read_version(store, &version, err));
    while (version < count)
        TRY(take_step(store, steps, count, &version, err));
    return migration_verdict(version, count, err);
}
