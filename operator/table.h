/* Columns for people: as wide as their widest cell, numbers to the right. */
#ifndef OPERATOR_TABLE_H
#define OPERATOR_TABLE_H

#include <stdio.h>

#include "common/base/cleanup.h"

#define TABLE_COLUMNS_MAX 12

struct table {
    size_t column_count;
    const char *const *titles; /* a title that begins with '>' heads a column of numbers */
    char **cells;              /* owned, row by row */
    size_t cell_count, capacity;
};

void table_init(struct table *table, const char *const *titles, size_t column_count);
void table_clear(struct table *table);

/* The next cell; rows are filled from left to right. */
void table_cell(struct table *table, const char *fmt, ...) PRINTF_LIKE(2, 3);
void table_print(const struct table *table, FILE *out);

#endif
