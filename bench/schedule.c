#include "bench/schedule.h"

#include <assert.h>

#define HOUR_US 3600000000.0

/* Newton's method; from above it falls until it has the root. */
static double root_of(double square)
{
    double root = square > 1 ? square : 1;

    for (int i = 0; i < 200; i++) {
        double next = (root + square / root) / 2;

        if (next >= root)
            break;
        root = next;
    }
    return root;
}

/* With rate r and ramp T the arrivals by time t are r t² / 2T, and from T on r (t - T/2). */
int64_t schedule_due_us(const struct schedule *schedule, int64_t index)
{
    double per_us = (double)schedule->per_hour / HOUR_US;
    double ramp_us = (double)schedule->ramp_us;

    assert(schedule->per_hour >= 1 && schedule->per_hour <= SCHEDULE_RATE_MAX);
    if ((double)index < per_us * ramp_us / 2)
        return (int64_t)root_of(2 * (double)index * ramp_us / per_us);
    return (int64_t)((double)index / per_us + ramp_us / 2);
}

uint64_t chance_next(uint64_t *state)
{
    uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

enum character character_of(const struct shares *shares, uint64_t index)
{
    uint64_t state = index;
    int64_t drawn = (int64_t)(chance_next(&state) % 1000);

    if (drawn < shares->liars)
        return CHARACTER_LIAR;
    if (drawn < shares->liars + shares->vanishing)
        return CHARACTER_VANISHING;
    if (drawn < shares->liars + shares->vanishing + shares->slow)
        return CHARACTER_SLOW;
    return CHARACTER_HONEST;
}
