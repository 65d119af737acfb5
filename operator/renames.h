/*
 * Names that could not stay what the files' are, so that a person finds the result of "книга.txt".
 * What a name may not hold became '_', a long one was cut, equal ones were numbered. The file is
 * names.tsv, a line for each file whose unit, or whose place in the task's folder, has another
 * name than the file:
 *
 *   unit <TAB> name in the task's folder <TAB> path as it was submitted <TAB> the unit's index
 *
 * The second is empty where the path is a folder, whose files are the unit. In a path, a tab is
 * \t, a newline \n, a backslash \\ ; each byte of what is no UTF-8, a control or a bidirectional
 * formatting character is \xNN, in lower-case hexadecimal. Lines come by the units' indices.
 */
#ifndef OPERATOR_RENAMES_H
#define OPERATOR_RENAMES_H

#include "common/base/disk.h"
#include "operator/session.h"
#include "operator/unit_source.h"
#include "work-units/work_unit.h"

#define RENAMES_FILE "names.tsv"

/* The lines of a unit made from this draft, owned. NULL: every name is the file's own. */
char *renames_of(const struct unit_draft *draft, const struct work_unit *unit);

/* How much of a file is about the units listed so far; a cut may have left more. */
struct renames_extent {
    int64_t bytes, lines;
};

/* Reads all of it. No file: nothing. */
enum status renames_measure(struct disk *disk, const char *path, int64_t units,
                            struct renames_extent *ret_extent, struct error *err) MUST_USE;

/* A file that is added to. Zeroed: not open. */
struct renames {
    bool is_open;
    struct disk *disk; /* borrowed */
    struct disk_path path;
    struct disk_file *file; /* owned; NULL as long as there is none */
    int64_t bytes;          /* of what counts: lines of units that are listed */
    int64_t end;            /* of what was added since: lines of units that will be */
};

void renames_close(struct renames *renames);

/* Drops what is about units from `units` on: they were never listed. */
enum status renames_open(struct renames *renames, struct disk *disk, const char *path,
                         int64_t units, struct error *err) MUST_USE;

/* Durable after renames_sync(). The caller says by `bytes` that it counts, or takes `end` back. */
enum status renames_add(struct renames *renames, const char *lines, struct error *err) MUST_USE;
enum status renames_sync(struct renames *renames, struct error *err) MUST_USE;

/* In one step and durably, put the first `bytes` of the file `from` in the place of `to`, by way
 * of a file `by`, all of one folder but the first. */
struct renames_copy {
    const char *from, *by, *to;
    int64_t bytes;
};
enum status renames_copy(struct disk *disk, const struct renames_copy *copy, struct error *err)
    MUST_USE;

#endif
