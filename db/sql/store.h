/*
 * What back-ends that speak SQL share: the store as their common files see it. Statements are
 * written once, in what both databases understand; SPOKEN() holds the few that differ. How a
 * statement reaches its database is the driver's.
 */
#ifndef DB_SQL_STORE_H
#define DB_SQL_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/publish.h"
#include "db/store.h"

struct cell;
struct ids;
struct query;
struct table;
struct work_request;

#define TASKS_OF_HOST_MAX 512 /* as struct work_request says */
#define STATEMENTS_MAX    512 /* different ones; about three times as many as there are */

/* Back-ends embed this as their first member. */
struct sql_store {
    struct store base;
    const struct sql_driver *driver;
    int64_t server; /* this server's number */
    struct cached_statement {
        const char *sql; /* static; NULL: free */
        void *statement; /* the driver's */
    } cache[STATEMENTS_MAX];
};

/* See db/sql/query.h, whose functions are in front of these. Columns and parameters count from 0.
 */
struct sql_driver {
    bool is_postgres;

    /* A statement that stays as long as the store. `sql` has parameters ? and ?1. */
    enum status (*prepare)(struct sql_store *store, const char *sql, void **ret_statement,
                           struct error *err);
    /* Frees it. */
    void (*forget)(struct sql_store *store, void *statement);
    bool (*is_busy)(void *statement);
    /* Ready to be bound and run again; nothing bound or read is in use any more. */
    void (*reset)(struct query *query);

    /* A value that is NULL is none. */
    void (*bind_integer)(struct query *query, int parameter, const int64_t *value);
    void (*bind_text)(struct query *query, int parameter, const char *text);
    void (*bind_bytes)(struct query *query, int parameter, const struct span *bytes);
    void (*bind_integers)(struct query *query, int parameter, const int64_t *values, size_t count);

    /* True: there is a row. */
    bool (*next)(struct query *query);
    enum status (*status)(const struct query *query, struct error *err);
    /* Of the last statement that ran to its end. */
    int64_t (*changes)(const struct sql_store *store);

    int64_t (*integer)(struct query *query, int column);   /* 0: none */
    const char *(*text)(struct query *query, int column);  /* NULL: none */
    struct span (*bytes)(struct query *query, int column); /* NULL: none */

    /* Adds the hosts of the request's tokens and keys, and the units that its hosts' tasks are of,
     * at most TASKS_OF_HOST_MAX a host. */
    enum status (*find_hosts)(struct sql_store *store, const struct work_request *request,
                              struct ids *hosts, struct error *err);
    enum status (*find_units)(struct sql_store *store, const struct work_request *request,
                              struct ids *units, struct error *err);

    /* For a copy, see db/sql/tables_of.h: `rows` times the table's columns cells, with this
     * statement, which takes a row's values or (PostgreSQL) an array for each column. */
    enum status (*insert_rows)(struct sql_store *store, const char *sql, const struct table *table,
                               const struct cell *cells, size_t rows, struct error *err);

    bool (*is_in_transaction)(const struct sql_store *store);
    enum status (*begin_snapshot)(struct sql_store *store, struct error *err);
};

static inline struct sql_store *sql_of(struct store *store)
{
    return (struct sql_store *)store;
}

/* The one of two constants that the store's database understands. */
#define SPOKEN(self, lite, postgres) ((self)->driver->is_postgres ? (postgres) : (lite))

/* Rows whose ids come from this server's blocks. Stored: never renumber. */
enum id_kind {
    ID_UNIT = 1,
    ID_HOST = 2,
    ID_BATCH = 3,
    ID_VOLUNTEER = 4,
    ID_CREDENTIAL = 5,
    ID_APP_VERSION = 6,
    ID_VARIANT = 7,
    ID_JOURNAL = 8,
    ID_VISIT = 9,
    ID_NOTICE = 10,
};

/*
 * `count` new ids in a row, 1 or more; *ret_first is the first of them. Journal entries are
 * numbered for all servers together, in the order of their commits: only one writes at a time, and
 * one cursor is enough for whoever reads on.
 */
enum status ids_take(struct sql_store *store, enum id_kind kind, size_t count, int64_t *ret_first,
                     struct error *err) MUST_USE;

/* What is counted. Stored: never renumber. */
enum tally_kind {
    TALLY_UNITS = 1, /* per batch; what: enum unit_phase */
    TALLY_TASKS = 2, /* per batch; what: enum task_state */
    TALLY_FILES = 3, /* of the site; what: enum file_tally */
};

enum file_tally { FILES_NUMBER = 1, FILES_BYTES = 2 };

enum unit_phase {
    PHASE_NONE = 0,    /* not stored yet */
    PHASE_WAITING = 1, /* open, no task is out */
    PHASE_RUNNING = 2, /* open, a task is out */
    PHASE_JUDGING = 3,
    PHASE_AGREED = 4,
    PHASE_ACCEPTED = 5,
    PHASE_FAILED = 6,
    PHASE_CANCELLED = 7,
};

enum status tally_add(struct sql_store *store, int64_t batch, enum tally_kind kind, int what,
                      int64_t count, struct error *err) MUST_USE;

/* A snapshot for several reads; a transaction that is open already is used. CLEANUP(snapshot_end).
 */
struct snapshot {
    struct sql_store *store; /* borrowed; NULL: none was begun here */
};

enum status snapshot_begin(struct snapshot *snapshot, struct sql_store *store, struct error *err)
    MUST_USE;
void snapshot_end(struct snapshot *snapshot);

/* Before the database is closed, or when its statements are lost. */
void statements_forget(struct sql_store *store);

/* A row holds what we never wrote. `what` names it for our log. */
enum status record_damaged(const char *what, struct error *err);

/* A server lost the race for a row. */
enum status record_conflict(const char *what, int64_t id, struct error *err);

#endif
