#include "db/postgres/statement.h"

#include <assert.h>
#include <ctype.h>
#include <endian.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/text.h"
#include "db/postgres/failure.h"
#include "db/postgres/store.h"

#define TEXT_MAX 16384

int64_t to_network(int64_t value)
{
    return (int64_t)htobe64((uint64_t)value);
}

/* Our own text fits: it is a constant of the program. */
static void add(struct buffer *text, const char *bytes, size_t length)
{
    if (buffer_append(text, bytes, length, NULL) != STATUS_OK)
        abort();
}

/* ? counts on; ?7 is the seventh. Returns how many bytes that took. */
static size_t add_parameter(struct buffer *text, const char *at, int *count)
{
    size_t digits = strspn(at + 1, "0123456789");
    int number = digits > 0 ? (int)strtol(at + 1, NULL, 10) : *count + 1;

    if (buffer_printf(text, NULL, "$%d", number) != STATUS_OK)
        abort();
    if (number > *count)
        *count = number;
    return 1 + digits;
}

/* Plans are not for PostgreSQL to be told; lists come as arrays. 0: it is none of those words. */
static size_t add_word(struct buffer *text, const char *at, int *count)
{
    if (text_starts_with(at, "NOT INDEXED"))
        return strlen("NOT INDEXED");
    if (text_starts_with(at, "INDEXED BY "))
        return strlen("INDEXED BY ") + strcspn(at + strlen("INDEXED BY "), " )");
    if (text_starts_with(at, "CROSS JOIN "))
        return strlen("CROSS ");
    if (!text_starts_with(at, "json_each(?) j"))
        return 0;
    add(text, "unnest(", strlen("unnest("));
    (void)add_parameter(text, "?", count);
    add(text, ") j(value)", strlen(") j(value)"));
    return strlen("json_each(?) j");
}

char *statement_translate(const char *sql)
{
    struct buffer text = {.max = TEXT_MAX};
    bool is_quoted = false;
    int count = 0;

    for (size_t used; *sql != '\0'; sql += used) {
        is_quoted = is_quoted != (*sql == '\'');
        used = is_quoted ? 0 : add_word(&text, sql, &count);
        if (used > 0)
            continue;
        if (*sql == '?' && !is_quoted) {
            used = add_parameter(&text, sql, &count);
        } else {
            add(&text, sql, 1);
            used = 1;
        }
    }
    return buffer_take(&text);
}

void statement_reset(struct pg_statement *statement)
{
    PQclear(statement->result);
    statement->result = NULL;
    statement->row = -1;
    statement->failure = (struct error){0};
    for (int i = 0; i < statement->parameter_count; i++) {
        free(statement->parameters[i].owned);
        statement->parameters[i].owned = NULL;
    }
    statement->parameter_count = 0;
}

void statement_free(struct pg_statement *statement)
{
    statement_reset(statement);
    free(statement->text);
    free(statement);
}

struct name {
    char text[16];
};

static struct name name_of(const struct pg_statement *statement)
{
    struct name name;

    (void)snprintf(name.text, sizeof name.text, "s%u", statement->number);
    return name;
}

static enum status prepare(struct postgres_store *store, struct pg_statement *statement,
                           struct error *err)
{
    Oid types[PARAMETERS_MAX];
    PGresult *result;
    enum status status = STATUS_OK;

    if (statement->generation == store->generation)
        return STATUS_OK;
    if (statement->number == 0)
        statement->number = ++store->statements;
    for (int i = 0; i < statement->parameter_count; i++)
        types[i] = statement->parameters[i].type;
    result = PQprepare(store->connection, name_of(statement).text, statement->text,
                       statement->parameter_count, types);
    postgres_notice(store, result);
    if (PQresultStatus(result) != PGRES_COMMAND_OK)
        status = postgres_failure(store->connection, result, err);
    else
        statement->generation = store->generation;
    PQclear(result);
    return status;
}

static PGresult *execute(struct postgres_store *store, const struct pg_statement *statement)
{
    const char *values[PARAMETERS_MAX];
    int lengths[PARAMETERS_MAX], formats[PARAMETERS_MAX];

    for (int i = 0; i < statement->parameter_count; i++) {
        values[i] = statement->parameters[i].value;
        lengths[i] = statement->parameters[i].length;
        formats[i] = 1;
    }
    return PQexecPrepared(store->connection, name_of(statement).text, statement->parameter_count,
                          values, lengths, formats, 1);
}

static enum status run_once(struct postgres_store *store, struct pg_statement *statement,
                            struct error *err)
{
    ExecStatusType outcome;

    TRY(prepare(store, statement, err));
    PQclear(statement->result);
    statement->result = execute(store, statement);
    outcome = PQresultStatus(statement->result);
    postgres_notice(store, statement->result);
    if (outcome != PGRES_COMMAND_OK && outcome != PGRES_TUPLES_OK)
        return postgres_failure(store->connection, statement->result, err);
    store->changes = strtoll(PQcmdTuples(statement->result), NULL, 10);
    return STATUS_OK;
}

/* Outside of a transaction, whoever finds the connection gone asks again on a new one. */
enum status statement_run(struct postgres_store *store, struct pg_statement *statement,
                          struct error *err)
{
    enum status status;

    if (!store->is_in_transaction)
        TRY(postgres_revive(store, err));
    status = run_once(store, statement, err);
    if (status == STATUS_OK || store->is_in_transaction || store->is_set_up)
        return status;
    TRY(postgres_revive(store, err));
    return run_once(store, statement, err);
}
