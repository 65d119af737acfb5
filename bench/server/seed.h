/*
 * Fill a new site with a project, units and hosts, by the engine's own commands but without HTTP:
 * in the time that a run's own traffic would take to say hello.
 */
#ifndef BENCH_SERVER_SEED_H
#define BENCH_SERVER_SEED_H

#include <stdint.h>

#include "common/base/error.h"

struct env;

struct seed_wish {
    const char *site; /* its folder; no server may be running there */
    const char *crew; /* file to be written: see bench/crew.h */
    int64_t hosts;    /* each with an account of its own */
    int64_t units;
    int64_t output_bytes;
};

enum status seed_site(struct env *env, const struct seed_wish *wish, struct error *err) MUST_USE;

#endif
