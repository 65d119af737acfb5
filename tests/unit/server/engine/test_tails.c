/* server/engine/tails: the last unit of a batch does not wait for the slowest host. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "server/engine/tails.h"
#include "tests/support/village.h"

enum { UNITS = 20 };

static struct village village;
static size_t ann, bob, slow, fast, snail;

static void declare_nothing(struct work_unit *unit)
{
    unit->declared_ops = 0;
}

/* Known hosts: a second a unit takes ann, fast and bob, an hour the other two. */
static void set_up(void)
{
    village_open(&village, NULL);
    ann = village_join(&village);
    fast = village_join(&village);
    bob = village_join(&village);
    slow = village_join(&village);
    snail = village_join(&village);
    village_change(&village, "UPDATE host SET agreed = 300");
    village_change(&village, "INSERT INTO allowance SELECT id, 1, 8192, 0, 0, pace, pace, 8 FROM"
                             " (SELECT id, CASE WHEN id < 4 THEN 1000000 ELSE 3600000000 END"
                             " AS pace FROM host)");
    village_add_units(&village, UNITS, declare_nothing);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(tails, .init = set_up, .fini = tear_down);

/* Wants one and holds one, or none (0). Returns what it got. */
static int64_t come(size_t host, int64_t held, int64_t cores)
{
    struct village_visit visit;
    int64_t task;

    village_visit_begin(&village, &visit, host);
    village_visit_want(&visit, 1);
    visit.request.host.cores = cores;
    if (held != 0)
        village_visit_hold(&visit, held);
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    task = visit.reply.grant_count > 0 ? visit.reply.grants[0].task : 0;
    village_visit_clear(&visit);
    return task;
}

/* All but `left` units are accepted; of these ann's copies are computed, and slow has one of
 * each, which it will have for hours. Returns the last that it got. */
static int64_t leave(size_t left)
{
    int64_t task = 0;

    for (size_t i = 0; i < UNITS; i++) {
        task = come(ann, 0, 1);
        cr_assert(task != 0);
        village_report(&village, ann, task, "right\n");
    }
    for (size_t i = left; i < UNITS; i++) {
        task = come(fast, 0, 1);
        cr_assert(task != 0);
        village_report(&village, fast, task, "right\n");
    }
    for (size_t i = 0; i < left; i++)
        task = come(slow, i == 0 ? 0 : task, 4);
    cr_assert(task != 0);
    return task;
}

static void let_pass(void)
{
    village_pass(&village, 1);
    village_pass(&village, 3);
}

static int64_t extras(void)
{
    return village_count(&village, "sum(extra) FROM unit");
}

Test(tails, an_idle_host_computes_the_last_unit_once_more)
{
    int64_t slows = leave(1), fasts;

    (void)come(slow, slows, 1);
    cr_assert(zero(i64, come(fast, 0, 1)));
    let_pass();
    cr_assert(eq(i64, extras(), 1));
    let_pass();
    cr_expect(eq(i64, extras(), 1), "one, not more");
    cr_expect(eq(i64, engine_counts(village.engine).last_copies, 1));
    fasts = come(fast, 0, 1);
    cr_assert(fasts != 0);
    village_report(&village, fast, fasts, "right\n");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM unit WHERE state = 4"), UNITS));
    village_report(&village, slow, slows, "right\n");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE credit = 0"), 0),
              "who was slow is paid, too");
}

Test(tails, the_slowest_get_none_of_these)
{
    (void)come(slow, leave(1), 1);
    (void)come(fast, 0, 1);
    let_pass();
    cr_assert(eq(i64, extras(), 1));
    cr_expect(zero(i64, come(snail, 0, 1)));
    cr_expect(come(fast, 0, 1) != 0);
}

Test(tails, none_while_more_than_a_tenth_is_left)
{
    (void)come(slow, leave(3), 4);
    (void)come(fast, 0, 1);
    let_pass();
    cr_expect(zero(i64, extras()));
}

