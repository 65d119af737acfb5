/*
 * The end of a batch: where nothing waits any more, a copy that will be long is computed once more
 * by a host that is idle and not slow, and the first that agree are accepted. As LATE does for the
 * last tasks of a job: by the time that is left, not by how far a task is, on fast machines only,
 * and few at a time (Zaharia, Konwinski, Joseph, Katz and Stoica, "Improving MapReduce Performance
 * in Heterogeneous Environments", OSDI 2008). What their tasks are to LATE, the copies that an
 * agreement waits for are here: each of them may be the slow one.
 *
 * A copy whose host is no longer expected is replaced as well, however much of the batch is left:
 * nobody knows whether it will ever be reported, and its deadline is days away.
 */
#ifndef SERVER_POLICY_TAIL_H
#define SERVER_POLICY_TAIL_H

#include "server/policy/horizon.h"
#include "work-units/unit.h"

#define TAIL_KNOWN       10        /* agreed tasks: who has fewer gets none of these copies */
#define TAIL_NEVER       INT64_MAX /* its host is not expected any more */
#define TAIL_PATIENCE_MS 600000

struct tail_batch {
    int64_t units;
    int64_t ended; /* of them */
    int64_t alive; /* copies that it has because hosts are slow ... */
    int64_t made;  /* ... and that it ever had for this reason */
    int64_t lost;  /* copies in place of those whose hosts are no longer expected */
};

/* Is at most a tenth of the batch left (or one unit), and may it have one more such copy: at most
 * two, or 5 % of its copies, at a time, and three, or 4 %, in all, the last units apart? In place
 * of one that is lost it may however much is left, and however many were made. `copies`: of each
 * unit, as signed. */
bool tail_is_near(const struct tail_batch *batch, uint32_t copies, bool is_lost);

/* What a unit waits for, by what is foreseen of its tasks. */
struct tail_wait {
    bool may_have;   /* a copy more */
    int64_t left_ms; /* until enough of those out are reported; TAIL_NEVER: they will not be */
    size_t task;     /* the last of these */
    int64_t spare;   /* copies that are out besides, and are expected */
};

/*
 * `left_ms`: of each of the unit's tasks, TAIL_NEVER, or 0 where nothing is known. A unit may have
 * as many copies to spare as its agreement waits for, for all of these may be slow; those that will
 * not be reported do not count. As many tasks as the agreement takes from the start are left,
 * should these fail.
 */
struct tail_wait tail_waits(const struct unit *unit, const int64_t left_ms[]);

/* What is left of a task that began and was to end then, in ms. One that is late by its own
 * estimate is taken to need as long again as it has run. */
int64_t tail_left_ms(int64_t begins_ms, int64_t ends_ms, int64_t now_ms);

/* What a copy takes a host of `speed` that takes one of speed 1000 `length_ms`. */
int64_t tail_other_ms(int64_t length_ms, int64_t speed);

/* Is it worth another copy, which takes an idle host `other_ms` (0: not known)? Twice as long is
 * asked for where that is only estimated, longer where it is known how long the unit is. */
bool tail_is_worth_it(int64_t left_ms, int64_t other_ms, bool is_known);

/* A unit that its batch waits for, and that may have one copy more. */
struct tail_need {
    int64_t length_ms; /* on a host of speed 1000, as far as is known */
    int64_t left_ms;   /* as things are; not TAIL_NEVER: then that is looked at apart */
};

/*
 * When the last of these units would be done, in ms from now, were each that gains by it computed
 * once more: the one with most left first (as they are given), each by the slot that ends it
 * soonest. A unit with less left than that needs no copy, and a copy that would take a host longer
 * is no help. `slots` are used up.
 */
int64_t tail_end_ms(const struct tail_need needs[], size_t count, struct horizon_slot slots[],
                    size_t slot_count);

/* Does a unit that has so much left need a copy, where its batch may be done in `end_ms`? Is a copy
 * that takes a host so long left to others by then? Both leave room for estimates that are off. */
bool tail_is_late(int64_t left_ms, int64_t end_ms);
bool tail_is_spared(int64_t copy_ms, int64_t end_ms);

/* So long it is left to faster hosts that are idle. */
int64_t tail_patience_ms(int64_t left_ms);

/* The speed below which a quarter of these hosts are, which are put in order; 0 of none. */
int64_t tail_slow(int64_t *speeds, size_t count);

/* May a host have such a copy? `speed` in thousandths of the median host's, 0: not known. */
bool tail_suits(int64_t agreed, int64_t speed, int64_t slow);

#endif
