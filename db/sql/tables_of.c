#include "db/sql/tables_of.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buffer.h"
#include "common/base/text.h"
#include "db/sql/query.h"
#include "db/sql/store.h"

#define COLUMNS_TEXT_MAX 4096

void tables_clear(struct tables *tables)
{
    free(tables->items);
    *tables = (struct tables){0};
}

static enum status take_name(struct query *query, char *ret_name, struct error *err)
{
    if (text_fit(ret_name, TABLE_NAME_BYTES, get_text(query)))
        return STATUS_OK;
    return record_damaged("the name of a table or column", err);
}

/* One row a column: table, column, type, whether it may be NULL. */
static const char lite[] =
    "SELECT s.name, c.name, c.type, c.\"notnull\" = 0 AND c.pk = 0"
    " FROM sqlite_schema s, pragma_table_info(s.name) c WHERE s.type = 'table'"
    " AND s.name NOT LIKE 'sqlite%' AND s.name <> 'migration' ORDER BY s.rowid, c.cid";
static const char postgres[] =
    "SELECT c.relname::text, a.attname::text, CASE a.atttypid::regtype::text WHEN 'bigint'"
    " THEN 'INTEGER' WHEN 'text' THEN 'TEXT' WHEN 'bytea' THEN 'BLOB' ELSE '' END,"
    " CASE WHEN a.attnotnull THEN 0::bigint ELSE 1 END"
    " FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0"
    " AND NOT a.attisdropped WHERE c.relkind = 'r' AND c.relname <> 'migration'"
    " AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"
    " ORDER BY c.oid, a.attnum";

static enum status not_ours(const char *table, struct error *err)
{
    return error_set(err, STATUS_INVALID, "table %s is none of ours: give a database of its own",
                     table);
}

static enum status type_of(const char *words, enum column_type *ret_type)
{
    if (strcmp(words, "INTEGER") == 0)
        *ret_type = COLUMN_INTEGER;
    else if (strcmp(words, "TEXT") == 0)
        *ret_type = COLUMN_TEXT;
    else if (strcmp(words, "BLOB") == 0)
        *ret_type = COLUMN_BYTES;
    else
        return STATUS_INVALID;
    return STATUS_OK;
}

/* The table of this name: the last one, or one more. */
static struct table *table_for(struct tables *tables, const char *name)
{
    struct table *last = tables->count > 0 ? &tables->items[tables->count - 1] : NULL;

    if (last != NULL && strcmp(last->name, name) == 0)
        return last->column_count < TABLE_COLUMNS_MAX ? last : NULL;
    if (tables->count == TABLES_MAX)
        return NULL;
    last = &tables->items[tables->count++];
    (void)text_fit(last->name, sizeof last->name, name);
    return last;
}

static enum status take_column(struct tables *tables, struct query *query, struct error *err)
{
    char name[TABLE_NAME_BYTES];
    struct table *table;
    struct column *column;

    TRY(take_name(query, name, err));
    table = table_for(tables, name);
    if (table == NULL)
        return not_ours(name, err);
    column = &table->columns[table->column_count++];
    TRY(take_name(query, column->name, err));
    if (type_of(get_text(query), &column->type) != STATUS_OK)
        return not_ours(name, err);
    column->may_be_none = get_bool(query);
    return STATUS_OK;
}

enum status tables_load(struct sql_store *store, struct tables *ret_tables, struct error *err)
{
    CLEANUP(query_end) struct query query = {0};
    CLEANUP(tables_clear) struct tables tables = {0};

    tables.items = must_alloc(TABLES_MAX, sizeof *tables.items);
    TRY(query_begin(&query, store, SPOKEN(store, lite, postgres), err));
    while (query_next(&query))
        TRY(take_column(&tables, &query, err));
    TRY(query_status(&query, err));
    *ret_tables = tables;
    tables = (struct tables){0};
    return STATUS_OK;
}

static bool is_same(const struct table *a, const struct table *b)
{
    if (strcmp(a->name, b->name) != 0 || a->column_count != b->column_count)
        return false;
    for (size_t i = 0; i < a->column_count; i++)
        if (strcmp(a->columns[i].name, b->columns[i].name) != 0 ||
            a->columns[i].type != b->columns[i].type ||
            a->columns[i].may_be_none != b->columns[i].may_be_none)
            return false;
    return true;
}

enum status tables_compare(const struct tables *a, const struct tables *b, struct error *err)
{
    size_t count = a->count < b->count ? a->count : b->count;

    for (size_t i = 0; i < count; i++)
        if (!is_same(&a->items[i], &b->items[i]))
            return error_set(err, STATUS_INVALID,
                             "table %s is not alike in both databases: use one that holds nothing "
                             "else",
                             a->items[i].name);
    if (a->count != b->count)
        return error_set(err, STATUS_INVALID,
                         "the databases have %zu and %zu tables: use one that holds nothing else",
                         a->count, b->count);
    return STATUS_OK;
}

char *table_columns(const struct table *table)
{
    struct buffer text = {.max = COLUMNS_TEXT_MAX};

    for (size_t i = 0; i < table->column_count; i++)
        if (buffer_printf(&text, NULL, "%s%s", i > 0 ? ", " : "", table->columns[i].name) !=
            STATUS_OK)
            abort();
    return buffer_take(&text);
}
