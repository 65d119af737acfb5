/* server/engine: another copy on request. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/support/village.h"

static struct village village;
static size_t ann, bob, eve, joe;

static void set_up(void)
{
    village_open(&village, NULL);
    ann = village_join(&village);
    bob = village_join(&village);
    eve = village_join(&village);
    joe = village_join(&village);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(again, .init = set_up, .fini = tear_down);

/* Of the unit added last. */
static enum status ask_for_unit(void)
{
    struct command command = {.kind = COMMAND_BATCH_ACTION,
                              .action = {.batch = village.batch, .action = ACTION_AGAIN}};
    int64_t id = village_count(&village, "max(id) FROM unit");
    struct work_request request = {.units = &id, .unit_count = 1};
    struct store *store = village.store.store;
    struct work_set set = {0};

    cr_assert(eq(int, store->work->load(store, &request, &set, NULL), STATUS_OK));
    command.action.unit = set.units[0].digest;
    work_set_clear(&set);
    return village_run(&village, &command);
}

static int64_t wanted(void)
{
    return village_count(&village, "sum(copies_wanted) FROM unit");
}

Test(again, a_third_host_has_the_copy_and_the_first_that_agree_are_accepted)
{
    int64_t anns, bobs, eves;

    village_add_units(&village, 1, NULL);
    anns = village_get(&village, ann);
    bobs = village_get(&village, bob);
    cr_assert(zero(i64, village_get(&village, eve)));
    cr_assert(eq(int, ask_for_unit(), STATUS_OK));
    eves = village_get(&village, eve);
    cr_assert(eves != 0);
    cr_expect(zero(i64, village_get(&village, joe)), "one, not more");
    village_report(&village, ann, anns, "right\n");
    village_report(&village, eve, eves, "right\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
    village_report(&village, bob, bobs, "right\n");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE credit > 0"), 3));
}

Test(again, asking_twice_before_a_host_took_it_is_asking_once)
{
    village_add_units(&village, 1, NULL);
    cr_expect(eq(int, ask_for_unit(), STATUS_OK), "copies wait already");
    cr_expect(eq(i64, wanted(), 2));
    cr_assert(village_get(&village, ann) != 0 && village_get(&village, bob) != 0);
    cr_expect(eq(int, ask_for_unit(), STATUS_OK));
    cr_expect(eq(int, ask_for_unit(), STATUS_OK));
    cr_expect(eq(i64, wanted(), 1));
}

/* The copy that was asked for besides is not lost with one that failed, nor made twice. */
Test(again, a_copy_that_the_agreement_needs_goes_first)
{
    int64_t anns;

    village_add_units(&village, 1, NULL);
    anns = village_get(&village, ann);
    cr_assert(0 != anns && 0 != village_get(&village, bob));
    cr_assert(eq(int, ask_for_unit(), STATUS_OK));
    village_fail(&village, ann, anns);
    cr_expect(eq(i64, wanted(), 2));
    cr_assert(village_get(&village, eve) != 0);
    cr_expect(eq(i64, village_count(&village, "extra FROM unit"), 1));
    cr_assert(village_get(&village, joe) != 0);
    cr_expect(zero(i64, wanted()));
    cr_expect(zero(i64, village_count(&village, "extra FROM unit")));
}

static void make_two_at_most(struct work_unit *unit)
{
    unit->acceptance.max_tasks = 2;
}

Test(again, what_cannot_have_another_copy_says_so)
{
    int64_t anns, bobs;

    village_add_units(&village, 1, make_two_at_most);
    anns = village_get(&village, ann);
    bobs = village_get(&village, bob);
    cr_expect(eq(int, ask_for_unit(), STATUS_GONE), "it may have two");
    village_report(&village, ann, anns, "right\n");
    village_report(&village, bob, bobs, "right\n");
    cr_expect(eq(int, ask_for_unit(), STATUS_GONE), "it has ended");
    village_open_batch(&village, "second", 0);
    cr_expect(eq(int, ask_for_unit(), STATUS_NOT_FOUND), "it is of another batch");
    cr_expect(zero(i64, wanted()));
}

Test(again, of_a_batch_all_that_are_computed_have_another_and_a_restart_changes_nothing)
{
    village_add_units(&village, 3, NULL);
    for (int i = 0; i < 2; i++) {
        struct village_visit visit;

        village_visit_begin(&village, &visit, i == 0 ? ann : bob);
        village_visit_want(&visit, 3);
        cr_assert(eq(int, village_visit_make(&village, &visit, i == 0 ? ann : bob), STATUS_OK));
        cr_assert(eq(sz, visit.reply.grant_count, 3));
        village_visit_clear(&visit);
    }
    village_add_units(&village, 1, NULL);
    cr_assert(eq(int, village_act(&village, ACTION_AGAIN), STATUS_OK));
    village_restart(&village);
    village_pass(&village, 2);
    cr_expect(eq(i64, wanted(), 2 + 3));
    cr_expect(zero(i64, village_count(&village, "begun FROM batch")));
    village_restart(&village);
    village_pass(&village, 2);
    cr_expect(eq(i64, wanted(), 2 + 3), "it is done once");
}
