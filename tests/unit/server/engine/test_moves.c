/* server/engine/moves: copies in the store of one host go to hosts that are idle. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/support/village.h"

enum { COPIES = 8 };

static struct village village;
static size_t ann, bob, eve, joe;

/* What a host holds; it has one core, and one of them has begun. */
struct store_of_work {
    int64_t tasks[64];
    size_t count;
    bool is_begun; /* the first */
};

static struct store_of_work anns, bobs, eves, joes;

static void declare_nothing(struct work_unit *unit)
{
    unit->declared_ops = 0;
}

/* Proven hosts of one core, which take a minute for a task. */
static void set_up(void)
{
    village_open(&village, NULL);
    ann = village_join(&village);
    bob = village_join(&village);
    eve = village_join(&village);
    joe = village_join(&village);
    village_change(&village, "UPDATE host SET agreed = 300");
    village_change(&village, "INSERT INTO allowance SELECT id, 1, 8192, 0, 0, 60000000, 60000000,"
                             " 8 FROM host");
    anns = bobs = eves = joes = (struct store_of_work){.is_begun = true};
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(moves, .init = set_up, .fini = tear_down);

static void drop(struct store_of_work *held, int64_t task)
{
    for (size_t i = 0; i < held->count; i++)
        if (held->tasks[i] == task)
            held->tasks[i] = held->tasks[--held->count];
}

/* What it was told to drop it drops. Returns how many that were. */
static size_t come(size_t host, struct store_of_work *held, int64_t want)
{
    struct village_visit visit;
    size_t drops;

    village_visit_begin(&village, &visit, host);
    for (size_t i = 0; i < held->count; i++) {
        village_visit_hold(&visit, held->tasks[i]);
        visit.held[i].state = i == 0 && held->is_begun ? HELD_RUNNING : HELD_WAITING;
        visit.held[i].progress_permille = i == 0 ? 0 : SCHEDULER_PROGRESS_UNSAID;
    }
    village_visit_want(&visit, want);
    visit.request.want_seconds = 7200;
    visit.request.host.cores = 1;
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    drops = visit.reply.drop_count;
    for (size_t i = 0; i < drops; i++) {
        cr_expect(eq(int, visit.reply.drops[i].why, DROP_MOVED));
        drop(held, visit.reply.drops[i].task);
    }
    for (size_t i = 0; i < visit.reply.grant_count; i++)
        held->tasks[held->count++] = visit.reply.grants[i].task;
    village_visit_clear(&visit);
    return drops;
}

/* Two have taken all that there is, and each has begun its first. */
static void hoard(void)
{
    village_add_units(&village, COPIES / 2, declare_nothing);
    (void)come(ann, &anns, COPIES);
    (void)come(bob, &bobs, COPIES);
    cr_assert(eq(sz, anns.count, COPIES / 2));
    cr_assert(eq(sz, bobs.count, COPIES / 2));
    (void)come(ann, &anns, 0);
    (void)come(bob, &bobs, 0);
}

static int64_t dropped(void)
{
    return village_count(&village, "count(*) FROM task WHERE state = 8");
}

static void let_move(void)
{
    village_pass(&village, 1);
    village_pass(&village, 2);
}

/* Measured before: twenty hosts idled for half an hour. */
Test(moves, idle_hosts_get_what_waits_with_others)
{
    hoard();
    (void)come(eve, &eves, 1);
    (void)come(joe, &joes, 1);
    cr_assert(zero(sz, eves.count + joes.count), "nothing waits for anybody");
    let_move();
    cr_expect(eq(i64, dropped(), 2), "as many as are idle");
    (void)come(eve, &eves, 1);
    (void)come(joe, &joes, 1);
    cr_expect(eq(sz, eves.count, 1));
    cr_expect(eq(sz, joes.count, 1));
    cr_expect(eq(sz, come(ann, &anns, 0) + come(bob, &bobs, 0), 2), "they let go of these two");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 1"), COPIES));
    cr_expect(eq(i64, engine_counts(village.engine).tasks_moved, 2));
    cr_expect(zero(i64, engine_counts(village.engine).tasks_moved_back));
}

Test(moves, nothing_moves_while_nobody_is_idle)
{
    hoard();
    let_move();
    cr_expect(zero(i64, dropped()));
}

/* The first one of each runs, and the second will within a minute. */
Test(moves, what_begins_soon_stays)
{
    hoard();
    for (int i = 0; i < 5; i++) {
        (void)come(eve, &eves, 64);
        let_move();
    }
    cr_expect(le(i64, dropped(), COPIES - 2));
    for (int host = 0; host < 2; host++) {
        CLEANUP(freep)
        char *sql = text_format("state FROM task WHERE id = %lld",
                                (long long)(host == 0 ? anns : bobs).tasks[0]);

        cr_expect(eq(i64, village_count(&village, sql), TASK_SENT));
    }
}

/* Else each would be a copy more, or the unit would wait for a stranger. */
Test(moves, a_copy_that_is_begun_before_it_was_taken_goes_on)
{
    int64_t used;

    hoard();
    used = village_count(&village, "sum(used) FROM allowance");
    (void)come(eve, &eves, 1);
    let_move();
    cr_assert(eq(i64, dropped(), 1));
    cr_assert(eq(i64, village_count(&village, "sum(used) FROM allowance"), used - 1));
    cr_expect(zero(sz, come(ann, &anns, 0) + come(bob, &bobs, 0)), "nobody has taken it");
    for (size_t i = 1; i < COPIES / 2; i++) { /* whichever it was, it is begun */
        int64_t first = anns.tasks[0];

        anns.tasks[0] = anns.tasks[i];
        anns.tasks[i] = first;
        (void)come(ann, &anns, 0);
        first = bobs.tasks[0];
        bobs.tasks[0] = bobs.tasks[i];
        bobs.tasks[i] = first;
        (void)come(bob, &bobs, 0);
    }
    cr_expect(zero(i64, dropped()));
    cr_expect(zero(i64, village_count(&village, "sum(copies_wanted) FROM unit")));
    cr_expect(eq(i64, village_count(&village, "sum(used) FROM allowance"), used), "it is used");
    cr_expect(eq(i64, engine_counts(village.engine).tasks_moved, 1));
    cr_expect(eq(i64, engine_counts(village.engine).tasks_moved_back, 1));
}

/* It had begun when the other one got it: both count, and nobody is charged. */
Test(moves, a_report_of_the_moved_one_counts_and_nobody_is_charged)
{
    int64_t task, used = village_count(&village, "sum(used) FROM allowance");

    hoard();
    (void)come(eve, &eves, 1);
    let_move();
    (void)come(eve, &eves, 1);
    cr_assert(eq(sz, eves.count, 1));
    task = village_count(&village, "id FROM task WHERE state = 8");
    cr_expect(eq(i64, village_count(&village, "sum(used) FROM allowance"), used + COPIES));
    for (size_t i = 0; i < COPIES / 2; i++) {
        if (anns.tasks[i] == task)
            village_report(&village, ann, task, "right\n");
        if (bobs.tasks[i] == task)
            village_report(&village, bob, task, "right\n");
    }
    village_report(&village, eve, eves.tasks[0], "right\n");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM unit WHERE state = 4"), 1));
    cr_expect(eq(i64, village_count(&village, "min(per_day) FROM allowance"), 8192));
}

/* Its volunteer had a copy of all of them: it would wait for a stranger. */
Test(moves, nothing_moves_that_no_idle_host_may_have)
{
    size_t twin = village_join_as(&village, ann);
    struct store_of_work twins = {.is_begun = true};

    hoard();
    (void)come(twin, &twins, 1);
    let_move();
    cr_expect(zero(i64, dropped()));
}

enum { MANY = 24, GONE_S = 1800 };

/* Before, no more than 16 of a host were remembered, and a batch waited for their deadline. */
Test(moves, all_that_a_host_has_moves_when_it_does_not_come_back)
{
    village_add_units(&village, MANY, declare_nothing);
    (void)come(ann, &anns, MANY);
    (void)come(joe, &joes, MANY);
    cr_assert(eq(sz, anns.count, MANY));
    cr_assert(eq(sz, joes.count, MANY));
    for (size_t i = 0; i < MANY; i++)
        village_report(&village, joe, joes.tasks[i], "right\n");
    village_pass(&village, GONE_S);
    (void)come(eve, &eves, 1);
    for (size_t i = 0; i < MANY; i++) {
        let_move();
        (void)come(eve, &eves, 1);
        cr_assert(eq(sz, eves.count, 1), "after %zu", i);
        village_report(&village, eve, eves.tasks[0], "right\n");
        eves.count = 0;
        (void)come(eve, &eves, 1);
    }
    cr_expect(eq(i64, dropped(), MANY));
}

/* Before, it was forgotten with the first look at it. */
Test(moves, what_nobody_could_have_then_moves_when_somebody_comes_who_can)
{
    size_t twin = village_join_as(&village, ann);
    struct store_of_work twins = {.is_begun = true};

    hoard();
    village_pass(&village, GONE_S); /* ann and bob are not expected any more */
    (void)come(twin, &twins, 1);
    let_move();
    cr_assert(zero(i64, dropped()));
    village_pass(&village, 60);
    (void)come(eve, &eves, 1);
    let_move();
    cr_expect(lt(i64, 0, dropped()));
}

Test(moves, an_idle_host_is_asked_back_soon_while_there_is_something_to_move)
{
    struct village_visit visit;

    hoard();
    let_move();
    village_visit_begin(&village, &visit, eve);
    village_visit_want(&visit, 1);
    cr_assert(eq(int, village_visit_make(&village, &visit, eve), STATUS_OK));
    cr_expect(le(i64, visit.reply.return_s, 10));
    village_visit_clear(&visit);
}
