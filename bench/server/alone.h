/*
 * The engine and the store without a network: the same visits of the same hosts, so many to a
 * transaction, and how much of the time the store had. What bounds a server from below.
 */
#ifndef BENCH_SERVER_ALONE_H
#define BENCH_SERVER_ALONE_H

#include <stdint.h>

#include "common/base/error.h"

struct env;

#define ALONE_AT_ONCE_MAX 256

struct alone_wish {
    const char *site; /* no server may be running there */
    const char *crew;
    int64_t hosts;
    int64_t tasks;   /* per visit */
    int64_t at_once; /* visits of one transaction, 1..256 */
    int64_t seconds;
    int64_t output_bytes; /* at most what goes along with a visit */
};

struct alone {
    int64_t reported; /* tasks */
    int64_t visits;
    int64_t engine_us; /* in engine_run(), the store's time included */
    int64_t store_us;  /* in the store: loading, saving, committing */
    int64_t store_cpu_us;
    int64_t engine_cpu_us;
};

enum status alone_measure(struct env *env, const struct alone_wish *wish, struct alone *ret_alone,
                          struct error *err) MUST_USE;

#endif
