#include "db/sqlite/migrate.h"

#include <sqlite3.h>

#include "db/sqlite/failure.h"

static const char make_table[] =
    "CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT";

static enum status run(sqlite3 *db, const char *sql, struct error *err)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? STATUS_OK : sqlite_failure(db, rc, err);
}

static enum status read_version(sqlite3 *db, int *ret_version, struct error *err)
{
    sqlite3_stmt *row = NULL;
    int rc =
        sqlite3_prepare_v2(db, "SELECT coalesce(max(version), 0) FROM migration", -1, &row, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(row);
    if (rc == SQLITE_ROW)
        *ret_version = sqlite3_column_int(row, 0);
    (void)sqlite3_finalize(row);
    return rc == SQLITE_ROW ? STATUS_OK : sqlite_failure(db, rc, err);
}

/* All that one step does, and the row that says so. */
static char *script_of(const struct migration *step, int version)
{
    sqlite3_str *script = sqlite3_str_new(NULL);
    char *text;

    for (const char *const *line = step->lines; *line != NULL; line++)
        sqlite3_str_appendall(script, *line);
    sqlite3_str_appendf(script, "INSERT INTO migration VALUES (%d, %Q);", version, step->name);
    text = sqlite3_str_finish(script);
    if (text == NULL)
        abort();
    return text;
}

/* The version is read again inside the transaction: another program may just have done this step.
 */
static enum status take_step(sqlite3 *db, const struct migration *steps, int count, int *version,
                             struct error *err)
{
    char *script;
    enum status status;

    TRY(read_version(db, version, err));
    if (*version >= count)
        return STATUS_OK;
    script = script_of(&steps[*version], *version + 1);
    status = run(db, script, err);
    sqlite3_free(script);
    return status;
}

static enum status step_in_transaction(sqlite3 *db, const struct migration *steps, int count,
                                       int *version, struct error *err)
{
    enum status status;

    TRY(run(db, "BEGIN IMMEDIATE", err));
    status = take_step(db, steps, count, version, err);
    if (status == STATUS_OK)
        status = run(db, "COMMIT", err);
    if (status != STATUS_OK)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* SQLite may have done it already */
    return status;
}

static enum status has_table(sqlite3 *db, bool *ret_has, struct error *err)
{
    sqlite3_stmt *row = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'migration'",
                                -1, &row, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(row);
    if (rc == SQLITE_ROW)
        *ret_has = sqlite3_column_int(row, 0) == 1;
    (void)sqlite3_finalize(row);
    return rc == SQLITE_ROW ? STATUS_OK : sqlite_failure(db, rc, err);
}

enum status migrations_are_done(sqlite3 *db, int count, struct error *err)
{
    bool has = false;
    int version = 0;

    TRY(has_table(db, &has, err));
    if (has)
        TRY(read_version(db, &version, err));
    return migration_verdict(version, count, err);
}

enum status migrate(sqlite3 *db, const struct migration *steps, int count, struct error *err)
{
    int version = 0;

    TRY(run(db, make_table, err));
    TRY(read_version(db, &version, err));
    while (version < count)
        TRY(step_in_transaction(db, steps, count, &version, err));
    return migration_verdict(version, count, err);
}
