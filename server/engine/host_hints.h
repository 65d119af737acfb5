/*
 * What the engine remembers of hosts between their visits, for convenience alone: after a restart
 * it has forgotten all of it, and nothing is wrong.
 */
#ifndef SERVER_ENGINE_HOST_HINTS_H
#define SERVER_ENGINE_HOST_HINTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/publish.h"
#include "server/engine/map.h"
#include "server/engine/stock.h"
#include "server/policy/horizon.h"
#include "server/policy/share.h"

#define HOST_HINTS_MAX    200000 /* then all are forgotten */
#define HOST_HINTS_LOOK_S 10

/* What a host is for the others' shares (server/policy/share.h), while it is expected. */
struct host_part {
    int64_t slots;
    int64_t weight;
    int64_t held;
    int64_t idle;         /* slots without work that it wants work for */
    int64_t speed;        /* timing_speed() */
    int64_t agreed;       /* tasks */
    bool is_barred;       /* copies waited, and it may have none of them */
    int64_t seen_up_s;    /* when it visited, of the up-time clock ... */
    int64_t returns_up_s; /* ... when it was told to come ... */
    int64_t until_up_s;   /* ... and it has left when it did not come by then */
};

struct host_hint {
    int64_t host;
    struct stock stock;       /* owned: what it has to compute */
    struct host_part part;    /* counted in the grid while its slots are not 0 */
    struct horizon_wait wait; /* while it leaves copies to others, of the up-time clock */
    int64_t empty_visits;     /* in a row that found no work */
    int64_t told_visit;       /* number of the visit that was told ... */
    int64_t *told;            /* owned: ... the verdicts of these tasks */
    size_t told_count;
};

/* A host that asked in vain, as it was known then. */
struct idler {
    struct identity who;
    char prefix[PREFIX_MAX + 1]; /* without an account; else "" */
    int64_t agreed;              /* tasks */
    int64_t speed;               /* timing_speed() */
};
#define IDLERS_LAST 16 /* the last ones ... */
#define IDLERS_MAX  32 /* ... and the fastest of those before */

/* Zeroed: empty. */
struct host_hints {
    struct map map;         /* owned hints */
    struct share_grid grid; /* of all that are expected */
    int64_t idle;           /* slots of those that want work for them */
    int64_t idle_hosts;     /* these hosts */
    int64_t stocked;        /* copies in all stocks */
    int64_t looked_up_s;    /* when those that left were looked for */
    struct idler idlers[IDLERS_MAX];
    size_t idler_count, oldest_idler;
};

void host_hints_clear(struct host_hints *hints);

/* NULL: nothing is remembered. */
struct host_hint *host_hints_find(const struct host_hints *hints, int64_t host);

/* Made if there is none. Valid until the next call. */
struct host_hint *host_hints_get(struct host_hints *hints, int64_t host);

/* The host's part in the grid from now on; of no slots: it has none. */
void host_hints_count(struct host_hints *hints, int64_t host, const struct host_part *part);

/* What the host has to compute, in place of what it had; taken over. */
void host_hints_stock(struct host_hints *hints, int64_t host, struct stock *stock);

void host_hints_forget_task(struct host_hints *hints, int64_t host, int64_t task);

/* Valid until the host's next stock; NULL: nothing is known of it. */
struct stock_task *host_hints_find_task(const struct host_hints *hints, int64_t host, int64_t task);

/* It is one of the idlers, of the last ones. Is the host idle still, as far as is known? */
void host_hints_idle(struct host_hints *hints, const struct idler *idler);
bool host_hints_is_idle(const struct host_hints *hints, int64_t host);

/* Of those who are expected. A host that left is noticed within HOST_HINTS_LOOK_S. */
const struct share_grid *host_hints_grid(struct host_hints *hints, int64_t up_s);

#endif
