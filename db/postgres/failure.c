#include "db/postgres/failure.h"

#include <libpq-fe.h>
#include <string.h>

#include "common/base/text.h"
#include "db/store.h"

/* By SQLSTATE, or the beginning of one; see "PostgreSQL Error Codes" in its manual. */
static const struct meaning {
    const char *code;
    enum status status;
    const char *words;
} meanings[] = {
    {"23505", STATUS_CONFLICT, "somebody else stored this meanwhile; try again"},
    {"40", STATUS_CONFLICT, "somebody else changed this meanwhile; try again"},
    {"55P03", STATUS_BUSY, "the database is busy; try again"},
    {"57014", STATUS_BUSY, "the database took too long; try again"},
    {"53300", STATUS_BUSY, "the database has too many connections; try again"},
    {"53100", STATUS_FULL, "no room on the disk for the database; nothing was stored"},
    {"42501", STATUS_STORAGE,
     "the database does not let this server's role do it: make the role own the database"},
    {"3F000", STATUS_STORAGE,
     "the database does not let this server's role do it: make the role own the database"},
    {"25006", STATUS_STORAGE, "the database takes no writes: is it a standby?"},
    {"28", STATUS_STORAGE, "the database refuses this server's role or password"},
    {"3D000", STATUS_STORAGE, "there is no database of this name: create it first"},
    {"57P", STATUS_STORAGE, "the database is being stopped or started; try again later"},
};

static const struct meaning *meaning_of(const char *code)
{
    static const struct meaning none = {NULL, STATUS_STORAGE,
                                        "the database failed; nothing was stored; try again later"};

    for (size_t i = 0; code != NULL && i < sizeof meanings / sizeof *meanings; i++)
        if (text_starts_with(code, meanings[i].code))
            return &meanings[i];
    return &none;
}

/* No table or column of that name, or pages that are not what they were. */
static bool is_damage(const char *code)
{
    static const char *const codes[] = {"42P01", "42703", "XX001", "XX002"};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

static void set_words(struct error *err, const char *code)
{
    const struct meaning *meaning = meaning_of(code);

    if (is_damage(code)) {
        error_set(err, STATUS_STORAGE, "the database is damaged: restore it from a backup");
        error_code(err, STORE_DAMAGED);
    } else {
        error_set(err, meaning->status, "%s", meaning->words);
    }
}

/* The first line: the rest repeats the statement. */
static void set_detail(struct error *err, const char *code, const char *message)
{
    int length = (int)strcspn(message, "\n");

    error_detail(err, "postgres %s: %.*s", code != NULL ? code : "-", length, message);
}

enum status postgres_failure(const struct pg_conn *connection, const struct pg_result *result,
                             struct error *err)
{
    const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const struct meaning *meaning = meaning_of(code);

    if (code == NULL)
        error_set(err, STATUS_STORAGE, "the database went away; try again later");
    else
        set_words(err, code);
    set_detail(err, code, message != NULL ? message : PQerrorMessage(connection));
    return code == NULL ? STATUS_STORAGE : meaning->status;
}

bool postgres_is_lost(const struct pg_result *result)
{
    ExecStatusType outcome = PQresultStatus(result);

    return outcome != PGRES_COMMAND_OK && outcome != PGRES_TUPLES_OK &&
           PQresultErrorField(result, PG_DIAG_SQLSTATE) == NULL;
}

/* Before there is a session, libpq has no code of the failure, only the server's words. */
static const struct meaning *meaning_of_words(const char *message)
{
    static const struct meaning unreachable = {
        NULL, STATUS_STORAGE,
        "the database cannot be reached: look at its URL, and whether it runs"};

    if (strstr(message, "password authentication") != NULL ||
        strstr(message, "no password supplied") != NULL || strstr(message, "role ") != NULL ||
        strstr(message, "pg_hba.conf") != NULL || strstr(message, "authentication failed") != NULL)
        return meaning_of("28000");
    if (strstr(message, "database \"") != NULL && strstr(message, "does not exist") != NULL)
        return meaning_of("3D000");
    if (strstr(message, "too many clients") != NULL || strstr(message, "connection slots") != NULL)
        return meaning_of("53300");
    if (strstr(message, "starting up") != NULL || strstr(message, "shutting down") != NULL)
        return meaning_of("57P03");
    return &unreachable;
}

enum status postgres_unreachable(const struct pg_conn *connection, struct error *err)
{
    const char *message = PQerrorMessage(connection);
    const struct meaning *meaning = meaning_of_words(message);

    error_set(err, meaning->status, "%s", meaning->words);
    set_detail(err, meaning->code, message);
    return meaning->status;
}
