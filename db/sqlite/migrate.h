/* Migrations of a SQLite database. */
#ifndef DB_SQLITE_MIGRATE_H
#define DB_SQLITE_MIGRATE_H

#include "common/base/error.h"
#include "db/sql/migration.h"

struct sqlite3;

/*
 * Bring the database to the newest version, each step in a transaction of its own. Two programs may
 * do it at the same time. STATUS_CONFLICT: the database is newer than `count` steps.
 */
enum status migrate(struct sqlite3 *db, const struct migration *steps, int count, struct error *err)
    MUST_USE;

/* Is it of that version? Looks only. STATUS_NOT_FOUND: nothing was ever done to it.
 * STATUS_CONFLICT: it is of another one. */
enum status migrations_are_done(struct sqlite3 *db, int count, struct error *err) MUST_USE;

#endif
