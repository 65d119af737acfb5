/* What a process has used, as /proc tells it. */
#ifndef BENCH_PROCESS_H
#define BENCH_PROCESS_H

#include <stdint.h>

#include "common/base/error.h"

struct disk;

/* Members that cannot be read (another user's process) are 0. */
struct process_use {
    int64_t cpu_us;        /* of all its threads, those that ended too */
    int64_t rss_bytes;     /* now */
    int64_t peak_bytes;    /* most it ever had */
    int64_t written_bytes; /* sent to the disk */
};

/* STATUS_NOT_FOUND: there is no such process. `ticks_per_s` is sysconf(_SC_CLK_TCK). */
enum status process_look(struct disk *disk, int64_t pid, int64_t ticks_per_s,
                         struct process_use *ret_use, struct error *err) MUST_USE;

/* The number that follows `key` at the beginning of a line; 0: there is none. */
int64_t process_number(const char *text, const char *key);

/* utime and stime out of /proc/PID/stat, in ticks. */
int64_t process_ticks(const char *stat);

#endif
