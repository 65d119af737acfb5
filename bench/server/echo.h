/*
 * A server that does everything a visit costs but the visit: the same HTTP layer, TLS and
 * certificate, the request parsed, an answer of the same size printed. No store, no engine, no
 * decision. With `verifies` also the one signature.
 */
#ifndef BENCH_SERVER_ECHO_H
#define BENCH_SERVER_ECHO_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"

struct env;
struct echo;

struct echo_wish {
    const char *site; /* whose certificate and settings count: listen, threads, connections */
    bool verifies;
    int64_t output_bytes; /* as the site was seeded with */
};

enum status echo_start(struct env *env, const struct echo_wish *wish, struct echo **ret_echo,
                       struct error *err) MUST_USE;
void echo_stop(struct echo *echo);

#endif
