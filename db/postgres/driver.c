/* How a statement reaches PostgreSQL: prepared, its values and rows in binary. */
#include <assert.h>
#include <endian.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "db/postgres/driver.h"
#include "db/postgres/statement.h"
#include "db/postgres/store.h"

static struct pg_statement *of(const struct query *query)
{
    return query->statement;
}

/* The server hears of it when its parameters' types are known. */
static enum status prepare(struct sql_store *store, const char *sql, void **ret_statement,
                           struct error *err)
{
    struct pg_statement *statement = must_alloc(1, sizeof *statement);

    (void)store;
    (void)err;
    statement->text = statement_translate(sql);
    statement->row = -1;
    *ret_statement = statement;
    return STATUS_OK;
}

static void forget(struct sql_store *store, void *statement)
{
    (void)store;
    statement_free(statement);
}

static bool is_busy(void *statement)
{
    return ((struct pg_statement *)statement)->parameter_count > 0 ||
           ((struct pg_statement *)statement)->result != NULL;
}

static void reset(struct query *query)
{
    statement_reset(of(query));
}

static struct pg_parameter *parameter_at(struct query *query, int at, enum pg_type type)
{
    struct pg_statement *statement = of(query);

    assert(at == statement->parameter_count && at < PARAMETERS_MAX);
    statement->parameter_count++;
    statement->parameters[at] = (struct pg_parameter){.type = type};
    return &statement->parameters[at];
}

static void bind_integer_to(struct query *query, int at, const int64_t *value)
{
    struct pg_parameter *parameter = parameter_at(query, at, PG_INT8);

    if (value == NULL)
        return;
    parameter->integer = to_network(*value);
    parameter->value = (const char *)&parameter->integer;
    parameter->length = sizeof parameter->integer;
}

static void bind_text_to(struct query *query, int at, const char *text)
{
    struct pg_parameter *parameter = parameter_at(query, at, PG_TEXT);

    parameter->value = text;
    parameter->length = text != NULL ? (int)strlen(text) : 0;
}

static void bind_bytes_to(struct query *query, int at, const struct span *bytes)
{
    struct pg_parameter *parameter = parameter_at(query, at, PG_BYTEA);

    if (bytes == NULL)
        return;
    parameter->value = bytes->bytes;
    parameter->length = (int)bytes->length;
}

void bind_array(struct query *query, struct array *array)
{
    enum pg_type type = array->element == PG_INT8   ? PG_INT8S
                        : array->element == PG_TEXT ? PG_TEXTS
                                                    : PG_BYTEAS;
    struct pg_parameter *parameter = parameter_at(query, query->bound++, type);

    parameter->length = (int)array_finish(array);
    parameter->value = parameter->owned = array_take(array);
}

void bind_digests(struct query *query, const struct digest *digests, size_t count)
{
    struct array array;

    array_init(&array, PG_BYTEA);
    for (size_t i = 0; i < count; i++)
        array_add_bytes(&array, digests[i].bytes, DIGEST_BYTES);
    bind_array(query, &array);
}

static void bind_integers_to(struct query *query, int at, const int64_t *values, size_t count)
{
    struct array array;

    assert(at == query->bound - 1);
    query->bound--;
    array_init(&array, PG_INT8);
    for (size_t i = 0; i < count; i++)
        array_add_integer(&array, &values[i]);
    bind_array(query, &array);
}

static bool next(struct query *query)
{
    struct pg_statement *statement = of(query);

    if (statement->result == NULL) {
        query->rc = (int)statement_run((struct postgres_store *)query->store, statement,
                                       &statement->failure);
        statement->row = -1;
    }
    statement->row++;
    return query->rc == (int)STATUS_OK && statement->row < PQntuples(statement->result);
}

static enum status status(const struct query *query, struct error *err)
{
    if (query->rc != (int)STATUS_OK && err != NULL)
        *err = of(query)->failure;
    return (enum status)query->rc;
}

static int64_t changes(const struct sql_store *store)
{
    return ((const struct postgres_store *)store)->changes;
}

/* Columns are bigint; what is counted or compared may be smaller. */
static int64_t integer(struct query *query, int column)
{
    const struct pg_statement *statement = of(query);
    const char *value = PQgetvalue(statement->result, statement->row, column);
    uint64_t wide;
    uint32_t narrow;

    if (PQgetisnull(statement->result, statement->row, column))
        return 0;
    switch (PQgetlength(statement->result, statement->row, column)) {
    case sizeof wide:
        memcpy(&wide, value, sizeof wide);
        return (int64_t)be64toh(wide);
    case sizeof narrow:
        memcpy(&narrow, value, sizeof narrow);
        return (int32_t)be32toh(narrow);
    case 1:
        return *value;
    default:
        abort(); /* a statement of ours that asks for something else */
    }
}

static const char *text(struct query *query, int column)
{
    const struct pg_statement *statement = of(query);

    if (PQgetisnull(statement->result, statement->row, column))
        return NULL;
    return PQgetvalue(statement->result, statement->row, column);
}

static struct span bytes(struct query *query, int column)
{
    const struct pg_statement *statement = of(query);
    int length = PQgetlength(statement->result, statement->row, column);

    if (PQgetisnull(statement->result, statement->row, column))
        return (struct span){0};
    return (struct span){.bytes = PQgetvalue(statement->result, statement->row, column),
                         .length = (size_t)length};
}

static bool is_in_transaction(const struct sql_store *store)
{
    return ((const struct postgres_store *)store)->is_in_transaction;
}

static enum status begin_snapshot(struct sql_store *store, struct error *err)
{
    return postgres_begin((struct postgres_store *)store,
                          "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
}

const struct sql_driver postgres_driver = {
    .is_postgres = true,
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
    .find_hosts = postgres_find_hosts,
    .find_units = postgres_find_units,
    .insert_rows = postgres_insert_rows,
    .is_in_transaction = is_in_transaction,
    .begin_snapshot = begin_snapshot,
};
