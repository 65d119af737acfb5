/* A batch's id: 128 random bits, made by the operator, written as 32 lower-case hex digits. */
#ifndef WORK_UNITS_BATCH_ID_H
#define WORK_UNITS_BATCH_ID_H

#include <stdbool.h>
#include <stdint.h>

#define BATCH_BYTES 16
#define BATCH_CHARS 32

#define BATCH_NAME_MAX 100 /* characters */

/* All zero: none. */
struct batch_id {
    uint8_t bytes[BATCH_BYTES];
};

struct batch_text {
    char text[BATCH_CHARS + 1];
};

/* False, and *ret_batch untouched: not exactly an id. */
bool batch_parse(const char *text, struct batch_id *ret_batch);

/*
 * May a batch be called so? A plain file name of up to BATCH_NAME_MAX characters that nobody takes
 * for an id: 32 hex digits, of either case, are none.
 */
bool batch_is_name(const char *text);

/* Use it in place: batch_format(&batch).text. */
struct batch_text batch_format(const struct batch_id *batch);
int batch_compare(const struct batch_id *a, const struct batch_id *b);

#endif
