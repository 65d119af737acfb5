/*
 * A task's outputs as one value of its row. Per output, in order:
 *
 *   1 byte   length of the name, 1..TEXT_FILE_NAME_MAX
 *   n bytes  the name
 *   32       digest
 *   8        size in bytes, little-endian
 *   1        flags: 1 = this site holds the body
 *
 * Rows of their own would cost an index and a look-up per output; nobody asks for one alone.
 */
#ifndef DB_OUTPUTS_H
#define DB_OUTPUTS_H

#include <stdbool.h>
#include <stddef.h>

#include "work-units/unit.h"

/* To be freed; NULL, and *ret_length 0, for none. At most UNIT_OUTPUTS_MAX, names within bounds. */
void *outputs_encode(const struct output *outputs, size_t count, size_t *ret_length);

/* False: damaged; nothing was written. On success both are the caller's, NULL and 0 for none. */
bool outputs_decode(const void *bytes, size_t length, struct output **ret_outputs,
                    size_t *ret_count);

/* Release an array and what its members own. */
void outputs_free(struct output *outputs, size_t count);

#endif
