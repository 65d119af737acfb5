/* The SQLite back-end, as its own files see it. */
#ifndef DB_SQLITE_STORE_H
#define DB_SQLITE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/store.h"

struct sqlite3;
struct sqlite3_stmt;

#define STATEMENTS_MAX 512 /* different ones; about three times as many as there are */

struct sqlite_store {
    struct store base;
    struct sqlite3 *db;
    int64_t server; /* this server's number */
    struct cached_statement {
        const char *sql; /* static; NULL: free */
        struct sqlite3_stmt *row;
    } cache[STATEMENTS_MAX];
};

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

/* `count` new ids in a row, 1 or more; *ret_first is the first of them. */
enum status ids_take(struct sqlite_store *store, enum id_kind kind, size_t count,
                     int64_t *ret_first, struct error *err) MUST_USE;

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

enum status tally_add(struct sqlite_store *store, int64_t batch, enum tally_kind kind, int what,
                      int64_t count, struct error *err) MUST_USE;

static inline struct sqlite_store *sqlite_of(struct store *store)
{
    return (struct sqlite_store *)store;
}

/* A snapshot for several reads; one that is open already is used. CLEANUP(snapshot_end). */
struct snapshot {
    struct sqlite_store *store; /* borrowed; NULL: none was begun here */
};

enum status snapshot_begin(struct snapshot *snapshot, struct sqlite_store *store, struct error *err)
    MUST_USE;
void snapshot_end(struct snapshot *snapshot);

extern const struct work_ops sqlite_work_ops;
extern const struct publish_ops sqlite_publish_ops;
extern const struct query_ops sqlite_query_ops;

enum status sqlite_check(struct store *store, void (*say)(void *context, const char *complaint),
                         void *context, int64_t *ret_faults, struct error *err);

#endif
