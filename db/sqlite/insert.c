/* Rows of any table, for a copy. */
#include "db/sql/query.h"
#include "db/sql/tables_of.h"
#include "db/sqlite/store.h"

static void bind_cell(struct query *query, const struct column *column, const struct cell *cell)
{
    const char *text = (const char *)cell->bytes.bytes;

    if (column->type == COLUMN_INTEGER && column->may_be_none)
        bind_reference(query, cell->integer);
    else if (column->type == COLUMN_INTEGER)
        bind_integer(query, cell->integer);
    else if (column->type == COLUMN_TEXT && column->may_be_none)
        bind_optional_text(query, text);
    else if (column->type == COLUMN_TEXT)
        bind_text(query, text);
    else if (column->may_be_none)
        bind_optional(query, cell->bytes.bytes, cell->bytes.length);
    else
        bind_bytes(query, cell->bytes.bytes, cell->bytes.length);
}

enum status sqlite_insert_rows(struct sql_store *self, const char *sql, const struct table *table,
                               const struct cell *cells, size_t rows, struct error *err)
{
    CLEANUP(query_end) struct query query = {0};

    TRY(query_begin(&query, self, sql, err));
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < table->column_count; j++)
            bind_cell(&query, &table->columns[j], cells++);
        TRY(query_run(&query, err));
    }
    return STATUS_OK;
}
