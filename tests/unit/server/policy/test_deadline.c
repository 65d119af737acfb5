/* server/policy/deadline: up-time counts, and a clock that jumped is not believed. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/deadline.h"

#define YEAR_S (365 * INT64_C(86400))

static struct clock_facts after(int64_t wall_s, int64_t mono_s)
{
    return (struct clock_facts){.started_s = 50000000,
                                .started_mono_ms = 7000,
                                .now_s = 50000000 + wall_s,
                                .now_mono_ms = 7000 + mono_s * 1000,
                                .last_commit_s = 49999999};
}

static enum clock_judgement judge(struct clock_facts facts)
{
    return clock_judge(&facts);
}

Test(deadline, a_jump_either_way_is_seen)
{
    cr_expect(eq(int, judge(after(100, 100)), CLOCK_SOUND));
    cr_expect(eq(int, judge(after(100 + 3600, 100)), CLOCK_SOUND));
    cr_expect(eq(int, judge(after(100 + 3601, 100)), CLOCK_JUMPED));
    cr_expect(eq(int, judge(after(100 - 3601, 100)), CLOCK_JUMPED));
    cr_expect(eq(int, judge(after(YEAR_S, 100)), CLOCK_JUMPED));
    cr_expect(eq(int, judge(after(-YEAR_S, 100)), CLOCK_JUMPED));
}

Test(deadline, a_commit_in_the_future_is_seen_unless_somebody_vouched)
{
    struct clock_facts facts = after(0, 0);

    facts.last_commit_s = facts.now_s + 3601;
    cr_expect(eq(int, clock_judge(&facts), CLOCK_BEFORE_COMMIT));
    facts.is_confirmed = true;
    cr_expect(eq(int, clock_judge(&facts), CLOCK_SOUND));
}

Test(deadline, a_start_long_after_the_last_commit_is_seen_unless_somebody_vouched)
{
    struct clock_facts facts = after(0, 0);

    facts.last_commit_s = facts.started_s - CLOCK_MAX_STANDSTILL_S;
    cr_expect(eq(int, clock_judge(&facts), CLOCK_SOUND));
    facts.last_commit_s--;
    cr_expect(eq(int, clock_judge(&facts), CLOCK_LONG_AFTER_COMMIT));
    facts.is_confirmed = true;
    cr_expect(eq(int, clock_judge(&facts), CLOCK_SOUND));
    facts = after(0, 0);
    facts.last_commit_s = 0;
    cr_expect(eq(int, clock_judge(&facts), CLOCK_SOUND), "a new site");
}

Test(deadline, up_time_goes_on_over_a_restart_and_ignores_the_wall_clock)
{
    struct clock_facts facts = after(YEAR_S, 100);

    cr_expect(eq(i64, deadline_up_now(1000, &facts), 1100));
}

Test(deadline, a_task_ends_with_its_unit_at_the_latest)
{
    struct deadline deadline = deadline_of_task(600, 5000, 40, 1000);

    cr_expect(eq(i64, deadline.up_s, 640));
    cr_expect(eq(i64, deadline.wall_s, 1600));
    deadline = deadline_of_task(600, 1200, 40, 1000);
    cr_expect(eq(i64, deadline.wall_s, 1200));
    deadline = deadline_of_task(600, 900, 40, 1000);
    cr_expect(eq(i64, deadline.up_s, 40));
}
