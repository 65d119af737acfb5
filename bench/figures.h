/* What one thread counts while it plays; added up at the end. Plain data. */
#ifndef BENCH_FIGURES_H
#define BENCH_FIGURES_H

#include <stdint.h>

#include "bench/histogram.h"

/*  X(name, what it counts)  */
#define FIGURES_TABLE(X)                                                                           \
    X(visits, "visits that were answered")                                                         \
    X(visits_without_work, "visits that wanted tasks and got none")                                \
    X(granted, "tasks granted")                                                                    \
    X(reported, "reports acknowledged: durable at the server")                                     \
    X(dropped, "reports that the server did not want")                                             \
    X(accepted, "tasks told to be accepted")                                                       \
    X(outvoted, "tasks told to be outvoted")                                                       \
    X(uploads, "outputs uploaded apart")                                                           \
    X(upload_bytes, "their bytes")                                                                 \
    X(enrolled, "hosts enrolled")                                                                  \
    X(connections, "connections opened, each with a full handshake")                               \
    X(refused, "requests that the server refused")                                                 \
    X(repeated, "requests sent again: the server said it was busy, or the connection broke")       \
    X(failed, "exchanges given up")                                                                \
    X(late, "visits that began over 10 ms after they were due, for want of a connection")          \
    X(bytes_out, "bytes of requests")                                                              \
    X(bytes_in, "bytes of answers")

struct figures {
#define X(name, what) int64_t name;
    FIGURES_TABLE(X)
#undef X
    struct histogram visit_us; /* from when a visit was due until its answer was read */
};

void figures_merge(struct figures *into, const struct figures *from);

#endif
