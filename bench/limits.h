/* What bounds a run, measured right after it on the same site. */
#ifndef BENCH_LIMITS_H
#define BENCH_LIMITS_H

#include "bench/site.h"

/*
 * `outcome` is the run; its site's server is stopped. Echo servers take its place, then the engine
 * and the store run without a network, with as many visits to a transaction as there were.
 */
enum status limits_measure(const struct bench *bench, const struct plan *plan,
                           struct bench_site *site, const struct outcome *outcome,
                           struct limits_table *ret_limits, struct error *err) MUST_USE;

#endif