Test(tails, none_while_nobody_is_idle_who_suits)
{
    (void)come(slow, leave(1), 1);
    (void)come(snail, 0, 1);
    let_pass();
    cr_expect(zero(i64, extras()));
}

Test(tails, none_where_the_host_will_be_done_soon)
{
    int64_t slows = leave(1);

    village_change(&village, "UPDATE allowance SET pace = CASE WHEN pace > 1000000000 THEN"
                             " 150000000 ELSE 100000000 END");
    village_change(&village, "UPDATE allowance SET usual_pace = pace");
    (void)come(ann, 0, 1); /* so that it is known */
    (void)come(slow, slows, 1);
    (void)come(fast, 0, 1);
    let_pass();
    cr_expect(zero(i64, extras()));
}

/* Each visit says that it runs, and never how far it is. */
Test(tails, a_copy_on_a_host_that_visits_often_is_late_all_the_same)
{
    int64_t slows = leave(1);

    village_change(&village, "UPDATE allowance SET pace = CASE WHEN pace > 1000000000 THEN"
                             " 150000000 ELSE 100000000 END");
    village_change(&village, "UPDATE allowance SET usual_pace = pace");
    (void)come(ann, 0, 1); /* so that it is known */
    for (int minute = 0; minute < 8; minute++) {
        (void)come(slow, slows, 1);
        village_pass(&village, 60);
    }
    (void)come(slow, slows, 1);
    (void)come(fast, 0, 1);
    let_pass();
    cr_expect(eq(i64, extras(), 1));
}

/* What they take, in seconds; the usual host is one of `most`. */
static void set_paces(int most_s, int fast_s, int slow_s)
{
    CLEANUP(freep)
    char *sql = text_format("UPDATE allowance SET pace = 1000000 * CASE host WHEN %zu THEN %d"
                            " WHEN %zu THEN %d ELSE %d END",
                            fast + 1, fast_s, slow + 1, slow_s, most_s);

    village_change(&village, sql);
    village_change(&village, "UPDATE allowance SET usual_pace = pace");
    (void)come(ann, 0, 1); /* so that it is known */
    (void)come(bob, 0, 1);
    (void)come(snail, 0, 1);
}

/* Measured before: the last round of the slow hosts decided, for the usual host takes no less than
 * half of it. */
Test(tails, what_it_takes_the_idle_host_counts_and_not_the_usual_one)
{
    int64_t slows = leave(1);

    set_paces(100, 30, 150);
    (void)come(slow, slows, 1);
    let_pass();
    cr_assert(zero(i64, extras()), "by those who are idle it would not be worth it");
    (void)come(fast, 0, 1);
    (void)come(slow, slows, 1);
    village_pass(&village, 35);
    let_pass();
    cr_assert(eq(i64, extras(), 1));
    cr_expect(zero(i64, come(bob, 0, 1)), "it is for the fast one");
    cr_expect(come(fast, 0, 1) != 0);
}

/* The slow host runs the task, and says how far it is. */
static void tell(int64_t task, int permille, int64_t busy_ms)
{
    struct village_visit visit;

    village_visit_begin(&village, &visit, slow);
    village_visit_hold(&visit, task);
    visit.held[0].progress_permille = permille;
    visit.held[0].busy_ms = busy_ms;
    visit.request.host.cores = 1;
    cr_assert(eq(int, village_visit_make(&village, &visit, slow), STATUS_OK));
    village_visit_clear(&visit);
}

