/* Threads that play the crew against a server, in phases. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "bench/actor.h"
#include "bench/figures.h"
#include "bench/plan.h"
#include "bench/world/dial.h"

struct env;
struct trust;
struct load;

/* Borrowed; outlives the load. */
struct load_config {
    const struct plan *plan;
    const struct dial_target *target;
    SSL_CTX *context;
    struct digest project;
    const struct trust *trust; /* NULL: manifests are believed */
    struct actor *hosts;       /* plan->hosts of them */
    struct env *env;
};

enum load_phase {
    LOAD_FILL,    /* each host has one turn: is enrolled if need be, and gets work */
    LOAD_WARM,    /* as measured, but not counted */
    LOAD_MEASURE, /* counted */
    LOAD_STOP,
};

/* Begins with LOAD_FILL. */
void load_start(const struct load_config *config, struct load **ret_load);
void load_enter(struct load *load, enum load_phase phase);

/* Hosts that have not had their first turn yet. */
int64_t load_unfilled(struct load *load);

/* Ends the threads. *ret_first_failure: status STATUS_OK if nothing failed. */
void load_stop(struct load *load, struct figures *ret_figures, struct error *ret_first_failure);

#endif
