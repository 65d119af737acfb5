#include "db/postgres/bulk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "db/postgres/driver.h"
#include "db/sql/query.h"
#include "db/sql/store.h"

static enum pg_type type_of(char letter)
{
    switch (letter) {
    case 'i':
        return PG_INT8;
    case 't':
        return PG_TEXT;
    default:
        assert(letter == 'b');
        return PG_BYTEA;
    }
}

void bulk_init(struct bulk *bulk, struct sql_store *store, const char *types)
{
    *bulk = (struct bulk){.store = store, .count = strlen(types)};
    assert(bulk->count <= BULK_COLUMNS_MAX);
    for (size_t i = 0; i < bulk->count; i++)
        array_init(&bulk->columns[i], type_of(types[i]));
}

void bulk_clear(struct bulk *bulk)
{
    for (size_t i = 0; i < bulk->count; i++)
        array_clear(&bulk->columns[i]);
}

static struct array *next(struct bulk *bulk, enum pg_type type)
{
    struct array *column = &bulk->columns[bulk->next++ % bulk->count];

    assert(column->element == type);
    return column;
}

void bulk_integer(struct bulk *bulk, int64_t value)
{
    array_add_integer(next(bulk, PG_INT8), &value);
}

void bulk_reference(struct bulk *bulk, int64_t id)
{
    array_add_integer(next(bulk, PG_INT8), id != 0 ? &id : NULL);
}

void bulk_text(struct bulk *bulk, const char *text)
{
    const char *there = text != NULL ? text : "";

    array_add_bytes(next(bulk, PG_TEXT), there, strlen(there));
}

void bulk_optional_text(struct bulk *bulk, const char *text)
{
    bool is_none = text == NULL || *text == '\0';

    array_add_bytes(next(bulk, PG_TEXT), is_none ? NULL : text, is_none ? 0 : strlen(text));
}

void bulk_bytes(struct bulk *bulk, const void *bytes, size_t length)
{
    array_add_bytes(next(bulk, PG_BYTEA), length > 0 ? bytes : "", length);
}

void bulk_optional(struct bulk *bulk, const void *bytes, size_t length)
{
    array_add_bytes(next(bulk, PG_BYTEA), length > 0 ? bytes : NULL, length);
}

void bulk_digest(struct bulk *bulk, const struct digest *digest)
{
    bulk_optional(bulk, digest->bytes, digest_is_none(digest) ? 0 : DIGEST_BYTES);
}

void bulk_span(struct bulk *bulk, struct span span)
{
    bulk_bytes(bulk, span.bytes, span.length);
}

size_t bulk_rows(const struct bulk *bulk)
{
    assert(bulk->next % bulk->count == 0);
    return bulk->next / bulk->count;
}

enum status bulk_query(struct bulk *bulk, const char *sql, struct query *ret_query,
                       struct error *err)
{
    assert(bulk->next % bulk->count == 0);
    TRY(query_begin(ret_query, bulk->store, sql, err));
    for (size_t i = 0; i < bulk->count; i++)
        bind_array(ret_query, &bulk->columns[i]);
    return STATUS_OK;
}

enum status bulk_run(struct bulk *bulk, const char *sql, struct error *err)
{
    CLEANUP(query_end) struct query query = {0};

    if (bulk_rows(bulk) == 0)
        return STATUS_OK;
    TRY(bulk_query(bulk, sql, &query, err));
    return query_run(&query, err);
}

enum status bulk_change(struct bulk *bulk, const char *sql, const char *what, struct error *err)
{
    CLEANUP(query_end) struct query query = {0};

    if (bulk_rows(bulk) == 0)
        return STATUS_OK;
    TRY(bulk_query(bulk, sql, &query, err));
    TRY(query_run(&query, err));
    if (query_changes(&query) == (int64_t)bulk_rows(bulk))
        return STATUS_OK;
    error_set(err, STATUS_CONFLICT, "somebody else changed it meanwhile; try again");
    error_detail(err, "%lld of %zu rows of %s are as they were loaded",
                 (long long)query_changes(&query), bulk_rows(bulk), what);
    return STATUS_CONFLICT;
}
