#include "bench/schedule.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#define PER_S(n) ((n)*INT64_C(3600))
#define S        INT64_C(1000000)

Test(schedule, a_rate_without_a_ramp_is_even)
{
    struct schedule schedule = {.per_hour = PER_S(100)};

    cr_expect(eq(i64, schedule_due_us(&schedule, 0), 0));
    cr_expect(eq(i64, schedule_due_us(&schedule, 1), 10000));
    cr_expect(eq(i64, schedule_due_us(&schedule, 360000), 3600 * S));
}

Test(schedule, half_as_many_arrive_during_the_ramp_and_the_full_rate_after_it)
{
    struct schedule schedule = {.per_hour = PER_S(1000), .ramp_us = 10 * S};
    int64_t at_end = schedule_due_us(&schedule, 5000);

    cr_expect(llabs(at_end - 10 * S) <= 1, "%lld", (long long)at_end);
    cr_expect(llabs(schedule_due_us(&schedule, 6000) - 11 * S) <= 1);
    /* A quarter of them in the first half of it. */
    cr_expect(llabs(schedule_due_us(&schedule, 1250) - 5 * S) <= 1);
}

Test(schedule, no_arrival_is_due_before_the_one_before_it)
{
    struct schedule schedule = {.per_hour = PER_S(7) / 3, .ramp_us = 61 * S};

    for (int64_t i = 1; i < 1000; i++)
        cr_assert(schedule_due_us(&schedule, i) >= schedule_due_us(&schedule, i - 1));
}

Test(schedule, characters_come_in_their_shares_and_are_the_same_each_time)
{
    struct shares shares = {.liars = 100, .vanishing = 200, .slow = 300};
    int count[4] = {0};

    for (uint64_t i = 0; i < 20000; i++) {
        count[character_of(&shares, i)]++;
        cr_assert(character_of(&shares, i) == character_of(&shares, i));
    }
    cr_expect(abs(count[CHARACTER_LIAR] - 2000) < 300);
    cr_expect(abs(count[CHARACTER_VANISHING] - 4000) < 300);
    cr_expect(abs(count[CHARACTER_SLOW] - 6000) < 300);
    cr_expect(abs(count[CHARACTER_HONEST] - 8000) < 300);
}

Test(schedule, without_shares_all_are_honest)
{
    struct shares none = {0};

    for (uint64_t i = 0; i < 2000; i++)
        cr_assert(character_of(&none, i) == CHARACTER_HONEST);
}
