/* server/policy/allowance: trust is earned, and lost faster than it is earned. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/allowance.h"

Test(allowance, a_new_host_has_one_task_per_slot)
{
    struct allowance_facts fresh = {0};

    cr_expect(eq(i64, allowance_left(&fresh, 20000, 2, 0), 2));
    cr_expect(eq(i64, allowance_left(&fresh, 20000, 2, 1), 1));
    cr_expect(eq(i64, allowance_left(&fresh, 20000, 2, 5), 0));
}

Test(allowance, who_is_proven_elsewhere_starts_as_after_the_first_agreed_result)
{
    cr_expect(zero(i64, allowance_first(0)));
    cr_expect(zero(i64, allowance_first(ALLOWANCE_PROVEN - 1)));
    cr_expect(eq(i64, allowance_first(ALLOWANCE_PROVEN), ALLOWANCE_START_PER_DAY));
    cr_expect(eq(i64, allowance_first(ALLOWANCE_MOST_PER_DAY), ALLOWANCE_START_PER_DAY));
}

Test(allowance, failures_halve_it_down_to_one_and_agreement_doubles_it)
{
    struct allowance_facts facts = {0};

    facts = allowance_after_end(&facts, ALLOWANCE_FAILED);
    cr_expect(eq(i64, facts.per_day, 0), "a new host stays new");
    facts = allowance_after_end(&facts, ALLOWANCE_AGREED);
    cr_expect(eq(i64, facts.per_day, ALLOWANCE_START_PER_DAY));
    for (int i = 0; i < 20; i++)
        facts = allowance_after_end(&facts, ALLOWANCE_FAILED);
    cr_expect(eq(i64, facts.per_day, 1));
    for (int i = 0; i < 80; i++)
        facts = allowance_after_end(&facts, ALLOWANCE_AGREED);
    cr_expect(eq(i64, facts.per_day, ALLOWANCE_MOST_PER_DAY));
}

Test(allowance, a_day_s_use_ends_with_the_day)
{
    struct allowance_facts facts = {.per_day = 10, .day = 20000, .used = 9};

    cr_expect(eq(i64, allowance_left(&facts, 20000, 1, 3), 1));
    facts = allowance_after_grant(&facts, 20000, 1);
    cr_expect(eq(i64, allowance_left(&facts, 20000, 1, 4), 0));
    cr_expect(eq(i64, allowance_left(&facts, 20001, 1, 4), 10));
    facts = allowance_after_grant(&facts, 20001, 4);
    cr_expect(eq(i64, facts.used, 4));
    facts = allowance_after_withdrawal(&facts, 20001);
    cr_expect(eq(i64, facts.used, 3), "what was taken back is not used up");
    facts = allowance_after_withdrawal(&facts, 20000);
    cr_expect(eq(i64, facts.used, 3), "but that of another day is over");
    facts = allowance_after_return(&facts, 20001);
    cr_expect(eq(i64, facts.used, 4), "it was begun");
    facts = allowance_after_return(&facts, 20000);
    cr_expect(eq(i64, facts.used, 4));
}
