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

/* In ms from now, to about a hundredth. `length_ms`: of a copy on a host of speed 1000, >= 1.
 * HORIZON_NEVER: there are no slots, or it takes longer than anybody waits. */
int64_t horizon_ms(const struct horizon_slot slots[], size_t count, int64_t copies,
                   int64_t length_ms);

/* Since when a host leaves copies to others, and when these were to be done with all then, in ms
 * from there. Zeroed: it does not. */
struct horizon_wait {
    int64_t since_ms, first_ms;
};

/* Would a copy that ends on this host in `ends_in_ms` be done sooner by others? */
bool horizon_is_sooner(int64_t horizon_ms, int64_t ends_in_ms);

/*
 * Is it left to them, although the host has nothing to do? Not for ever: only while the host has
 * waited no longer than it would gain even now, and a quarter of what was foreseen. `wait` is kept
 * between its visits.
 */
bool horizon_leaves(struct horizon_wait *wait, int64_t now_ms, int64_t ends_in_ms,
                    int64_t horizon_ms);

#endif
