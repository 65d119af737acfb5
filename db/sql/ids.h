/* A growing set of row ids. */
#ifndef DB_SQL_IDS_H
#define DB_SQL_IDS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct query;

/* Sorted, each once, after ids_settle(). */
struct ids {
    int64_t *values; /* owned */
    size_t count, capacity;
};

void ids_clear(struct ids *ids);
void ids_add(struct ids *ids, int64_t id);
void ids_settle(struct ids *ids);

/* Adds what one-column rows say. */
enum status ids_add_rows(struct ids *ids, struct query *query, struct error *err) MUST_USE;

#endif
