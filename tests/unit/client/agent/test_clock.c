/* client/agent/clock: whose clock is wrong. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "client/agent/clock.h"

#define NOW  INT64_C(1700000000)
#define HOUR INT64_C(3600)

Test(clock, is_not_off_unless_the_server_says_so)
{
    cr_expect(zero(i64, clock_off_s(0, NOW + 9 * HOUR, NOW)));
}

Test(clock, is_off_by_what_it_differs_now)
{
    cr_expect(eq(i64, clock_off_s(3 * HOUR, NOW + 3 * HOUR + 5, NOW), 3 * HOUR + 5));
    cr_expect(eq(i64, clock_off_s(-3 * HOUR, NOW - 3 * HOUR, NOW), -3 * HOUR));
}

Test(clock, is_good_where_a_visit_was_made_long_before_it_arrived)
{
    cr_expect(zero(i64, clock_off_s(-10 * HOUR, NOW - 2, NOW)));
}

Test(clock, is_good_once_it_was_set_right)
{
    cr_expect(zero(i64, clock_off_s(3 * HOUR, NOW, NOW)));
    cr_expect(zero(i64, clock_off_s(3 * HOUR, NOW - 3 * HOUR, NOW)));
}

static void expect_words(int64_t off_s, const char *words)
{
    char said[WHY_MAX + 1];

    clock_words(off_s, said);
    cr_expect(eq(str, said, (char *)words));
}

Test(clock, is_named_with_the_unit_that_fits)
{
    expect_words(0, "");
    expect_words(660, "this computer's clock is 11 minutes ahead of the server's");
    expect_words(-7200, "this computer's clock is 2 hours behind the server's");
    expect_words(40 * 24 * HOUR, "this computer's clock is 40 days ahead of the server's");
}
