/* When a host should come back. */
#ifndef SERVER_POLICY_RETURNING_H
#define SERVER_POLICY_RETURNING_H

#include <stdbool.h>
#include <stdint.h>

#define RETURNING_MOST_S       3600
#define RETURNING_SHARE_MOST_S 600 /* with work, and wanting more: what it has may be moved */

struct returning_facts {
    int64_t least_s;      /* configured: nobody comes back sooner without having got work */
    int64_t soon_s;       /* configured: nobody at all does */
    bool was_granted;     /* it got work */
    int64_t empty_visits; /* visits in a row that found no work; 0: it got what it asked for */
    bool has_share;       /* it has work, and got less than it wanted for the sake of others ... */
    int64_t idle_in_s;    /* ... and computes it for so long */
    bool has_hope;        /* it got none, but will soon, for copies are offered anew */
    uint32_t random;      /* uniform */
};

/*
 * With its share: when it will have a slot without work, but within RETURNING_SHARE_MOST_S.
 * After work, or where there is hope of some: between soon_s (or least_s, if that is less) and
 * twice that, for it may have more once it has done what it got; a client that still computes comes
 * later by itself. Nothing wanted: between least_s and twice that. Wanted in vain: 1, 2, 4 … 60 min
 * by the visits in a row that found none (scaled down when least_s is below a minute), the upper
 * half of it drawn.
 */
int64_t returning_delay_s(const struct returning_facts *facts);

#endif
