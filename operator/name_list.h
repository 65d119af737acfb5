/*
 * Names of many units, as keys in a file: UNIT_NAME_KEY_BYTES each, at the unit's place. What is
 * compared of them is compared part by part, so that memory stays small however many they are.
 */
#ifndef OPERATOR_NAME_LIST_H
#define OPERATOR_NAME_LIST_H

#include "common/base/disk.h"
#include "operator/unit_names.h"

#define NAME_LIST_PART (1 << 19) /* names that are compared at a time */

/* Zeroed: none. */
struct name_list {
    struct disk *disk;          /* borrowed */
    struct disk_file *file;     /* owned, if name_list_make() made it */
    int64_t count;              /* of names in the file */
    struct unit_name_key *held; /* owned */
    size_t held_count;          /* not yet written */
};

/* In a file that goes with the process: its path is free again at once. */
enum status name_list_make(struct name_list *ret_list, struct disk *disk, const char *path,
                           struct error *err) MUST_USE;
void name_list_clear(struct name_list *list); /* for CLEANUP(), too */

/* One more; a zeroed key stands for no name. After the last one, name_list_end(). */
enum status name_list_add(struct name_list *list, const struct unit_name_key *key,
                          struct error *err) MUST_USE;
enum status name_list_end(struct name_list *list, struct error *err) MUST_USE;

/* Units without a name get one by their index; that of the first is `first_index`. */
enum status name_list_fill(struct name_list *list, struct unit_name_key (*name_of)(int64_t index),
                           int64_t first_index, struct error *err) MUST_USE;

/* Two equal names in these lists, one after the other: the places of both, counted through. */
struct name_twice {
    bool is_there;
    int64_t first, second;
};
enum status name_lists_compare(const struct name_list *const *lists, size_t count,
                               struct name_twice *ret_twice, struct error *err) MUST_USE;

#endif
