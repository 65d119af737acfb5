/* server/policy/horizon: who would end last leaves what waits to others, and not for ever. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/horizon.h"

static bool is_about(int64_t value_ms, int64_t expected_ms)
{
    return value_ms >= expected_ms && value_ms - expected_ms <= expected_ms / 100 + 4;
}

Test(horizon, table)
{
    static const struct {
        const char *what;
        struct horizon_slot slots[4];
        size_t count;
        int64_t copies, length_ms, expected_ms;
    } cases[] = {
        {"one slot, one after the other", {{0, 1000}}, 1, 3, 60000, 180000},
        {"slots alike", {{0, 1000}, {0, 1000}}, 2, 4, 60000, 120000},
        {"a copy is not split", {{0, 1000}, {0, 1000}}, 2, 3, 60000, 120000},
        {"the fast one does both sooner than the slow one does one",
         {{0, 2000}, {0, 400}},
         2,
         2,
         60000,
         60000},
        {"it is busy yet, and still sooner", {{50000, 2000}, {0, 400}}, 2, 2, 60000, 110000},
        {"each takes part when it is free", {{90000, 1000}, {0, 1000}}, 2, 3, 60000, 150000},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t found =
            horizon_ms(cases[i].slots, cases[i].count, cases[i].copies, cases[i].length_ms);

        cr_expect(is_about(found, cases[i].expected_ms), "%s: %lld", cases[i].what,
                  (long long)found);
    }
}

Test(horizon, nobody_is_there)
{
    static const struct horizon_slot none[1];

    cr_expect(eq(i64, horizon_ms(none, 0, 1, 1000), HORIZON_NEVER));
}

/* The largest numbers that a host may claim. */
Test(horizon, what_takes_years_is_never)
{
    static const struct horizon_slot slow[] = {{INT64_C(400) * 86400 * 1000, 62}};

    cr_expect(eq(i64, horizon_ms(slow, 1, 1000000000, INT64_C(400) * 86400 * 1000), HORIZON_NEVER));
}

Test(horizon, what_ends_in_time_is_taken)
{
    struct horizon_wait wait = {.since_ms = 1};

    cr_expect(not(horizon_leaves(&wait, 1000, 60000, 60000)));
    cr_expect(zero(i64, wait.since_ms), "and nothing is left to others any more");
    cr_expect(not(horizon_leaves(&wait, 1000, 60000, HORIZON_NEVER)));
}

Test(horizon, what_would_end_late_is_left_to_others_as_long_as_that_may_gain)
{
    struct horizon_wait wait = {0};

    cr_expect(horizon_leaves(&wait, 1000, 300000, 100000), "200 s are gained, and 25 borne");
    cr_expect(horizon_leaves(&wait, 181000, 300000, 100000), "they are late, but still sooner");
    cr_expect(not(horizon_leaves(&wait, 181000, 300000, 150000)), "180 waited, 150 gained");
    cr_expect(not(horizon_leaves(&wait, 231000, 300000, 100000)), "230 waited, 200 gained");
}
