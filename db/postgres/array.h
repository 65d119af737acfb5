/* An array of PostgreSQL's in its binary form (array_recv() reads it), written value by value. */
#ifndef DB_POSTGRES_ARRAY_H
#define DB_POSTGRES_ARRAY_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "db/postgres/statement.h"

#define ARRAY_MAX_BYTES ((size_t)512 << 20) /* PostgreSQL takes 1 GiB in a message */

struct array {
    struct buffer bytes;
    enum pg_type element;
    uint32_t count;
    uint32_t has_none;
};

void array_init(struct array *array, enum pg_type element);
void array_clear(struct array *array);

/* NULL: none. */
void array_add_integer(struct array *array, const int64_t *value);
void array_add_bytes(struct array *array, const void *bytes, size_t length);

/* Writes the head; nothing is added any more. Returns its length in bytes. */
size_t array_finish(struct array *array);
char *array_take(struct array *array); /* free() it */

#endif
