/* server/policy/silence: when others get a copy of what a host has that does not come. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/returning.h"
#include "server/policy/silence.h"

#define HOUR   INT64_C(3600)
#define NOW_UP INT64_C(5000)

_Static_assert(SILENCE_AWAY_S >= 24 * RETURNING_MOST_S, "by a large factor, and some hours");

Test(silence, is_not_that_of_a_host_that_comes_once_a_day)
{
    cr_expect(not(silence_is_host_silent(NOW_UP, NOW_UP + 25 * HOUR)), "visit_interval: a day");
}

Test(silence, begins_after_more_than_a_day_of_running)
{
    cr_expect(not(silence_is_host_silent(NOW_UP, NOW_UP + SILENCE_AWAY_S - 1)));
    cr_expect(silence_is_host_silent(NOW_UP, NOW_UP + SILENCE_AWAY_S));
}

/* Another server's up-time may be a second ahead of this one's. */
Test(silence, is_not_of_a_host_that_was_seen_later_than_now)
{
    cr_expect(not(silence_is_host_silent(NOW_UP + HOUR, NOW_UP)));
}
