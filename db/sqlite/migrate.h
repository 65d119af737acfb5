/*
 * The schema, step by step: db/schema/NNNN_*.sql, compiled in. Forward only; what was released is
 * never edited.
 */
#ifndef DB_SQLITE_MIGRATE_H
#define DB_SQLITE_MIGRATE_H

#include "common/base/error.h"

struct sqlite3;

struct migration {
    const char *name;         /* of its file, "0001_site" */
    const char *const *lines; /* ends with NULL */
};

/* Generated; migrations[i] makes version i + 1. */
extern const struct migration migrations[];
extern const int migration_count;

/*
 * Bring the database to the newest version, each step in a transaction of its own. Two programs may
 * do it at the same time. STATUS_CONFLICT: the database is newer than `count` steps.
 */
enum status migrate(struct sqlite3 *db, const struct migration *steps, int count, struct error *err)
    MUST_USE;

#endif
