/* What the parts of a visit cost by themselves, in processor time of one thread. */
#ifndef BENCH_SERVER_PRIMITIVES_H
#define BENCH_SERVER_PRIMITIVES_H

#include <stdint.h>

#include "common/base/error.h"

struct env;

struct primitives {
    double verify_us;    /* one Ed25519 signature of a visit's size */
    double shake_us;     /* a full TLS 1.3 handshake, the server's side */
    double shake_all_us; /* and both sides */
};

/* `site`: whose certificate is used. Takes about two seconds of processor time. */
enum status primitives_measure(struct env *env, const char *site, struct primitives *ret_primitives,
                               struct error *err) MUST_USE;

#endif
