/*
 * The units of a submission, one after the other: parts of a range, groups of files, or lines of
 * NDJSON. Only groups of files are held in memory; a range or a stream may be as long as it likes.
 * The same source yields the same units each time.
 */
#ifndef OPERATOR_UNIT_SOURCE_H
#define OPERATOR_UNIT_SOURCE_H

#include <stdio.h>

#include "operator/inputs.h"

#define UNIT_LINE_MAX  (64 * 1024) /* bytes of one line of NDJSON */
#define UNIT_RANGE_MAX INT64_C(9007199254740991)

/* What is known of a unit before it has an index. */
struct unit_draft {
    struct file_name name; /* "": named by its index */
    bool has_range;
    int64_t from, to;
    bool has_arguments;     /* of its own, in place of those after `--` */
    struct texts arguments; /* owned */
    struct texts paths;     /* owned; its input files */
    size_t origin_length;   /* as in struct input_group */
};

void unit_draft_clear(struct unit_draft *draft);

struct unit_source {
    enum { SOURCE_ONE, SOURCE_RANGE, SOURCE_GROUPS, SOURCE_LINES } kind;
    int64_t next, to, step;     /* RANGE; ONE: whether it was given */
    int64_t from;               /* RANGE: its first number */
    struct input_groups groups; /* owned; GROUPS */
    FILE *stream;               /* borrowed; LINES from a stream */
    struct disk *disk;          /* borrowed; LINES from a file */
    struct disk_file *file;     /* owned */
    int64_t offset;
    struct buffer ahead; /* owned; read, not yet given out */
    int64_t line;        /* number of the last one */
    bool is_at_end;
    bool is_peeked; /* the next answer is known: */
    bool is_peeked_there;
    struct unit_draft peeked; /* owned */
};

void unit_source_clear(struct unit_source *source); /* for CLEANUP(), too */

/* "A..B", half open: A, A+step … below B. STATUS_INVALID says what is wrong. */
enum status unit_source_range(struct unit_source *ret_source, const char *range, int64_t step,
                              struct error *err) MUST_USE;

/* A single unit without input. */
void unit_source_one(struct unit_source *ret_source);

/* Takes the groups. */
void unit_source_groups(struct unit_source *ret_source, struct input_groups *groups);

/* {"name"?, "args"?: [texts], "inputs"?: [paths]} a line; blank lines pass. */
enum status unit_source_file(struct unit_source *ret_source, struct disk *disk, const char *path,
                             struct error *err) MUST_USE;
void unit_source_stream(struct unit_source *ret_source, FILE *stream);

/* *ret_is_there false: that was all. STATUS_INVALID names the line. */
enum status unit_source_next(struct unit_source *source, struct unit_draft *ret_draft,
                             bool *ret_is_there, struct error *err) MUST_USE;

/* What the next unit_source_next() will say. *ret_draft is borrowed until then; NULL: no more. */
enum status unit_source_peek(struct unit_source *source, const struct unit_draft **ret_draft,
                             struct error *err) MUST_USE;

/* From the beginning again: for a range and a file of lines only. */
bool unit_source_can_rewind(const struct unit_source *source);
void unit_source_rewind(struct unit_source *source);

/* How many there are; -1: nobody knows. */
int64_t unit_source_count(const struct unit_source *source);

#endif
