#include "operator/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

void table_init(struct table *table, const char *const *titles, size_t column_count)
{
    assert(column_count <= TABLE_COLUMNS_MAX);
    *table = (struct table){.titles = titles, .column_count = column_count};
}

void table_clear(struct table *table)
{
    for (size_t i = 0; i < table->cell_count; i++)
        free(table->cells[i]);
    free(table->cells);
    *table = (struct table){0};
}

void table_cell(struct table *table, const char *fmt, ...)
{
    va_list args;

    if (table->cell_count == table->capacity) {
        table->capacity = table->capacity * 2 + 64;
        table->cells = realloc(table->cells, table->capacity * sizeof *table->cells);
        if (table->cells == NULL)
            abort();
    }
    va_start(args, fmt);
    if (vasprintf(&table->cells[table->cell_count], fmt, args) < 0)
        abort();
    va_end(args);
    table->cell_count++;
}

/* What a terminal shows: UTF-8 continuation bytes take no room. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static bool is_number(const struct table *table, size_t column)
{
    return table->titles[column][0] == '>';
}

static void print_cell(FILE *out, const char *text, size_t width, bool is_right, bool is_last)
{
    int blanks = (int)(width - width_of(text));

    if (is_right)
        (void)fprintf(out, "%*s%s", blanks, "", text);
    else
        (void)fprintf(out, "%s%*s", text, is_last ? 0 : blanks, "");
    (void)fputs(is_last ? "\n" : "  ", out);
}

void table_print(const struct table *table, FILE *out)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    size_t columns = table->column_count;

    for (size_t i = 0; i < columns; i++)
        widths[i] = width_of(table->titles[i]) - is_number(table, i);
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t width = width_of(table->cells[i]);

        if (width > widths[i % columns])
            widths[i % columns] = width;
    }
    for (size_t i = 0; i < columns; i++)
        print_cell(out, table->titles[i] + is_number(table, i), widths[i], is_number(table, i),
                   i + 1 == columns);
    for (size_t i = 0; i < table->cell_count; i++)
        print_cell(out, table->cells[i], widths[i % columns], is_number(table, i % columns),
                   i % columns + 1 == columns);
}
