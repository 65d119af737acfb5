#include "db/sqlite/failure.h"

#include <errno.h>
#include <sqlite3.h>

#include "common/base/text.h"
#include "db/store.h"

static bool is_full(sqlite3 *db, int rc)
{
    if ((rc & 0xff) == SQLITE_FULL)
        return true;
    /* Growing the shared-memory file of the WAL fails as an I/O error. */
    return (rc & 0xff) == SQLITE_IOERR && db != NULL && sqlite3_system_errno(db) == ENOSPC;
}

/* Our statements are right: one that names what is not there met a schema that is not ours. */
static bool is_damage(sqlite3 *db, int rc)
{
    if ((rc & 0xff) == SQLITE_ERROR)
        return db != NULL && (text_starts_with(sqlite3_errmsg(db), "no such ") ||
                              text_starts_with(sqlite3_errmsg(db), "unsupported file format"));
    return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB ||
           rc == SQLITE_IOERR_SHORT_READ;
}

static enum status status_of(sqlite3 *db, int rc)
{
    if (is_full(db, rc))
        return STATUS_FULL;
    if ((rc & 0xff) == SQLITE_BUSY || (rc & 0xff) == SQLITE_LOCKED)
        return STATUS_BUSY;
    if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
        rc == SQLITE_CONSTRAINT_ROWID)
        return STATUS_CONFLICT;
    return STATUS_STORAGE;
}

static const char *words_of(enum status status)
{
    switch (status) {
    case STATUS_FULL:
        return "no room on the disk for the database; nothing was stored";
    case STATUS_BUSY:
        return "the database is busy; try again";
    case STATUS_CONFLICT:
        return "somebody else stored this meanwhile; try again";
    default:
        return "the database failed; nothing was stored; try again later";
    }
}

enum status sqlite_failure(sqlite3 *db, int rc, struct error *err)
{
    enum status status = status_of(db, rc);

    if (status == STATUS_STORAGE && is_damage(db, rc)) {
        error_set(err, status, "the database is damaged: restore it from a backup");
        error_code(err, STORE_DAMAGED);
    } else {
        error_set(err, status, "%s", words_of(status));
    }
    error_detail(err, "sqlite %d: %s", rc, db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
    return status;
}
