/*
 * What the engine asks of a database, and nothing of how. A back-end is one table of functions; so
 * is a test's, which wraps another to make a step fail or to slip a second writer in.
 *
 * Set-oriented: one call loads or saves everything a cycle is about, never a round trip per row
 * over a network.
 *
 * For every function of the contract, here and in db/work.h, db/publish.h, db/query.h:
 *   errors   STATUS_BUSY (another writer holds the store), STATUS_STORAGE and STATUS_FULL are
 *            always possible, others are listed. On failure no `ret_` argument was written.
 *   memory   no argument is kept after the call returns.
 *   threads  a store belongs to one thread. Open it again for another.
 */
#ifndef DB_STORE_H
#define DB_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct env;
struct work_ops;    /* db/work.h: what a cycle of the engine loads and saves */
struct publish_ops; /* db/publish.h: what operators and volunteers make */
struct query_ops;   /* db/query.h: what people and programs read */

/* A server's ids are a block of 2^40; a unit's stay below 2^49. */
#define STORE_SERVERS_MAX 256

/* How a whole database is looked at, and who hears of it. */
struct store_check {
    bool is_deep; /* also what takes hours on a large site: see the back-ends */
    void (*say)(void *context, const char *complaint);
    /* Now and then: `done` rows of this part were looked at, or it begins (0). NULL is fine. */
    void (*progress)(void *context, const char *part, int64_t done);
    void *context;
};

/* The error's code where the database itself is damaged, or lacks what its version has: to ask
 * again does not help. Goes with STATUS_STORAGE. */
#define STORE_DAMAGED "damaged"

/* Implementations embed this as their first member. */
struct store {
    /* One writer at a time: begins a write transaction at once. */
    enum status (*begin)(struct store *store, struct error *err);

    /* Once it returns STATUS_OK the transaction survives a power cut. */
    enum status (*commit)(struct store *store, struct error *err);
    void (*rollback)(struct store *store);

    /* The whole database is sound: the store's own check and our cross-checks, each complaint a
     * line to `how->say`. *ret_faults is their number. Each table is read a fixed number of times,
     * in its own order; memory does not grow with the site. Writes nothing: it may be killed. */
    enum status (*check)(struct store *store, const struct store_check *how, int64_t *ret_faults,
                         struct error *err);
    void (*close)(struct store *store);

    /*
     * Of the servers that share the database, this connection is that of number `server`,
     * 1..STORE_SERVERS_MAX; without a call it is number 1's. Its id blocks are made if it is new.
     * `runs`: it is the server itself, and nobody else may be it as long as this connection is
     * open; STATUS_BUSY: somebody is. STATUS_INVALID: the database takes one server alone.
     */
    enum status (*join)(struct store *store, int64_t server, bool runs, struct error *err);

    const struct work_ops *work;
    const struct publish_ops *publish;
    const struct query_ops *query;
};

/*
 * The embedded back-end: WAL, synchronous=FULL. `path` is a file or SQLite URI; migrations run, in
 * a transaction each. STATUS_CONFLICT: the database is of a newer version than this program.
 */
enum status store_open_sqlite(const char *path, struct store **ret_store, struct error *err)
    MUST_USE;
/*
 * A PostgreSQL database that several servers may share: `url` is libpq's,
 * postgres://role@host/name. Migrations run likewise. STATUS_INVALID: the URL is not understood, or
 * the database unfit; STATUS_STORAGE: it cannot be reached, or refuses the role.
 */
enum status store_open_postgres(const char *url, struct store **ret_store, struct error *err)
    MUST_USE;
/*
 * Either, to look at and never to change: not a byte of it, nor of what lies beside it, whatever is
 * asked. Nobody else may have it open for writing meanwhile if it is a file. `has_log`: of a file,
 * whether its write-ahead log is there and not empty. STATUS_NOT_FOUND: it holds no site.
 * STATUS_CONFLICT: it is of another version than this program.
 */
enum status store_open_sqlite_reading(const char *path, bool has_log, struct store **ret_store,
                                      struct error *err) MUST_USE;
enum status store_open_postgres_reading(const char *url, struct store **ret_store,
                                        struct error *err) MUST_USE;

/* By `database`: a URL as above, or the path of an embedded one. */
enum status store_open(const char *database, struct store **ret_store, struct error *err) MUST_USE;
bool store_is_url(const char *database);

void store_close(struct store *store); /* NULL is fine */
DEFINE_CLEANUP(struct store *, store_close)

/* CLEANUP(txn_end): a transaction that leaves scope without a commit is rolled back. */
struct txn {
    struct store *store; /* borrowed; NULL: not begun, or committed */
};

enum status txn_begin(struct txn *txn, struct store *store, struct error *err) MUST_USE;
enum status txn_commit(struct txn *txn, struct error *err) MUST_USE;
void txn_end(struct txn *txn);

#endif
