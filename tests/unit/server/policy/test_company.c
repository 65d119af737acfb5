/* server/policy/company: those who come together wait for each other, and nobody else waits. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/company.h"

enum { MOST_MS = 24 };

/* How long visits wait in all of which `first` are there and `each` come from look to look. */
static int64_t wait_in_all(size_t first, size_t before, size_t each, int64_t most_ms)
{
    struct company_facts facts = {.waiting = first, .before = before, .most_ms = most_ms};
    int64_t wait_ms = company_wait_ms(&facts);

    for (int i = 0; i < 1000 && wait_ms > 0; i++) {
        facts.waited_ms += wait_ms;
        facts.came = each;
        facts.waiting += each;
        wait_ms = company_wait_ms(&facts);
    }
    cr_expect(zero(i64, wait_ms), "it ends");
    return facts.waited_ms;
}

Test(company, a_lone_visit_waits_for_nobody)
{
    cr_expect(zero(i64, wait_in_all(1, 0, 5, MOST_MS)));
    cr_expect(zero(i64, wait_in_all(1, 1, 5, MOST_MS)), "nor one that follows another");
}

Test(company, visits_that_keep_coming_wait_for_each_other_as_long_as_configured)
{
    cr_expect(eq(i64, wait_in_all(2, 0, 1, MOST_MS), MOST_MS));
    cr_expect(eq(i64, wait_in_all(1, 2, 1, MOST_MS), MOST_MS), "there was company just before");
    cr_expect(eq(i64, wait_in_all(2, 0, 1, 25), 25), "also if that is no multiple of a step");
    cr_expect(eq(i64, wait_in_all(2, 0, 1, 1), 1));
}

Test(company, nobody_waits_on_when_nobody_came)
{
    cr_expect(eq(i64, wait_in_all(2, 9, 0, MOST_MS), MOST_MS / COMPANY_LOOKS));
}

Test(company, enough_is_enough)
{
    cr_expect(zero(i64, wait_in_all(COMPANY_ENOUGH, 100, 5, MOST_MS)));
    cr_expect(eq(i64, wait_in_all(COMPANY_ENOUGH - 1, 100, 1, MOST_MS), MOST_MS / COMPANY_LOOKS));
}

Test(company, a_site_may_want_no_waiting)
{
    cr_expect(zero(i64, wait_in_all(5, 5, 5, 0)));
}
