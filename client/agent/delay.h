/*
 * How long to wait before asking again: 1, 2, 4 … times the first span up to the last one, each
 * drawn evenly from nothing to the whole span (full jitter), so that clients that failed together
 * do not come back together.
 */
#ifndef CLIENT_AGENT_DELAY_H
#define CLIENT_AGENT_DELAY_H

#include <stdint.h>

#define DELAY_TOLD_MAX_S INT64_C(86400) /* a server that says more is obeyed for so long (I7) */

struct delay_rule {
    int64_t first_ms; /* >= 1 */
    int64_t last_ms;  /* >= first_ms */
};

/*
 * After `failures` (>= 1) in a row; `random` is 64 random bits. What the server told (Retry-After,
 * return_s; <= 0: nothing) is the least, with up to a tenth more on top. At least 250 ms.
 */
int64_t delay_ms(const struct delay_rule *rule, int64_t failures, int64_t told_s, uint64_t random);

/* What the server told, clamped, with up to a tenth more. */
int64_t delay_told_ms(int64_t told_s, uint64_t random);

/* An interval, shortened by up to a fifth: for polling without pulse. */
int64_t delay_jittered_ms(int64_t interval_ms, uint64_t random);

#endif
