/*
 * The schema, step by step: db/schema/NNNN_*.sql for SQLite and db/schema/postgres/NNNN_*.sql for
 * PostgreSQL, compiled in. Forward only; what was released is never edited. Both have the same
 * tables and columns in the same order; a test compares them.
 */
#ifndef DB_SQL_MIGRATION_H
#define DB_SQL_MIGRATION_H

#include "common/base/error.h"

struct migration {
    const char *name;         /* of its file, "0001_site" */
    const char *const *lines; /* ends with NULL */
};

/* Generated; migrations[i] makes version i + 1. */
extern const struct migration migrations[];
extern const int migration_count;
extern const struct migration postgres_migrations[];
extern const int postgres_migration_count;

/*
 * May a program that knows `count` steps work with a database of this version (0: nothing was ever
 * done to it)? STATUS_NOT_FOUND: it holds no site. STATUS_CONFLICT: it is of another version; the
 * words say which is newer.
 */
enum status migration_verdict(int version, int count, struct error *err) MUST_USE;

#endif
