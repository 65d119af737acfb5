/* server/engine: a site that came back from a copy, and hosts that know more than it does. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/text.h"
#include "tests/support/village.h"

static struct village village;
static size_t ann, bob;
static struct digest unit;
static int64_t anns, bobs; /* their tasks, as granted before the copy came back */

static int64_t get(size_t host)
{
    struct village_visit visit;
    int64_t task;

    village_visit_begin(&village, &visit, host);
    village_visit_want(&visit, 1);
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    cr_assert(eq(sz, visit.reply.grant_count, 1));
    unit = visit.reply.grants[0].digest;
    task = visit.reply.grants[0].task;
    village_visit_clear(&visit);
    return task;
}

/* The copy is from before both tasks and visits. */
static void come_back(void)
{
    village_change(&village, "DELETE FROM task");
    village_change(&village, "UPDATE unit SET copies_wanted = 2, version = version + 1");
    village_change(&village, "UPDATE host SET visit = 0, visit_statement = NULL");
}

static void say_restored(void)
{
    CLEANUP(freep)
    char *sql = text_format("UPDATE site SET incarnation = 2, restored_s = %lld",
                            (long long)village.env.now_s);

    village_change(&village, sql);
    village_restart(&village);
}

static void set_up(void)
{
    village_open(&village, NULL);
    ann = village_join(&village);
    bob = village_join(&village);
    village_add_units(&village, 1, NULL);
    anns = get(ann);
    bobs = get(bob);
    come_back();
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(restored_site, .init = set_up, .fini = tear_down);

/* A visit that tells of what is kept: the task granted for it; 0: none. */
static int64_t tell(size_t host, int64_t former)
{
    struct kept_task kept = {.task = former, .unit = unit};
    struct village_visit visit;
    int64_t task;

    village_visit_begin(&village, &visit, host);
    visit.request.kept = &kept;
    visit.request.kept_count = 1;
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK), "%s", visit.err.text);
    task = visit.reply.grant_count > 0 ? visit.reply.grants[0].task : 0;
    village_visit_clear(&visit);
    return task;
}

static int64_t drops(size_t host, int64_t task)
{
    struct village_visit visit;
    int64_t count;

    village_visit_begin(&village, &visit, host);
    village_visit_hold(&visit, task);
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    count = (int64_t)visit.reply.drop_count;
    village_visit_clear(&visit);
    return count;
}

/* All of it by the regular rules: nobody's word alone accepts anything, credit comes once. */
Test(restored_site, what_hosts_keep_is_granted_anew_and_accepted)
{
    int64_t again;

    say_restored();
    again = tell(ann, anns);
    cr_assert(again != 0);
    cr_expect(eq(i64, village_count(&village, "count(*) FROM journal WHERE kind = 13"), 1));
    cr_expect(eq(i64, tell(ann, anns), again), "lost and sent again, not another one");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task"), 1));
    village_report(&village, ann, again, "result");
    again = tell(bob, bobs);
    cr_assert(again != 0);
    village_report(&village, bob, again, "result");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM unit WHERE state = 4"), 1));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM journal WHERE kind = 12"), 2));
    cr_expect(eq(i64, tell(bob, bobs), 0));
}

/* I3: whom it was granted to then nobody knows; whoever it is now counts. */
Test(restored_site, what_is_kept_by_hosts_that_share_is_granted_to_one)
{
    size_t other = village_join_as(&village, ann);

    say_restored();
    cr_expect(tell(ann, anns) != 0);
    cr_expect(eq(i64, tell(other, bobs), 0));
    cr_expect(tell(bob, bobs) != 0);
}

/* It is there already: no copy has to be wanted for it. But no more than are signed. */
Test(restored_site, what_is_kept_is_welcome_where_others_compute_already)
{
    say_restored();
    (void)get(village_join(&village));
    (void)get(village_join(&village));
    cr_expect(eq(i64, village_count(&village, "copies_wanted FROM unit"), 0));
    cr_expect(tell(ann, anns) != 0);
    cr_expect(eq(i64, village_count(&village, "copies_wanted FROM unit"), 0));
    village_change(&village, "UPDATE unit SET max_tasks = 3, version = version + 1");
    cr_expect(eq(i64, tell(bob, bobs), 0));
}

Test(restored_site, work_that_the_copy_does_not_know_goes_on)
{
    cr_expect(eq(i64, drops(ann, anns), 1), "before anybody said that it is a copy");
    say_restored();
    cr_expect(eq(i64, drops(ann, anns), 0));
    village_pass(&village, 8 * DAY_S);
    cr_expect(eq(i64, drops(ann, anns), 1), "a week later it is over");
}

Test(restored_site, nothing_is_granted_by_word_where_nothing_was_restored)
{
    cr_expect(eq(i64, tell(ann, anns), 0));
    say_restored();
    village_pass(&village, 8 * DAY_S);
    cr_expect(eq(i64, tell(ann, anns), 0));
}
