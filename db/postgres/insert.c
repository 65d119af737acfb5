/* Rows of any table, for a copy: a statement for all of them. */
#include <stdlib.h>

#include "db/postgres/bulk.h"
#include "db/postgres/store.h"
#include "db/sql/query.h"
#include "db/sql/tables_of.h"

static void add_cell(struct bulk *bulk, const struct column *column, const struct cell *cell)
{
    const char *text = (const char *)cell->bytes.bytes;

    if (column->type == COLUMN_INTEGER && column->may_be_none)
        bulk_reference(bulk, cell->integer);
    else if (column->type == COLUMN_INTEGER)
        bulk_integer(bulk, cell->integer);
    else if (column->type == COLUMN_TEXT && column->may_be_none)
        bulk_optional_text(bulk, text);
    else if (column->type == COLUMN_TEXT)
        bulk_text(bulk, text);
    else if (column->may_be_none)
        bulk_optional(bulk, cell->bytes.bytes, cell->bytes.length);
    else
        bulk_bytes(bulk, cell->bytes.bytes, cell->bytes.length);
}

static void list_types(const struct table *table, char *ret_types)
{
    for (size_t i = 0; i < table->column_count; i++)
        ret_types[i] = table->columns[i].type == COLUMN_INTEGER ? 'i'
                       : table->columns[i].type == COLUMN_TEXT  ? 't'
                                                                : 'b';
    ret_types[table->column_count] = '\0';
}

enum status postgres_insert_rows(struct sql_store *self, const char *sql, const struct table *table,
                                 const struct cell *cells, size_t rows, struct error *err)
{
    CLEANUP(bulk_clear) struct bulk bulk;
    char types[TABLE_COLUMNS_MAX + 1];

    _Static_assert(TABLE_COLUMNS_MAX <= BULK_COLUMNS_MAX, "any table fits");
    list_types(table, types);
    bulk_init(&bulk, self, types);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < table->column_count; j++)
            add_cell(&bulk, &table->columns[j], cells++);
    return bulk_run(&bulk, sql, err);
}
