/*
 * When all that waits could be done: the moment by which the slots of all hosts that are expected
 * could have computed so many copies, each slot as soon as it is free and as fast as its host is. A
 * copy that would end later on the host that asks is better left to another: where all lengths are
 * alike, this is the list schedule that ends soonest, decided one visit at a time.
 */
#ifndef SERVER_POLICY_HORIZON_H
#define SERVER_POLICY_HORIZON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HORIZON_NEVER INT64_MAX

struct horizon_slot {
    int64_t free_in_ms; /* from now on; >= 0 */
    int64_t speed;      /* in thousandths of the median host's; >= 1 */
};

/* A host that leaves copies to others has been told, so to speak, when these will have done them
 * all; zeroed: it leaves none. Of the up-time clock. */
struct horizon_promise {
    int64_t since_ms;
    int64_t until_ms;
};

/* In ms from now, to about a hundredth. `length_ms`: of a copy on a host of speed 1000, >= 1.
 * HORIZON_NEVER: there are no slots, or it takes longer than anybody waits. */
int64_t horizon_ms(const struct horizon_slot slots[], size_t count, int64_t copies,
                   int64_t length_ms);

/*
 * Is a copy that would end on this host in `ends_in_ms` left to others, with all done in
 * `horizon_ms`? Not for ever: only as long as what was promised when it began to leave them has not
 * slipped by more than a quarter, and is not over. `promise` is kept between its visits.
 */
bool horizon_leaves(struct horizon_promise *promise, int64_t now_ms, int64_t ends_in_ms,
                    int64_t horizon_ms);

#endif
