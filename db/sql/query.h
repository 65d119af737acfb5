/*
 * One statement, from binding to the last row. Statements are prepared once per store and found by
 * the address of their SQL, so that SQL stands where it is used:
 *
 *   static const char sql[] = "SELECT name, size FROM file WHERE digest = ?";
 *   CLEANUP(query_end) struct query query = {0};
 *
 *   TRY(query_begin(&query, self, sql, err));
 *   bind_digest(&query, digest);
 *   while (query_next(&query))
 *       use(get_text(&query), get_integer(&query));
 *   return query_status(&query, err);
 *
 * Values are bound and read in order. What is bound must live until query_end(); what is read,
 * until the next row.
 */
#ifndef DB_SQL_QUERY_H
#define DB_SQL_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/crypto/digest.h"
#include "common/crypto/keys.h"
#include "db/publish.h"

struct sql_store;

struct query {
    struct sql_store *store; /* borrowed */
    void *statement;         /* borrowed from the store's cache */
    int bound;               /* parameters so far */
    int column;              /* to be read next */
    int rc;                  /* the driver's */
};

/* `sql` is a constant: its address names it. It must not be in use. */
enum status query_begin(struct query *query, struct sql_store *store, const char *sql,
                        struct error *err) MUST_USE;
void query_end(struct query *query);

void bind_integer(struct query *query, int64_t value);
void bind_text(struct query *query, const char *text);                  /* NULL is "" */
void bind_optional_text(struct query *query, const char *text);         /* "" and NULL are NULL */
void bind_bytes(struct query *query, const void *bytes, size_t length); /* never NULL in the row */
void bind_optional(struct query *query, const void *bytes, size_t length); /* empty is NULL */
void bind_digest(struct query *query, const struct digest *digest);        /* none is NULL */
void bind_key(struct query *query, const struct public_key *key);
void bind_span(struct query *query, struct span span);
/* A value that is NULL when it is 0. */
void bind_reference(struct query *query, int64_t id);
/* A list, for json_each(?) j and its j.value: both drivers know it, in these very words. */
void bind_integers(struct query *query, const int64_t *values, size_t count);

/* A row? If not, query_status() says why. */
bool query_next(struct query *query);
enum status query_status(const struct query *query, struct error *err) MUST_USE;

/* A statement without rows, to its end; it may be bound and run again. */
enum status query_run(struct query *query, struct error *err) MUST_USE;
/* How many rows the last query_run() of this store changed. */
int64_t query_changes(const struct query *query);

int64_t get_integer(struct query *query);
bool get_bool(struct query *query);
const char *get_text(struct query *query);     /* borrowed; "" for NULL */
char *get_copy(struct query *query);           /* the same, owned */
struct digest get_digest(struct query *query); /* none for NULL */
struct public_key get_key(struct query *query);
struct span get_span(struct query *query); /* borrowed; empty for NULL */
void get_skip(struct query *query);

#endif
