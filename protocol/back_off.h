/*
 * When to come back: 1, 2, 4 … 60 minutes, each drawn evenly from nothing to the whole span (full
 * jitter), so that clients that failed together do not return together. Pure: the caller draws.
 */
#ifndef PROTOCOL_BACK_OFF_H
#define PROTOCOL_BACK_OFF_H

#include <stdint.h>

#define BACK_OFF_FIRST_MS INT64_C(60000)
#define BACK_OFF_LAST_MS  INT64_C(3600000)
#define BACK_OFF_MAX_MS   INT64_C(86400000) /* whatever a server says, never longer than this */

/* The span before the `failures`-th repetition in a row; 1 and less is the first. */
int64_t back_off_span_ms(int64_t failures);

/*
 * How long to wait. `random` is 64 random bits. `told_s` is what the server said (Retry-After or
 * return_s); 0 or less: nothing. It is obeyed up to BACK_OFF_MAX_MS, with up to a tenth more
 * (at least a second) of jitter on top; without it the span above counts.
 */
int64_t back_off_ms(int64_t failures, int64_t told_s, uint64_t random);

#endif
