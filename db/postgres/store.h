/* The PostgreSQL back-end, as its own files see it. */
#ifndef DB_POSTGRES_STORE_H
#define DB_POSTGRES_STORE_H

#include "db/query.h"
#include "db/sql/store.h"

struct pg_conn;
struct pg_result;

struct postgres_store {
    struct sql_store base;
    struct pg_conn *connection;
    /* Rises with each connection: what was prepared on another one is not there. */
    unsigned generation;
    unsigned statements; /* how many have names */
    int64_t changes;     /* rows that the last statement changed */
    bool is_set_up;      /* the session: its settings, and the lock of a running server */
    bool is_in_transaction;
    bool only_reads;            /* every session refuses to write */
    bool runs;                  /* holds the lock of its server's number, on each connection anew */
    struct publish_ops publish; /* those of db/sql/, but for db/postgres/sets.h */
    struct query_ops query;
};

static inline struct postgres_store *postgres_of(struct store *store)
{
    return (struct postgres_store *)store;
}

/* The key of a running server's lock; `number` as SQL. */
#define SERVER_LOCK(number) "hashtextextended(current_schema(), 110455409238400 + " number ")"

extern const struct sql_driver postgres_driver;

/*
 * Before a statement that is not within a transaction: if the database went away meanwhile, one
 * attempt to connect anew. What was prepared is forgotten then.
 */
enum status postgres_revive(struct postgres_store *store, struct error *err) MUST_USE;

/* Remembers whether the connection is good still, by what a statement gave. */
void postgres_notice(struct postgres_store *store, const struct pg_result *result);

/* Begins a transaction as `sql` says, on a new connection if need be. */
enum status postgres_begin(struct postgres_store *store, const char *sql, struct error *err)
    MUST_USE;

/* One or more statements without parameters, `;` between them, and nothing to read. */
enum status postgres_run(struct postgres_store *store, const char *sql, struct error *err) MUST_USE;

/* find.c */
enum status postgres_find_hosts(struct sql_store *self, const struct work_request *request,
                                struct ids *hosts, struct error *err);
enum status postgres_find_units(struct sql_store *self, const struct work_request *request,
                                struct ids *units, struct error *err);

/* insert.c */
enum status postgres_insert_rows(struct sql_store *self, const char *sql, const struct table *table,
                                 const struct cell *cells, size_t rows, struct error *err);

/* check.c */
enum status postgres_check(struct store *store, const struct store_check *how, int64_t *ret_faults,
                           struct error *err);

#endif
