/* What PostgreSQL says, in our words. */
#ifndef DB_POSTGRES_FAILURE_H
#define DB_POSTGRES_FAILURE_H

#include <stdbool.h>

#include "common/base/error.h"

struct pg_conn;
struct pg_result;

/*
 * The status of a statement that failed (`result` NULL: the connection did): STATUS_BUSY another
 * writer is at it, or too many are connected; STATUS_CONFLICT a key is taken, or another
 * transaction came first; STATUS_FULL no room; STATUS_STORAGE all else.
 */
enum status postgres_failure(const struct pg_conn *connection, const struct pg_result *result,
                             struct error *err);

/* The server said nothing of it: the connection is of no use any more, whatever libpq thinks. */
bool postgres_is_lost(const struct pg_result *result);

/* No connection was made. */
enum status postgres_unreachable(const struct pg_conn *connection, struct error *err);

#endif
