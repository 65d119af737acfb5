/*
 * Which files go into which unit. An operand is a file, a folder or a pattern ("books/chapter?",
 * expanded here, so that shells need not): a file is a unit, a folder is a unit of all its files;
 * with --files-per-unit N all files, wherever they come from, are dealt N to a unit.
 *
 * What is found in a folder or by a pattern counts if it is a plain file. Links, FIFOs, sockets and
 * devices are passed over and counted, names that begin with a dot are passed over; but a link
 * that is itself the operand is followed.
 */
#ifndef OPERATOR_INPUTS_H
#define OPERATOR_INPUTS_H

#include "common/base/disk.h"
#include "work-units/work_unit.h"

#define INPUTS_FILES_MAX     1000000 /* of one submission; more: an NDJSON of units */
#define INPUTS_DEPTH_MAX     32      /* folders within folders */
#define INPUTS_SKIPPED_SHOWN 3

struct input_group {
    struct file_name name; /* of the unit; unique among the groups, ignoring case */
    struct texts paths;    /* 1..WORK_UNIT_INPUTS_MAX, sorted */
    size_t origin_length;  /* so much of the first path is the file or folder that the unit is
                              named after; 0: of none */
};

struct input_groups {
    struct input_group *groups; /* owned */
    size_t count;
    size_t skipped;             /* entries of folders that are links, or no files at all */
    struct texts skipped_first; /* owned; up to INPUTS_SKIPPED_SHOWN of them */
};

void input_groups_clear(struct input_groups *groups);

/* files_per_unit 0: not said. STATUS_INVALID, STATUS_NOT_FOUND name the operand. */
enum status input_groups_gather(struct disk *disk, const char *const *operands, size_t count,
                                int64_t files_per_unit, struct input_groups *ret_groups,
                                struct error *err) MUST_USE;

/* A name of the profile like this text: what it may not hold becomes '_'. */
struct file_name file_name_like(const char *text);

/* The names of a unit's inputs in the task's folder: base names, made unique with "-2", "-3" … */
void input_names(const struct texts *paths, struct texts *ret_names);

#endif
