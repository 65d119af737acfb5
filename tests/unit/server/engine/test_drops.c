/* server/engine: what hosts hold that is not wanted any more. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/support/village.h"

static struct village village;
static size_t ann, bob, eve;

static void set_up(void)
{
    village_open(&village, NULL);
    ann = village_join(&village);
    bob = village_join(&village);
    eve = village_join(&village);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(drops, .init = set_up, .fini = tear_down);

/* Holds it, so far: is it to be dropped? */
static size_t drops_of(size_t host, int64_t task, enum held_state held)
{
    struct village_visit visit;
    size_t count;

    village_visit_begin(&village, &visit, host);
    village_visit_hold(&visit, task);
    visit.held[0].state = held;
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    count = visit.reply.drop_count;
    village_visit_clear(&visit);
    return count;
}

Test(drops, finished_work_that_is_not_reported_yet_is_not_dropped)
{
    int64_t anns;

    village_add_units(&village, 1, NULL);
    anns = village_get(&village, ann);
    village_pass(&village, 3601);
    village_report(&village, bob, village_get(&village, bob), "42\n");
    village_report(&village, eve, village_get(&village, eve), "42\n");
    cr_assert(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
    cr_expect(eq(sz, drops_of(ann, anns, HELD_RUNNING), 1));
    cr_expect(eq(sz, drops_of(ann, anns, HELD_FINISHED), 0));
    village_report(&village, ann, anns, "42\n");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM journal WHERE kind = 12"), 3));
    cr_expect(eq(sz, drops_of(ann, anns, HELD_FINISHED), 1), "reported, and decided");
}

Test(drops, finished_work_of_a_cancelled_unit_is_dropped)
{
    int64_t anns;

    village_add_units(&village, 1, NULL);
    anns = village_get(&village, ann);
    cr_assert(eq(int, village_act(&village, ACTION_CANCEL), STATUS_OK));
    village_pass(&village, 1);
    cr_expect(eq(sz, drops_of(ann, anns, HELD_FINISHED), 1));
}

static void three_copies(struct work_unit *unit)
{
    unit->acceptance.quorum = 2;
    unit->acceptance.copies = 3;
}

/* Where it has begun it runs to its end, and earns its credit. */
Test(drops, a_copy_that_an_accepted_unit_has_too_many_is_withdrawn)
{
    int64_t anns, bobs, eves;

    village_add_units(&village, 1, three_copies);
    anns = village_get(&village, ann);
    bobs = village_get(&village, bob);
    eves = village_get(&village, eve);
    cr_assert(0 != anns && 0 != bobs && 0 != eves);
    village_report(&village, ann, anns, "42\n");
    village_report(&village, bob, bobs, "42\n");
    cr_assert(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 8"), 1));
    cr_expect(eq(sz, drops_of(eve, eves, HELD_RUNNING), 0));
    cr_expect(eq(sz, drops_of(eve, eves, HELD_WAITING), 1));
    village_report(&village, eve, eves, "42\n");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE credit > 0"), 3));
}

/* --- what its volunteer hands back --- */

static void hand_back(size_t host, int64_t task)
{
    struct village_visit visit;

    village_visit_begin(&village, &visit, host);
    (void)village_visit_failed(&village, &visit, task, VISIT_ABANDONED);
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    cr_expect(eq(int, visit.reply.acks[0].state, ACK_STORED));
    village_visit_clear(&visit);
}

Test(drops, a_copy_handed_back_goes_to_the_next_host_that_asks_and_is_nobodys_failure)
{
    int64_t anns, bobs, eves;

    village_add_units(&village, 1, NULL);
    anns = village_get(&village, ann);
    bobs = village_get(&village, bob);
    village_report(&village, ann, anns, "42\n");
    village_report(&village, bob, bobs, "42\n");
    cr_assert(eq(i64, village_count(&village, "min(per_day) FROM allowance"), 64));
    village_add_units(&village, 1, NULL);
    anns = village_get(&village, ann);
    bobs = village_get(&village, bob);
    cr_assert(anns != 0 && bobs != 0);
    cr_assert(eq(i64, village_get(&village, eve), 0));

    hand_back(ann, anns);
    eves = village_get(&village, eve);
    cr_expect(ne(i64, eves, 0), "at once, no deadline passed");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 9"), 1));
    cr_expect(eq(i64, village_count(&village, "sum(errors) FROM host"), 0));
    cr_expect(eq(i64, village_count(&village, "sum(failed_tasks) FROM batch"), 0));
    cr_expect(
        eq(i64, village_count(&village, "min(per_day) FROM allowance WHERE per_day > 0"), 64));
    village_report(&village, bob, bobs, "42\n");
    village_report(&village, eve, eves, "42\n");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM unit WHERE state = 4"), 2));
}

static void hand_back_unstarted(size_t host, int64_t task)
{
    struct village_visit visit;

    village_visit_begin(&village, &visit, host);
    *village_visit_failed(&village, &visit, task, VISIT_ABANDONED) =
        (struct scheduler_report){.task = task, .is_unstarted = true};
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    village_visit_clear(&visit);
}

/* Left, and attached again: by another key, for the old one was forgotten. */
Test(drops, a_volunteer_who_comes_again_gets_what_was_handed_back_unstarted)
{
    int64_t anns, bobs;
    size_t ann_again = village_join_as(&village, ann);

    village_add_units(&village, 1, NULL);
    anns = village_get(&village, ann);
    bobs = village_get(&village, bob);
    hand_back_unstarted(ann, anns);
    village_report(&village, bob, bobs, "42\n");

    anns = village_get(&village, ann_again);
    cr_assert(ne(i64, anns, 0));
    village_report(&village, ann_again, anns, "42\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
}

Test(drops, a_volunteer_who_had_begun_what_it_handed_back_does_not_get_it_again)
{
    int64_t anns;
    size_t ann_again = village_join_as(&village, ann);

    village_add_units(&village, 1, NULL);
    anns = village_get(&village, ann);
    hand_back(ann, anns);
    cr_expect(eq(i64, village_get(&village, ann_again), 0));
}
