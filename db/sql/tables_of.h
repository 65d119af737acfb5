/* What tables a database has, read from itself: a copy must not forget what a migration added. */
#ifndef DB_SQL_TABLES_OF_H
#define DB_SQL_TABLES_OF_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "db/publish.h"

struct sql_store;

#define TABLES_MAX        64
#define TABLE_COLUMNS_MAX 32 /* as PostgreSQL's bulk statements take */
#define TABLE_NAME_BYTES  64

enum column_type { COLUMN_INTEGER = 1, COLUMN_TEXT = 2, COLUMN_BYTES = 3 };

struct column {
    char name[TABLE_NAME_BYTES];
    enum column_type type;
    bool may_be_none; /* and then 0, "" and no bytes are none: see bind_reference() and the like */
};

struct table {
    char name[TABLE_NAME_BYTES];
    size_t column_count;
    struct column columns[TABLE_COLUMNS_MAX];
};

struct tables {
    size_t count;
    struct table *items; /* owned; in the order in which they were made */
};

void tables_clear(struct tables *tables);

/* All but that of migrations. */
enum status tables_load(struct sql_store *store, struct tables *ret_tables, struct error *err)
    MUST_USE;

/* STATUS_INVALID: they are not the same, of the same columns in the same order. */
enum status tables_compare(const struct tables *a, const struct tables *b, struct error *err)
    MUST_USE;

/* One value of a row: by its column's type. */
struct cell {
    int64_t integer;
    struct span bytes; /* of a text too, which a NUL follows */
};

/* The names, "a, b, c". free() it. */
char *table_columns(const struct table *table);

#endif
