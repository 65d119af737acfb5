/*
 * How much of the work that is left one host gets: so that a batch ends about as soon as the
 * machines that are there allow, instead of waiting in the store of those who came first.
 *
 * A slot that has nothing to do is filled as long as there is work that ends there no later than
 * others could have done all of it (server/policy/horizon.h). Beyond that a host gets no more than
 * its share, by slots and speed, of what waits and what active hosts have together; and of that
 * only what it starts within its buffer or, once less than two copies a slot wait, within a minute
 * (or until its next visit). With much work the share is far above any buffer.
 *
 * What hosts say of themselves (cores, times) bounds itself: see share_slots() and
 * server/policy/estimate.h.
 */
#ifndef SERVER_POLICY_SHARE_H
#define SERVER_POLICY_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHARE_SOON_MS    60000   /* once little waits nothing is granted that starts later */
#define SHARE_UNKNOWN_MS 3600000 /* a task that nothing is known of is taken to last so long */
#define SHARE_NEW_SLOTS  4       /* cores that are believed of a host that never agreed */

/* The grid as far as the server remembers: all hosts that are expected to come again. */
struct share_grid {
    int64_t slots;
    int64_t weight; /* the sum of their share_weight()s */
    int64_t held;   /* tasks that they have to compute */
};

struct share_facts {
    struct share_grid grid; /* with this host as it is now */
    int64_t ready;          /* copies that wait */
    int64_t slots;          /* of this host: share_slots() */
    int64_t weight;         /* share_weight() */
    int64_t held;           /* tasks that it has to compute */
    int64_t held_ms;        /* what is left of them, one after the other */
    int64_t want_s;         /* the buffer that it likes; 0: no matter */
    int64_t next_visit_s;   /* it does not come again sooner */
};

/* What it may still be granted at this visit; changed by share_take(). */
struct share {
    int64_t slots;
    int64_t idle;    /* slots that have nothing to do */
    int64_t beyond;  /* tasks it may have beyond filling these */
    int64_t held_ms; /* as of the facts, with what was granted since */
    int64_t within_ms;
};

/* Slots that are believed: a host has to have agreed as often as it says it has cores. */
int64_t share_slots(int64_t cores, int64_t agreed);

/* `speed`: in thousandths of the median host's; 0: not known. */
int64_t share_weight(int64_t slots, int64_t speed);

struct share share_of(const struct share_facts *facts);

/* Most tasks that share_take() can still say yes to. */
int64_t share_room(const struct share *share);

/* May it have a task that takes it so long (0: not known)? If so, it is counted. */
bool share_take(struct share *share, int64_t task_ms);

/* When it will have a slot without work, in ms from now. */
int64_t share_idle_in_ms(const struct share *share);

#endif
