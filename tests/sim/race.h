/*
 * A crowd at a site, and how long its batches take: an event at a time under the fake clock. Visits
 * that fall into the same grain of time share a transaction, as they do at a busy server. They pass
 * no codec and carry no signature: `sim` does that, and no decision is another for it.
 */
#ifndef TESTS_SIM_RACE_H
#define TESTS_SIM_RACE_H

#include "server/engine/deadlines.h"
#include "server/engine/map.h"
#include "tests/sim/crowd.h"

enum race_shape {
    RACE_EQUAL,
    RACE_HEAVY, /* Pareto with exponent 1.5, cut off at 20 times the mean */
};

struct race_batch {
    const char *name;
    size_t units;
    int64_t mean_ms; /* on a core of speed 1 */
    enum race_shape shape;
};

/* Work that a batch is, without anything else. */
struct race_load {
    double total_ms; /* on a core of speed 1, once */
    double longest_ms;
    int64_t published_s;
    struct batch_id id;
};

struct race {
    struct sim_site *site;
    struct crowd crowd;
    int64_t grain_ms;
    int64_t ticked_ms;
    struct deadlines wakes; /* hosts by the time they wake; those that changed their mind stay in */
    struct map units;       /* owned crowd_units */
    struct race_load loads[CROWD_BATCHES];
    size_t batch_count;
    struct fake_env chance; /* for lengths */
};

void race_open(struct race *race, struct sim_site *site, const struct crowd_kind *kind);
void race_clear(struct race *race);

/* Returns the simulation's number of it. Closed at once: it takes no more units. */
int race_publish(struct race *race, const struct race_batch *batch);

/* Until then, or until no unit is open: true. Monotonic. */
bool race_run(struct race *race, int64_t until_ms);

/* For so long, whether there is work or not. */
void race_idle(struct race *race, int64_t ms);

/* Each host proves itself: a score of tasks, one after the other. */
void race_prove_hosts(struct race *race, int64_t mean_ms);

/* All hosts come within a minute. */
void race_call_hosts(struct race *race);

int64_t race_now_ms(const struct race *race);

#endif
