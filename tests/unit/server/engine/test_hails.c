/* server/engine/hails: the bulletin's mark changes when there is work for somebody. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/hailing.h"
#include "tests/support/village.h"

static struct village village;
static size_t ann, bob;

static void set_up(void)
{
    village_open(&village, NULL);
    ann = village_join(&village);
    bob = village_join(&village);
    village_pass(&village, 1);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(hails, .init = set_up, .fini = tear_down);

static struct bulletin_work said(void)
{
    CLEANUP(project_parts_clear) struct project_parts parts;

    published_project(engine_published(village.engine), &parts);
    return parts.work;
}

/* How often the mark is changed while time goes on for so long. */
static int64_t changes_in(int64_t seconds)
{
    int64_t before = said().mark;

    for (int64_t i = 0; i < seconds; i++)
        village_pass(&village, 1);
    return said().mark - before;
}

#define QUIET (HAILING_UNKNOWN_S + HAILING_LEAST_S + 1)

Test(hails, the_mark_stays_while_nothing_waits)
{
    cr_expect(zero(i64, changes_in(QUIET)));
    cr_expect(eq(i64, said().look_s, village.config.look_s));
}

Test(hails, new_units_change_it_within_a_second_and_grants_and_reports_do_not)
{
    village_add_units(&village, 3, NULL);
    cr_expect(eq(i64, changes_in(1), 1));
    cr_expect(zero(i64, changes_in(QUIET)));
    village_report(&village, ann, village_get(&village, ann), "right\n");
    (void)village_get(&village, bob);
    (void)village_get(&village, bob);
    cr_expect(zero(i64, changes_in(QUIET)), "two of three units still wait");
    village_add_units(&village, 1, NULL);
    cr_expect(eq(i64, changes_in(1), 1));
}

Test(hails, a_copy_that_is_wanted_again_after_all_were_out_changes_it)
{
    int64_t anns;

    village_add_units(&village, 1, NULL);
    anns = village_get(&village, ann);
    (void)village_get(&village, bob);
    cr_assert(zero(i64, changes_in(QUIET)), "all are out already");
    village_fail(&village, ann, anns);
    cr_expect(eq(i64, changes_in(1), 1));
}

Test(hails, a_batch_that_is_held_changes_it_when_it_is_released)
{
    cr_assert(eq(int, village_act(&village, ACTION_HOLD), STATUS_OK));
    village_add_units(&village, 2, NULL);
    cr_expect(zero(i64, changes_in(QUIET)));
    cr_assert(eq(int, village_act(&village, ACTION_RELEASE), STATUS_OK));
    cr_expect(eq(i64, changes_in(1), 1));
}

static void valid_later(struct work_unit *unit)
{
    unit->not_before_s = village.env.now_s + 1000;
}

Test(hails, units_change_it_when_their_validity_begins)
{
    village_add_units(&village, 1, valid_later);
    cr_expect(zero(i64, changes_in(900)));
    cr_expect(eq(i64, changes_in(101), 1));
}

Test(hails, the_mark_outlives_the_server_and_what_waits_is_told_again)
{
    int64_t mark;

    village_add_units(&village, 1, NULL);
    cr_assert(eq(i64, changes_in(1), 1));
    mark = said().mark;
    village_restart(&village);
    cr_expect(eq(i64, said().mark, mark));
    cr_expect(eq(i64, changes_in(QUIET), 1));
    (void)village_get(&village, ann);
    (void)village_get(&village, bob);
    village_restart(&village);
    cr_expect(zero(i64, changes_in(QUIET)), "nothing waits");
    cr_expect(eq(i64, said().mark, mark + 1));
}
