/*
 * The schema, step by step: db/schema/NNNN_*.sql for SQLite and db/schema/postgres/NNNN_*.sql for
 * PostgreSQL, compiled in. Forward only; what was released is never edited. Both have the same
 * tables and columns in the same order; a test compares them.
 */
#ifndef DB_SQL_MIGRATION_H
#define DB_SQL_MIGRATION_H

struct migration {
    const char *name;         /* of its file, "0001_site" */
    const char *const *lines; /* ends with NULL */
};

/* Generated; migrations[i] makes version i + 1. */
extern const struct migration migrations[];
extern const int migration_count;
extern const struct migration postgres_migrations[];
extern const int postgres_migration_count;

#endif
