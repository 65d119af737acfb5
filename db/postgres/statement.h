/* A statement as PostgreSQL takes it: its parameters, and the rows it gave. */
#ifndef DB_POSTGRES_STATEMENT_H
#define DB_POSTGRES_STATEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct pg_result;
struct postgres_store;

#define PARAMETERS_MAX 40

/* What types are called in pg_type.dat; they never change. */
enum pg_type {
    PG_BYTEA = 17,
    PG_INT8 = 20,
    PG_TEXT = 25,
    PG_INT8S = 1016,
    PG_TEXTS = 1009,
    PG_BYTEAS = 1001
};

struct pg_statement {
    char *text;          /* owned; with $1 for parameters */
    unsigned number;     /* what it is called on the server; 0: no name yet */
    unsigned generation; /* of the connection that it was prepared on; 0: none */
    int parameter_count;
    struct pg_parameter {
        enum pg_type type;
        const char *value; /* borrowed, or `integer`, or `owned`; NULL: none */
        int length;
        int64_t integer; /* in network order */
        char *owned;
    } parameters[PARAMETERS_MAX];
    struct pg_result *result; /* NULL: did not run yet */
    int row;
    struct error failure; /* of status STATUS_OK: none */
};

/* `sql` with ?, ?1, json_each(?) j and SQLite's index hints, in PostgreSQL's words. free() it. */
char *statement_translate(const char *sql);

/* Makes it ready for the next run; what was bound and read is gone. */
void statement_reset(struct pg_statement *statement);
void statement_free(struct pg_statement *statement);

/* Values in network order, which is how PostgreSQL takes and gives binary ones. */
int64_t to_network(int64_t value);

/* Runs it with what is bound, prepared on the first time. */
enum status statement_run(struct postgres_store *store, struct pg_statement *statement,
                          struct error *err) MUST_USE;

#endif
