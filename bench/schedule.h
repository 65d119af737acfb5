/* When visits begin, and what kind of host makes them. Pure. */
#ifndef BENCH_SCHEDULE_H
#define BENCH_SCHEDULE_H

#include <stdint.h>

/*
 * Arrivals at a rate, evenly spaced; during the ramp the rate grows evenly from nothing. They do
 * not wait for answers: whoever is late is late by what the server made it wait.
 */
struct schedule {
    int64_t per_hour; /* arrivals, 1..SCHEDULE_RATE_MAX */
    int64_t ramp_us;  /* 0..SCHEDULE_RAMP_MAX_US */
};

#define SCHEDULE_RATE_MAX    INT64_C(3600000000)  /* a million a second */
#define SCHEDULE_RAMP_MAX_US INT64_C(86400000000) /* a day */

/* When arrival number `index` (0..2^40) is due, in microseconds from the start. */
int64_t schedule_due_us(const struct schedule *schedule, int64_t index);

/* How hosts behave, in thousandths of all of them; together at most 1000. */
struct shares {
    int64_t liars;     /* report other outputs than honest hosts do */
    int64_t vanishing; /* take tasks once and never come back */
    int64_t slow;      /* are passed over nine times of ten */
};

enum character { CHARACTER_HONEST, CHARACTER_LIAR, CHARACTER_VANISHING, CHARACTER_SLOW };

/* Of host number `index`: the same in each run, and spread over them all. */
enum character character_of(const struct shares *shares, uint64_t index);

/* A next number out of `state`, evenly spread (splitmix64). Not for keys. */
uint64_t chance_next(uint64_t *state);

#endif
