/*
 * The names that units of a batch have so far, asked one by one: for sources that cannot be read
 * twice (see name_list.h for those that can). A hash table in a file, for there may be millions: in
 * memory is one block of it.
 */
#ifndef OPERATOR_NAME_TABLE_H
#define OPERATOR_NAME_TABLE_H

#include "common/base/disk.h"
#include "operator/unit_names.h"

/* Zeroed: none. */
struct name_table {
    struct disk *disk;      /* borrowed */
    char *path;             /* owned; of a file that is being made */
    struct disk_file *file; /* owned */
    int64_t capacity;       /* slots; a power of two */
    int64_t count;
};

/*
 * With room for `expected` names before it grows, which takes a moment. Its files go with the
 * process: the path is free again at once, and used again when it grows.
 */
enum status name_table_make(struct name_table *ret_table, struct disk *disk, const char *path,
                            int64_t expected, struct error *err) MUST_USE;
void name_table_clear(struct name_table *table); /* for CLEANUP(), too */

/* *ret_other: the index of the unit that has the name, and keeps it; `index`: it is this one. */
enum status name_table_claim(struct name_table *table, const struct unit_name_key *key,
                             int64_t index, int64_t *ret_other, struct error *err) MUST_USE;

#endif
