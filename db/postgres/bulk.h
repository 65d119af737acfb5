/*
 * One statement for many rows: each column goes as an array, and the statement joins what its
 * unnest() makes of them. Rows come in the order of their ids, so that two writers wait for each
 * other instead of standing in each other's way.
 *
 *   static const char sql[] = "INSERT INTO visit (id, host) SELECT * FROM unnest(?, ?)";
 *   CLEANUP(bulk_clear) struct bulk bulk;
 *
 *   bulk_init(&bulk, self, "ii");
 *   for (…) {
 *       bulk_integer(&bulk, id);
 *       bulk_integer(&bulk, host);
 *   }
 *   return bulk_run(&bulk, sql, err);
 */
#ifndef DB_POSTGRES_BULK_H
#define DB_POSTGRES_BULK_H

#include <stddef.h>
#include <stdint.h>

#include "common/crypto/digest.h"
#include "db/postgres/array.h"
#include "db/publish.h"

struct query;
struct sql_store;

#define BULK_COLUMNS_MAX 32

struct bulk {
    struct sql_store *store; /* borrowed */
    struct array columns[BULK_COLUMNS_MAX];
    size_t count; /* columns */
    size_t next;  /* value, over all rows */
};

/* `types`: a letter a column: i(nteger), t(ext), b(ytes). */
void bulk_init(struct bulk *bulk, struct sql_store *store, const char *types);
void bulk_clear(struct bulk *bulk);

/* The next value, row by row. */
void bulk_integer(struct bulk *bulk, int64_t value);
void bulk_reference(struct bulk *bulk, int64_t id);                      /* NULL when it is 0 */
void bulk_text(struct bulk *bulk, const char *text);                     /* NULL is "" */
void bulk_optional_text(struct bulk *bulk, const char *text);            /* "" and NULL are NULL */
void bulk_bytes(struct bulk *bulk, const void *bytes, size_t length);    /* never NULL in the row */
void bulk_optional(struct bulk *bulk, const void *bytes, size_t length); /* empty is NULL */
void bulk_digest(struct bulk *bulk, const struct digest *digest);        /* none is NULL */
void bulk_span(struct bulk *bulk, struct span span);

size_t bulk_rows(const struct bulk *bulk);

/* Runs `sql`, whose parameters are the columns. Nothing is asked of no rows. */
enum status bulk_run(struct bulk *bulk, const char *sql, struct error *err) MUST_USE;
/* The same. STATUS_CONFLICT: not every row changed one of `what`. */
enum status bulk_change(struct bulk *bulk, const char *sql, const char *what, struct error *err)
    MUST_USE;
/* Begins `sql` with the columns as its parameters, for one that gives rows. More may be bound. */
enum status bulk_query(struct bulk *bulk, const char *sql, struct query *ret_query,
                       struct error *err) MUST_USE;

#endif
