/*
 * What the engine remembers of hosts between their visits, for convenience alone: after a restart
 * it has forgotten all of it, and nothing is wrong.
 */
#ifndef SERVER_ENGINE_HOST_HINTS_H
#define SERVER_ENGINE_HOST_HINTS_H

#include <stddef.h>
#include <stdint.h>

#include "server/engine/map.h"

#define HOST_HINTS_MAX 200000 /* then all are forgotten */

struct host_hint {
    int64_t empty_visits; /* in a row that found no work */
    int64_t told_visit;   /* number of the visit that was told ... */
    int64_t *told;        /* owned: ... the verdicts of these tasks */
    size_t told_count;
};

/* Zeroed: empty. */
struct host_hints {
    struct map map; /* owned hints */
};

void host_hints_clear(struct host_hints *hints);

/* NULL: nothing is remembered. */
struct host_hint *host_hints_find(const struct host_hints *hints, int64_t host);

/* Made if there is none. Valid until the next call. */
struct host_hint *host_hints_get(struct host_hints *hints, int64_t host);

#endif
