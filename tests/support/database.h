/*
 * Databases for tests: embedded and in memory; or, where DUGNAD_TEST_DATABASE holds the URL of a
 * throw-away PostgreSQL database, a schema of it for each. Whatever fails ends the test program
 * with words.
 */
#ifndef TESTS_SUPPORT_DATABASE_H
#define TESTS_SUPPORT_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DATABASE_NAME_MAX 400

bool database_is_postgres(void);

/* A name for store_open() of a database that nobody has used yet. An embedded one lives as long as
 * a connection to it is open. ret_name holds DATABASE_NAME_MAX. */
void database_name(char *ret_name);

/* The test's own connection. Statements are SQLite's; the few words of theirs that PostgreSQL does
 * not know are replaced. */
struct database_view;
struct database_view *database_look(const char *name);
void database_leave(struct database_view *view); /* NULL is fine */

/* Statements without rows. Returns how many rows the last one changed. */
int64_t database_change(struct database_view *view, const char *sql);
/* From now on a write fails: `what` as "UPDATE ON host", of rows for which `when` holds ("new.visit
 * = 2"; NULL: of all). One at a time. */
void database_break(struct database_view *view, const char *what, const char *when);
void database_mend(struct database_view *view);
/* A query of one number. */
int64_t database_number(struct database_view *view, const char *sql);

#endif
