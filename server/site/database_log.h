/*
 * The write-ahead log beside an SQLite database (sqlite.org/fileformat2.html#walformat). SQLite
 * takes of it what holds and passes over the rest in silence, be it another database's log or a
 * text; this says what it takes, and what it cannot have been meant to pass over.
 */
#ifndef SERVER_SITE_DATABASE_LOG_H
#define SERVER_SITE_DATABASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/disk.h"

enum wal_kind {
    WAL_FITS,       /* as far as can be told; without frames nothing can */
    WAL_BLANK,      /* shorter than its header, or zeros in its place: begun, never synced */
    WAL_IS_NONE,    /* its header does not hold */
    WAL_OF_ANOTHER, /* pages of another size, or another state of the first one */
    WAL_DAMAGED,    /* what was durable in it does not hold, nor does what followed */
};

struct database_log {
    enum wal_kind kind;
    int64_t taken;  /* frames (a page each) of transactions that SQLite takes */
    int64_t passed; /* frames of the same round after them, which it passes over */
};

/*
 * Reads all of the log, a page at a time. Frames after the last that holds are a transaction that a
 * cut ended, unless one was begun after it: each is synced before the next begins.
 */
enum status database_log_look(struct disk *disk, const char *database, const char *log,
                              struct database_log *ret_log, struct error *err) MUST_USE;

#endif
