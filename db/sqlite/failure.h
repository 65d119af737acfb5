/* What SQLite says, in our words. */
#ifndef DB_SQLITE_FAILURE_H
#define DB_SQLITE_FAILURE_H

#include "common/base/error.h"

struct sqlite3;

/*
 * The status of result code `rc`, any but SQLITE_OK: STATUS_BUSY another writer is at it,
 * STATUS_FULL no room, STATUS_CONFLICT a key is taken, STATUS_STORAGE all else.
 */
enum status sqlite_failure(struct sqlite3 *db, int rc, struct error *err);

#endif
