/* server/policy/fairness: shares follow weights, and nobody starves. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/fairness.h"

enum { BATCHES = 3, GRANTS = 7000 };

Test(fairness, two_steps_of_priority_double_a_share)
{
    struct fairness_batch batches[BATCHES] = {{.priority = 0}, {.priority = 2}, {.priority = 4}};
    int granted[BATCHES] = {0};

    for (int i = 0; i < GRANTS; i++) {
        size_t turn = 0;

        for (size_t b = 1; b < BATCHES; b++)
            if (fairness_compare(&batches[b], &batches[turn]) < 0)
                turn = b;
        granted[turn]++;
        batches[turn].virtual_time =
            fairness_charge(batches[turn].virtual_time, 10, batches[turn].priority);
    }
    cr_expect(ge(int, granted[0], 990));
    cr_expect(le(int, granted[0], 1010));
    cr_expect(ge(int, granted[1], 1990));
    cr_expect(le(int, granted[1], 2010));
}

Test(fairness, a_newcomer_neither_starves_others_nor_is_starved)
{
    cr_expect(eq(i64, fairness_enter(0, 5000), 5000));
    cr_expect(eq(i64, fairness_enter(7000, 5000), 7000));
}

Test(fairness, among_equals_the_nearer_need_is_first)
{
    struct fairness_batch soon = {.needed_by_s = 100}, late = {.needed_by_s = 200}, never = {0};

    cr_expect(lt(int, fairness_compare(&soon, &late), 0));
    cr_expect(lt(int, 0, fairness_compare(&never, &late)));
    soon.virtual_time = 5000;
    cr_expect(lt(int, 0, fairness_compare(&soon, &never)), "need does not beat fairness");
}

Test(fairness, absurd_costs_do_not_overflow)
{
    cr_expect(lt(i64, 0, fairness_charge(0, INT64_MAX, 10)));
    cr_expect(lt(i64, 0, fairness_charge(0, INT64_MAX, -10)));
}
