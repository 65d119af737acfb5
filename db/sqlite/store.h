/* The SQLite back-end, as its own files see it. */
#ifndef DB_SQLITE_STORE_H
#define DB_SQLITE_STORE_H

#include "db/sql/store.h"

struct sqlite3;

struct sqlite_store {
    struct sql_store base;
    struct sqlite3 *db;
};

static inline struct sqlite_store *sqlite_of(struct store *store)
{
    return (struct sqlite_store *)store;
}

extern const struct sql_driver sqlite_driver;

/* find.c */
enum status sqlite_find_hosts(struct sql_store *self, const struct work_request *request,
                              struct ids *hosts, struct error *err);
enum status sqlite_find_units(struct sql_store *self, const struct work_request *request,
                              struct ids *units, struct error *err);

/* insert.c */
enum status sqlite_insert_rows(struct sql_store *self, const char *sql, const struct table *table,
                               const struct cell *cells, size_t rows, struct error *err);

/* check.c */
enum status sqlite_check(struct store *store, const struct store_check *how, int64_t *ret_faults,
                         struct error *err);

#endif
