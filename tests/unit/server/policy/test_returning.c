/* server/policy/returning: later and later, and never all at once. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/returning.h"

static int64_t delay(int64_t least, int64_t empty, uint32_t random)
{
    return returning_delay_s(&(struct returning_facts){
        .least_s = least, .soon_s = 5, .empty_visits = empty, .random = random});
}

Test(returning, waits_double_up_to_an_hour)
{
    static const int64_t most[] = {60, 120, 240, 480, 960, 1920, 3600, 3600};

    for (int i = 0; i < 8; i++) {
        cr_expect(eq(i64, delay(60, i + 1, UINT32_MAX), most[i]));
        cr_expect(eq(i64, delay(60, i + 1, 0), i == 0 ? 60 : most[i] / 2));
    }
    cr_expect(eq(i64, delay(60, 1000000, UINT32_MAX), 3600));
}

/* Not in an hour, however often it came. */
Test(returning, a_host_that_has_its_share_comes_back_when_it_will_be_idle)
{
    struct returning_facts facts = {
        .least_s = 60, .soon_s = 5, .empty_visits = 9, .has_share = true, .idle_in_s = 100};

    cr_expect(eq(i64, returning_delay_s(&facts), 100));
    facts.random = UINT32_MAX;
    cr_expect(eq(i64, returning_delay_s(&facts), 105));
    facts.idle_in_s = 1;
    cr_expect(eq(i64, returning_delay_s(&facts), 10));
    facts.idle_in_s = 100000;
    cr_expect(eq(i64, returning_delay_s(&facts), RETURNING_SHARE_MOST_S + 5));
}

Test(returning, a_host_that_got_work_may_come_for_more_when_it_has_done_it)
{
    struct returning_facts facts = {.least_s = 60, .soon_s = 5, .was_granted = true};

    cr_expect(eq(i64, returning_delay_s(&facts), 5));
    facts.random = UINT32_MAX;
    cr_expect(eq(i64, returning_delay_s(&facts), 10));
    facts.least_s = 1;
    cr_expect(eq(i64, returning_delay_s(&facts), 2), "a small site may be quicker");
}

Test(returning, a_host_that_wanted_nothing_comes_back_soon_but_jittered)
{
    cr_expect(eq(i64, delay(30, 0, 0), 30));
    cr_expect(eq(i64, delay(30, 0, UINT32_MAX), 60));
    cr_expect(eq(i64, delay(1, 3, UINT32_MAX), 4), "a small site may be quicker");
}
