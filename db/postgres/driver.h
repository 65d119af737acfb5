/* What the query interface cannot say, for PostgreSQL alone. */
#ifndef DB_POSTGRES_DRIVER_H
#define DB_POSTGRES_DRIVER_H

#include "db/postgres/array.h"
#include "db/sql/query.h"

/* The next parameter is the array; it is finished, and taken. */
void bind_array(struct query *query, struct array *array);

/* Digests as an array of bytea. */
void bind_digests(struct query *query, const struct digest *digests, size_t count);

#endif
