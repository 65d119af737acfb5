/* Migrations of a PostgreSQL database. */
#ifndef DB_POSTGRES_MIGRATE_H
#define DB_POSTGRES_MIGRATE_H

#include "common/base/error.h"
#include "db/sql/migration.h"

struct postgres_store;

/*
 * Bring the database to the newest version, each step in a transaction of its own. Several servers
 * may do it at the same time. STATUS_CONFLICT: the database is newer than `count` steps.
 */
enum status postgres_migrate(struct postgres_store *store, const struct migration *steps, int count,
                             struct error *err) MUST_USE;

/* Is it of that version? Looks only; the statuses of migrations_are_done() (db/sqlite/migrate.h).
 */
enum status postgres_is_migrated(struct postgres_store *store, int count, struct error *err)
    MUST_USE;

#endif
