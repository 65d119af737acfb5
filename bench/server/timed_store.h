/* A clock in front of a store: how long its functions take, all together. One store at a time. */
#ifndef BENCH_SERVER_TIMED_STORE_H
#define BENCH_SERVER_TIMED_STORE_H

#include <stdint.h>

struct store;

struct store_time {
    int64_t wall_us;
    int64_t cpu_us; /* of the calling thread */
};

/* Functions that a visit's cycle uses are timed from now on. */
void timed_store_watch(struct store *store);
struct store_time timed_store_so_far(void);

#endif
