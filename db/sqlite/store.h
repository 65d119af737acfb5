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

/* check.c */
enum status sqlite_check(struct store *store, void (*say)(void *context, const char *complaint),
                         void *context, int64_t *ret_faults, struct error *err);

/* tables.c */
extern const struct work_ops sqlite_work_ops;
extern const struct publish_ops sqlite_publish_ops;
extern const struct query_ops sqlite_query_ops;

#endif
