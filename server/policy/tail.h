/*
 * The end of a batch: where nothing waits any more, a copy that will be long is computed once more
 * by a host that is idle and not slow, and the first that agree are accepted. As LATE does for the
 * last tasks of a job: by the time that is left, not by how far a task is, on fast machines only,
 * and few at a time (Zaharia, Konwinski, Joseph, Katz and Stoica, "Improving MapReduce Performance
 * in Heterogeneous Environments", OSDI 2008).
 */
#ifndef SERVER_POLICY_TAIL_H
#define SERVER_POLICY_TAIL_H

#include "work-units/unit.h"

#define TAIL_KNOWN 10 /* agreed tasks: who has fewer gets none of these copies */

struct tail_batch {
    int64_t units;
    int64_t ended; /* of them */
    int64_t alive; /* copies that it has for this reason */
};

/* Is at most a tenth of the batch left (or one unit), and may it have one more such copy: at most
 * two, or 5 % of its copies? `copies`: of each unit, as signed. */
bool tail_is_near(const struct tail_batch *batch, uint32_t copies);

/* Does the unit wait for tasks[i], has no copy besides what the agreement needs, and can have one?
 * It leaves as many tasks as the agreement takes from the start, should these fail. */
bool tail_waits_for(const struct unit *unit, size_t i);

/* What is left of a task that began and was to end then, in ms. One that is late by its own
 * estimate is taken to need as long again as it has run. */
int64_t tail_left_ms(int64_t begins_ms, int64_t ends_ms, int64_t now_ms);

/* Is it worth another copy, which takes an idle host `other_ms` (0: not known)? */
bool tail_is_worth_it(int64_t left_ms, int64_t other_ms);

/* The speed below which a quarter of these hosts are, which are put in order; 0 of none. */
int64_t tail_slow(int64_t *speeds, size_t count);

/* May a host have such a copy? `speed` in thousandths of the median host's, 0: not known. */
bool tail_suits(int64_t agreed, int64_t speed, int64_t slow);

#endif
