/*
 * The names that units of a batch have so far. `fetch` makes a folder of each name, so that two
 * units of one name (case does not count: some disks ignore it) would overwrite each other's
 * results.
 */
#ifndef OPERATOR_UNIT_NAMES_H
#define OPERATOR_UNIT_NAMES_H

#include "common/base/error.h"

#define UNIT_NAME_KEY_BYTES 16

/* What stands for a name: the beginning of its SHA-256, in small letters. */
struct unit_name_key {
    uint8_t bytes[UNIT_NAME_KEY_BYTES];
};

struct unit_name_key unit_name_key(const char *name);

/* Zeroed: empty. */
struct unit_names {
    struct unit_name_slot *slots; /* owned; a power of two of them */
    size_t capacity;
    size_t count;
};

void unit_names_clear(struct unit_names *names); /* for CLEANUP(), too */

/* false: the unit of index *ret_other has the name, and keeps it. */
bool unit_names_claim(struct unit_names *names, const struct unit_name_key *key, int64_t index,
                      int64_t *ret_other) MUST_USE;

#endif
