/* server/engine/timing: what is learned of how long tasks take, and from whom. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/text.h"
#include "tests/support/village.h"

static struct village village;
static size_t ann, bob;

static void set_up(void)
{
    village_open(&village, NULL);
    ann = village_join(&village);
    bob = village_join(&village);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(timing, .init = set_up, .fini = tear_down);

static void declare_nothing(struct work_unit *unit)
{
    unit->declared_ops = 0;
}

/* Got now, reported so much later, said to have taken `busy_ms`. */
static void compute(size_t host, int64_t seconds, int64_t busy_ms)
{
    int64_t task = village_get(&village, host);
    struct village_visit visit;

    cr_assert(task != 0);
    village_pass(&village, seconds);
    village_visit_begin(&village, &visit, host);
    village_visit_done(&village, &visit, task, "right\n", true);
    visit.reports[0].busy_ms = busy_ms;
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    village_visit_clear(&visit);
}

static int64_t pace_of(size_t host)
{
    CLEANUP(freep)
    char *sql = text_format("max(pace) FROM allowance WHERE host = %lld",
                            (long long)village.hosts[host].id);

    return village_count(&village, sql);
}

Test(timing, a_host_s_own_time_is_learned_from_what_it_says)
{
    village_add_units(&village, 1, declare_nothing);
    compute(ann, 100, 7000); /* it waited in its queue the rest of the time */
    cr_expect(eq(i64, pace_of(ann), 7000000));
}

Test(timing, more_than_the_server_saw_is_not_believed_and_others_do_not_suffer)
{
    village_add_units(&village, 1, declare_nothing);
    compute(ann, 100, 1000000000);
    compute(bob, 10, 9000);
    cr_expect(eq(i64, pace_of(ann), 101000000));
    cr_expect(eq(i64, pace_of(bob), 9000000));
}

Test(timing, a_report_that_comes_twice_is_learned_once)
{
    struct village_visit visit;
    int64_t task;

    village_add_units(&village, 1, declare_nothing);
    task = village_get(&village, ann);
    village_visit_begin(&village, &visit, ann);
    village_visit_done(&village, &visit, task, "right\n", true);
    for (int i = 0; i < 3; i++)
        cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    village_visit_clear(&visit);
    village_report(&village, ann, task, "right\n");
    cr_expect(eq(i64, village_count(&village, "sum(timed) FROM allowance"), 1));
}

Test(timing, a_failure_says_nothing_about_time)
{
    village_add_units(&village, 1, declare_nothing);
    village_fail(&village, ann, village_get(&village, ann));
    cr_expect(eq(i64, village_count(&village, "sum(timed) FROM allowance"), 0));
}