/* One that is twenty times as long as usual looks like any other for as long as that takes. */
Test(tails, a_long_unit_is_known_by_its_progress)
{
    int64_t slows = leave(1);

    set_paces(100, 30, 100);
    (void)come(slow, slows, 1);
    village_pass(&village, 60);
    (void)come(fast, 0, 1);
    tell(slows, 600, 60000);
    let_pass();
    cr_assert(zero(i64, extras()), "it will be done in 40 s");
    village_pass(&village, 30);
    (void)come(fast, 0, 1);
    tell(slows, 50, 90000);
    village_pass(&village, 32); /* it has been looked at before */
    let_pass();
    cr_expect(eq(i64, extras(), 1), "it will be done in half an hour");
    cr_expect(zero(i64, come(bob, 0, 1)), "bob would take as long from the start");
    cr_expect(come(fast, 0, 1) != 0);
}

Test(tails, a_late_copy_that_is_nearly_done_is_waited_for)
{
    int64_t slows = leave(1);

    set_paces(100, 30, 100);
    (void)come(slow, slows, 1);
    village_pass(&village, 300);
    (void)come(fast, 0, 1);
    tell(slows, 950, 300000);
    let_pass();
    cr_expect(zero(i64, extras()));
}

/* Else a unit that it wants to itself has no other copy before its deadline. */
Test(tails, what_a_host_says_it_ran_is_bounded_by_when_it_was_granted)
{
    int64_t slows = leave(1);

    set_paces(100, 30, 100);
    (void)come(slow, slows, 1);
    for (int minute = 0; minute < 20; minute++) {
        village_pass(&village, 60);
        tell(slows, 5, SCHEDULER_SPAN_MAX_MS - minute);
    }
    (void)come(fast, 0, 1);
    village_pass(&village, 32); /* it has been looked at before */
    let_pass();
    cr_expect(eq(i64, extras(), 1));
}

/* Its owner used the machine meanwhile: how long the unit is does not follow from that. */
Test(tails, a_copy_that_is_suspended_does_not_make_its_unit_longer)
{
    int64_t slows = leave(1);

    set_paces(100, 100, 100);
    (void)come(slow, slows, 1);
    village_pass(&village, 1000);
    (void)come(fast, 0, 1);
    tell(slows, 500, 50000);
    let_pass();
    cr_expect(eq(i64, extras(), 1));
    cr_expect(come(bob, 0, 1) != 0, "it takes him 100 s");
}

/* Its owner uses the machine: what was nearly done stays so. */
Test(tails, a_copy_that_stands_still_is_not_nearly_done)
{
    int64_t slows = leave(1), fasts;

    set_paces(100, 30, 100);
    (void)come(slow, slows, 1);
    for (int minute = 0; minute < 20; minute++) {
        village_pass(&village, 60);
        tell(slows, 950, 95000);
    }
    fasts = come(fast, 0, 1);   /* somebody else who is idle may have had it made */
    village_pass(&village, 32); /* it has been looked at before */
    let_pass();
    cr_expect(fasts != 0 || extras() == 1);
}

/* Which of those who are idle makes it decides when the batch ends. */
Test(tails, a_last_copy_is_left_to_the_host_that_ends_it_first)
{
    int64_t slows = leave(1);

    set_paces(100, 30, 150);
    (void)come(slow, slows, 1);
    village_pass(&village, 60);
    tell(slows, 25, 60000);
    (void)come(fast, 0, 1);
    (void)come(bob, 0, 1);
    village_pass(&village, 32); /* it has been looked at before */
    let_pass();
    cr_assert(eq(i64, extras(), 1), "39 minutes are left");
    cr_expect(zero(i64, come(bob, 0, 1)), "he would be done in 27");
    cr_expect(come(fast, 0, 1) != 0, "in eight");
}

/* Else whoever reports once that it took no time keeps last copies from all others. */
Test(tails, a_last_copy_is_left_to_no_host_that_may_not_have_it)
{
    CLEANUP(freep)
    char *stranger = text_format("UPDATE host SET agreed = 9 WHERE id = %zu", fast + 1);
    int64_t slows = leave(1);

    set_paces(100, 30, 150);
    village_change(&village, stranger);
    (void)come(slow, slows, 1);
    village_pass(&village, 60);
    tell(slows, 25, 60000);
    (void)come(fast, 0, 1);
    (void)come(bob, 0, 1);
    village_pass(&village, 32); /* it has been looked at before */
    let_pass();
    cr_assert(eq(i64, extras(), 1));
    cr_expect(zero(i64, come(fast, 0, 1)));
    cr_expect(come(bob, 0, 1) != 0);
}

