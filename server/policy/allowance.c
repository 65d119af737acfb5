#include "server/policy/allowance.h"

#include <assert.h>

int64_t allowance_left(const struct allowance_facts *facts, int64_t today, int64_t slots,
                       int64_t out)
{
    int64_t used = facts->day == today ? facts->used : 0;
    int64_t left = facts->per_day == 0 ? slots - out : facts->per_day - used;

    assert(slots >= 1 && out >= 0);
    return left > 0 ? left : 0;
}

int64_t allowance_first(int64_t elsewhere)
{
    return elsewhere >= ALLOWANCE_PROVEN ? ALLOWANCE_START_PER_DAY : 0;
}

struct allowance_facts allowance_after_grant(const struct allowance_facts *facts, int64_t today,
                                             int64_t count)
{
    struct allowance_facts after = *facts;

    after.used = (facts->day == today ? facts->used : 0) + count;
    after.day = today;
    return after;
}

struct allowance_facts allowance_after_withdrawal(const struct allowance_facts *facts,
                                                  int64_t granted_day)
{
    struct allowance_facts after = *facts;

    if (facts->day == granted_day && facts->used > 0)
        after.used--;
    return after;
}

struct allowance_facts allowance_after_return(const struct allowance_facts *facts,
                                              int64_t granted_day)
{
    struct allowance_facts after = *facts;

    if (facts->day == granted_day)
        after.used++;
    return after;
}

struct allowance_facts allowance_after_end(const struct allowance_facts *facts,
                                           enum allowance_outcome outcome)
{
    struct allowance_facts after = *facts;

    if (outcome == ALLOWANCE_AGREED) {
        after.per_day = facts->per_day == 0 ? ALLOWANCE_START_PER_DAY : facts->per_day * 2;
        if (after.per_day > ALLOWANCE_MOST_PER_DAY)
            after.per_day = ALLOWANCE_MOST_PER_DAY;
    } else if (facts->per_day > 1) {
        after.per_day = facts->per_day / 2;
    }
    return after;
}
