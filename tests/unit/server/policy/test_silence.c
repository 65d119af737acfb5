/* server/policy/silence: when others get a copy of what a host has that does not come. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/returning.h"
#include "server/policy/silence.h"

#define HOUR INT64_C(3600)
#define NOW  INT64_C(1700000000)

_Static_assert(SILENCE_AWAY_S >= 24 * RETURNING_MOST_S, "by a large factor, and some hours");

static bool is_silent(int64_t away_s, int64_t ran_s)
{
    const struct silence_facts facts = {
        .seen_s = NOW - away_s, .now_s = NOW, .up_since_s = 5000, .up_now_s = 5000 + ran_s};

    return silence_is_host_silent(&facts);
}

Test(silence, begins_after_more_than_a_day)
{
    cr_expect(not(is_silent(25 * HOUR, 40 * HOUR)), "visit_interval may be a day");
    cr_expect(not(is_silent(SILENCE_AWAY_S - 1, 40 * HOUR)));
    cr_expect(is_silent(SILENCE_AWAY_S, 40 * HOUR));
}

Test(silence, is_not_what_a_server_did_not_hear_that_was_down)
{
    cr_expect(not(is_silent(300 * HOUR, 1 * HOUR)));
    cr_expect(not(is_silent(300 * HOUR, SILENCE_RUN_S - 1)));
    cr_expect(is_silent(300 * HOUR, SILENCE_RUN_S));
}

Test(silence, is_not_of_a_host_that_was_seen_in_the_future)
{
    cr_expect(not(is_silent(-HOUR, 40 * HOUR)));
}
