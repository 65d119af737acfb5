/* server/api/budget: how often somebody may do something. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "server/api/budget.h"

static const struct budget_rate twenty_an_hour = {.burst = 20, .period_ms = 3600000};

static int spend_all(struct budget *budget, const char *subject, int64_t now_ms)
{
    int count = 0;

    while (count < 1000 && budget_spend(budget, subject, now_ms, 0, NULL) == STATUS_OK)
        count++;
    return count;
}

Test(budget, a_burst_is_had_at_once_and_no_more)
{
    struct budget *budget = budget_new(&twenty_an_hour, 64, 1);

    cr_expect(eq(int, spend_all(budget, "a", 1000), 20));
    cr_expect(eq(int, spend_all(budget, "a", 1000), 0));
    cr_expect(eq(int, spend_all(budget, "b", 1000), 20));
    budget_free(budget);
}

/* Regression: a new subject's bucket was taken for one that nobody had used since time 0. */
Test(budget, a_burst_is_no_larger_long_after_the_machine_started)
{
    struct budget *budget = budget_new(&twenty_an_hour, 64, 1);

    cr_expect(eq(int, spend_all(budget, "a", INT64_C(1) << 40), 20));
    budget_free(budget);
}

Test(budget, it_refills_evenly_and_never_above_the_burst)
{
    struct budget *budget = budget_new(&twenty_an_hour, 64, 1);

    (void)spend_all(budget, "a", 0);
    cr_expect(eq(int, spend_all(budget, "a", 179000), 0));
    cr_expect(eq(int, spend_all(budget, "a", 180000), 1));
    cr_expect(eq(int, spend_all(budget, "a", 540000), 2));
    cr_expect(eq(int, spend_all(budget, "a", INT64_C(1) << 40), 20));
    budget_free(budget);
}

Test(budget, who_is_refused_is_told_when_to_come_back_with_jitter)
{
    struct budget *budget = budget_new(&twenty_an_hour, 64, 1);
    struct error plain = {0};
    struct error jittered = {0};

    (void)spend_all(budget, "a", 0);
    cr_expect(eq(int, budget_spend(budget, "a", 0, 0, &plain), STATUS_LIMITED));
    cr_expect(eq(int, budget_spend(budget, "a", 0, 1023, &jittered), STATUS_LIMITED));
    cr_expect(ge(i64, plain.retry_after_s, 180));
    cr_expect(le(i64, plain.retry_after_s, 182));
    cr_expect(lt(i64, plain.retry_after_s + 60, jittered.retry_after_s));
    cr_expect(eq(int, spend_all(budget, "a", plain.retry_after_s * 1000), 1));
    budget_free(budget);
}

Test(budget, a_full_table_forgets_and_stays_as_it_is)
{
    struct budget *budget = budget_new(&twenty_an_hour, 64, 7);
    int refused = 0;

    for (int i = 0; i < 100000; i++) {
        char subject[16];

        (void)snprintf(subject, sizeof subject, "%d", i);
        refused += budget_spend(budget, subject, i, 0, NULL) != STATUS_OK;
    }
    cr_expect(zero(int, refused));
    cr_expect(eq(int, spend_all(budget, "99999", 100000), 19));
    budget_free(budget);
}
