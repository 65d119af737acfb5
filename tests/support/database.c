#include "tests/support/database.h"

#include <libpq-fe.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/text.h"

struct database_view {
    sqlite3 *lite;
    PGconn *postgres; /* NULL: it is the other one */
};

static const char *test_url(void)
{
    const char *url = getenv("DUGNAD_TEST_DATABASE");

    return url != NULL && *url != '\0' ? url : NULL;
}

bool database_is_postgres(void)
{
    return test_url() != NULL;
}

static void die(const char *what, const char *words)
{
    (void)fprintf(stderr, "%s: %s\n", what, words);
    abort();
}

static PGconn *connect_to(const char *url)
{
    PGconn *connection = PQconnectdb(url);

    if (PQstatus(connection) != CONNECTION_OK)
        die(url, PQerrorMessage(connection));
    PQclear(PQexec(connection, "SET client_min_messages = warning"));
    return connection;
}

static void make_schema(const char *schema)
{
    CLEANUP(freep) char *sql = text_format("CREATE SCHEMA %s", schema);
    PGconn *connection = connect_to(test_url());
    PGresult *result = PQexec(connection, sql);

    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        die(sql, PQerrorMessage(connection));
    PQclear(result);
    PQfinish(connection);
}

void database_name(char *ret_name)
{
    static unsigned fresh;
    struct timespec now;
    char schema[64];

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)snprintf(schema, sizeof schema, "t%d_%lld_%u", (int)getpid(),
                   (long long)now.tv_sec * 1000000000 + now.tv_nsec, ++fresh);
    if (test_url() == NULL) {
        (void)snprintf(ret_name, DATABASE_NAME_MAX, "file:/%s?vfs=memdb", schema);
        return;
    }
    make_schema(schema);
    (void)snprintf(ret_name, DATABASE_NAME_MAX, "%s%coptions=-csearch_path%%3D%s", test_url(),
                   strchr(test_url(), '?') == NULL ? '?' : '&', schema);
}

struct database_view *database_look(const char *name)
{
    struct database_view *view = must_alloc(1, sizeof *view);

    if (text_starts_with(name, "postgres"))
        view->postgres = connect_to(name);
    else if (sqlite3_open_v2(name, &view->lite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL) !=
             SQLITE_OK)
        die(name, sqlite3_errmsg(view->lite));
    return view;
}

void database_leave(struct database_view *view)
{
    if (view == NULL)
        return;
    (void)sqlite3_close(view->lite);
    PQfinish(view->postgres);
    free(view);
}

/* SQLite's words for bytes, and for numbers of rows. free() it. */
static char *spoken(const char *sql)
{
    static const char *const words[][2] = {
        {"x'00'", "'\\x00'::bytea"},
        {"zeroblob(32)", "decode(repeat('00', 32), 'hex')"},
        {"CAST(printf('%032d', i) AS BLOB)", "convert_to(lpad(i::text, 32, '0'), 'UTF8')"},
        {"randomblob(32)", "sha256('a')"},
    };
    char *text = text_copy(sql);

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char *at = strstr(text, words[i][0]);
        char *replaced;

        if (at == NULL)
            continue;
        replaced =
            text_format("%.*s%s%s", (int)(at - text), text, words[i][1], at + strlen(words[i][0]));
        free(text);
        text = replaced;
    }
    return text;
}

static PGresult *ask_postgres(struct database_view *view, const char *sql)
{
    CLEANUP(freep) char *text = spoken(sql);
    PGresult *result = PQexec(view->postgres, text);

    if (PQresultStatus(result) != PGRES_COMMAND_OK && PQresultStatus(result) != PGRES_TUPLES_OK)
        die(text, PQerrorMessage(view->postgres));
    return result;
}

int64_t database_change(struct database_view *view, const char *sql)
{
    PGresult *result;
    int64_t changed;

    if (view->postgres == NULL) {
        if (sqlite3_exec(view->lite, sql, NULL, NULL, NULL) != SQLITE_OK)
            die(sql, sqlite3_errmsg(view->lite));
        return sqlite3_changes64(view->lite);
    }
    result = ask_postgres(view, sql);
    changed = strtoll(PQcmdTuples(result), NULL, 10);
    PQclear(result);
    return changed;
}

static int64_t ask_lite(struct database_view *view, const char *sql)
{
    sqlite3_stmt *row = NULL;
    int64_t value;

    if (sqlite3_prepare_v2(view->lite, sql, -1, &row, NULL) != SQLITE_OK ||
        sqlite3_step(row) != SQLITE_ROW)
        die(sql, sqlite3_errmsg(view->lite));
    value = sqlite3_column_int64(row, 0);
    (void)sqlite3_finalize(row);
    return value;
}

int64_t database_number(struct database_view *view, const char *sql)
{
    PGresult *result;
    const char *text;
    int64_t value;

    if (view->postgres == NULL)
        return ask_lite(view, sql);
    result = ask_postgres(view, sql);
    if (PQntuples(result) < 1)
        die(sql, "no row");
    text = PQgetvalue(result, 0, 0);
    value = strcmp(text, "t") == 0 ? 1 : strtoll(text, NULL, 10);
    PQclear(result);
    return value;
}

void database_break(struct database_view *view, const char *what, const char *when)
{
    CLEANUP(freep) char *sql = NULL;

    if (when == NULL)
        when = "1 = 1";
    if (view->postgres == NULL)
        sql = text_format("CREATE TRIGGER fault AFTER %s WHEN %s BEGIN"
                          " SELECT RAISE(FAIL, 'fault'); END",
                          what, when);
    else
        sql = text_format("CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                          " IF %s THEN RAISE EXCEPTION 'fault'; END IF; RETURN NULL; END $$;"
                          " CREATE TRIGGER fault AFTER %s FOR EACH ROW EXECUTE FUNCTION fault()",
                          when, what);
    (void)database_change(view, sql);
}

void database_mend(struct database_view *view)
{
    (void)database_change(view, view->postgres != NULL ? "DROP FUNCTION fault() CASCADE"
                                                       : "DROP TRIGGER fault");
}
