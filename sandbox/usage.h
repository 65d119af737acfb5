/* What a task uses, measured from outside. */
#ifndef SANDBOX_USAGE_H
#define SANDBOX_USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define USAGE_MAX_FILES 20000 /* entries in a slot looked at; one with more counts as too large */
#define USAGE_MAX_DEPTH 32    /* of folders; a deeper one counts as too large */

struct tree_usage {
    int64_t cpu_ms;       /* of those alive and those reaped by them, the keeper included */
    int64_t memory_bytes; /* resident, below the keeper */
    uint32_t processes;   /* and threads, below the keeper */
};

/* Processes that vanish while we look are left out. */
struct tree_usage usage_of_tree(pid_t keeper);

/*
 * What the folder holds: of each file the larger of its length and its blocks; links are not
 * followed. INT64_MAX: more files or deeper than looked at. 0 if there is no such folder.
 */
int64_t usage_of_folder(int folder);

#endif
