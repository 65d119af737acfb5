/* How well a race went, read off the site's own rows and off the crowd. */
#ifndef TESTS_SIM_FIGURES_H
#define TESTS_SIM_FIGURES_H

#include "tests/sim/race.h"

struct figures {
    size_t units, accepted; /* of the batch */
    double ideal_s;         /* no schedule is shorter: see figures_ideal_s() */
    double greedy_s;        /* what one takes who knows all: see figures_greedy_s() */
    double most95_s;        /* until 95 % of the units were accepted */
    double all_s;           /* until the last one was */
    double first_s;         /* until the first copy began to run */
    double idle;            /* share of core-time idle while a unit waited to be begun */
    double waste;           /* begun copies beyond the quorum, per wanted copy */
    double churn;           /* begun copies that failed, lied, or were late or given up, likewise */
};

/* The largest of all work, quorum included, on all cores; all units once on all hosts but the
 * largest, which may have but one copy of each; and the longest unit on the fastest core. */
double figures_ideal_s(const struct race *race, int batch);

/* One who knows every length and speed, and is heard at once, gives the longest copy that is left
 * to the core that ends it soonest. Fewer units than cores cannot all run on the fastest. */
double figures_greedy_s(const struct race *race, int batch);

struct figures figures_of(struct race *race, int batch);

#endif