enum { GONE_S = 1800 };

/* Measured before: where the second host left, too, nothing followed until the deadline. */
Test(tails, a_last_copy_whose_host_left_is_replaced)
{
    int64_t slows = leave(1);

    (void)come(slow, slows, 1);
    (void)come(fast, 0, 1);
    let_pass();
    cr_assert(come(fast, 0, 1) != 0);
    village_pass(&village, GONE_S);
    (void)come(slow, slows, 1);
    (void)come(bob, 0, 1);
    let_pass();
    cr_assert(eq(i64, extras(), 1));
    cr_expect(come(bob, 0, 1) != 0);
}

/* Work for as many cores as it has tasks then. */
static void take(size_t host, int64_t count)
{
    struct village_visit visit;

    village_visit_begin(&village, &visit, host);
    village_visit_want(&visit, count);
    visit.request.host.cores = count;
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    cr_assert(eq(sz, visit.reply.grant_count, (size_t)count));
    village_visit_clear(&visit);
}

Test(tails, those_that_have_one_keep_no_others_out)
{
    village_add_units(&village, 9 * UNITS, declare_nothing);
    for (size_t i = 0; i < 10 * UNITS; i++)
        village_report(&village, ann, come(ann, 0, 1), "right\n");
    for (size_t i = 0; i < 9 * UNITS; i++)
        village_report(&village, fast, come(fast, 0, 1), "right\n");
    take(slow, UNITS / 2);
    take(snail, UNITS / 2);
    (void)come(bob, 0, 1); /* so that the usual host is a fast one */
    (void)come(fast, 0, 1);
    let_pass();
    let_pass();
    cr_expect(eq(i64, extras(), UNITS * 4 / 5), "of a tenth of the units, 4 %% of their copies");
}

/* Measured before: a batch waited three days for the deadline of what a host had that left. */
Test(tails, what_a_host_has_that_left_is_replaced_however_much_is_left)
{
    for (size_t i = 0; i < UNITS; i++)
        village_report(&village, ann, come(ann, 0, 1), "right\n");
    for (size_t i = 10; i < UNITS; i++)
        village_report(&village, fast, come(fast, 0, 1), "right\n");
    take(slow, 10);
    village_pass(&village, GONE_S);
    cr_assert(zero(i64, come(fast, 0, 1)));
    let_pass();
    cr_expect(eq(i64, extras(), 8), "a fifth of the copies at a time");
    cr_expect(come(fast, 0, 1) != 0);
}

/* The fast hosts are few: they are to have what the batch waits for longest. */
Test(tails, those_with_most_left_come_first)
{
    struct engine *engine = must_alloc(1, sizeof *engine);
    const struct cycle cycle = {.engine = engine, .clock = {.up_s = 100}};
    const struct tail soon = {.unit = 7, .batch = 1, .alive = 1, .ends_up_ms = 200000};
    const struct tail late = {.unit = 9, .batch = 1, .alive = 1, .ends_up_ms = 900000};
    const struct tail also_late = {.unit = 8, .batch = 1, .alive = 1, .ends_up_ms = 600000};
    int64_t units[] = {5, 7, 8, 6, 9};
    const int64_t sorted[] = {8, 9, 5, 7, 6};

    tails_remember(&engine->tails, &soon);
    tails_remember(&engine->tails, &late);
    tails_remember(&engine->tails, &also_late);
    tails_sort(&cycle, units, 5);
    for (size_t i = 0; i < 5; i++)
        cr_expect(eq(i64, units[i], sorted[i]), "%zu", i);
    tails_clear(&engine->tails);
    free(engine);
}
