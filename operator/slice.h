/* Some units of a submission that travel together: signed lines, and the files they need. */
#ifndef OPERATOR_SLICE_H
#define OPERATOR_SLICE_H

#include "common/base/buffer.h"
#include "common/base/cleanup.h"
#include "operator/batch_record.h"
#include "operator/submission.h"

#define SLICE_UNITS 500               /* sent together … */
#define SLICE_BYTES (2 * 1024 * 1024) /* … unless their envelopes have so many bytes before */
#define SLICE_FILES 5000              /* … or they have so many input files */

struct slice {
    int64_t first; /* index of its first unit */
    size_t count;
    struct listed_unit listed[SLICE_UNITS]; /* with the lines about their names, owned */
    struct buffer lines;                    /* owned; NDJSON */
    size_t file_count;
    struct local_file *files; /* owned */
};

/* An empty one, that begins with the unit of this index. */
struct slice *slice_new(int64_t first);
void slice_free(struct slice *slice); /* NULL is fine */
DEFINE_CLEANUP(struct slice *, slice_free)

bool slice_is_full(const struct slice *slice);

/* One more unit, whose line is there; takes its files and the lines about its names. Not for a full
 * one. */
void slice_take(struct slice *slice, struct prepared_unit *prepared);

#endif
