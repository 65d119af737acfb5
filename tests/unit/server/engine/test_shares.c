/* server/engine/shares: what is left goes to the hosts that are there, and they come back in time.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/support/village.h"

enum { HOSTS_MAX = 32 };

static struct village village;
static size_t hosts[HOSTS_MAX];

static void set_up(void)
{
    village_open(&village, NULL);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(shares, .init = set_up, .fini = tear_down);

/* What one visit brought. */
struct outcome {
    size_t grants;
    int64_t return_s;
    char why[WHY_MAX + 1];
};

static struct outcome visit(size_t host, int64_t cores, int64_t tasks, int64_t seconds)
{
    struct village_visit visit;
    struct outcome outcome;

    village_visit_begin(&village, &visit, host);
    village_visit_want(&visit, tasks);
    visit.request.host.cores = cores;
    visit.request.want_seconds = seconds;
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    outcome = (struct outcome){.grants = visit.reply.grant_count, .return_s = visit.reply.return_s};
    (void)strcpy(outcome.why, visit.reply.why);
    village_visit_clear(&visit);
    return outcome;
}

/* Hosts that agreed often, and took so long for a task of the app; the server knows of them all. */
static void settle_down(size_t count, int64_t cores, int64_t task_ms)
{
    CLEANUP(freep)
    char *rows =
        text_format("INSERT INTO allowance SELECT id, 1, 8192, 0, 0, %lld, %lld, 8 FROM host",
                    (long long)task_ms * 1000, (long long)task_ms * 1000);

    for (size_t i = 0; i < count; i++)
        hosts[i] = village_join(&village);
    village_change(&village, "UPDATE host SET agreed = 300");
    village_change(&village, rows);
    for (size_t i = 0; i < count; i++)
        cr_assert(zero(sz, visit(hosts[i], cores, 64, 7200).grants));
}

static void declare_nothing(struct work_unit *unit)
{
    unit->declared_ops = 0;
}

static void declare_ten_minutes(struct work_unit *unit)
{
    unit->declared_ops = 600 * WORK_UNIT_OPS_PER_SECOND;
}

/* Measured before: two of five hosts took 44 to 59 of 60 copies within 5 s. */
Test(shares, five_hosts_share_a_small_batch)
{
    settle_down(5, 2, 5000);
    village_add_units(&village, 30, declare_nothing);
    for (size_t i = 0; i < 4; i++)
        cr_expect(eq(sz, visit(hosts[i], 2, 64, 7200).grants, 12), "host %zu", i);
    /* Of units that have two copies left it may have one only. */
    cr_expect(ge(sz, visit(hosts[4], 2, 64, 7200).grants, 6));
}

/* Measured before: two one-core hosts held all of it while twenty idled. */
Test(shares, no_host_hoards_what_others_would_start_now)
{
    size_t busy = 0;

    settle_down(22, 1, 60000);
    village_add_units(&village, 8, declare_nothing);
    for (size_t i = 0; i < 22; i++) {
        size_t grants = visit(hosts[i], 1, 64, 7200).grants;

        cr_expect(le(sz, grants, 1), "host %zu", i);
        busy += grants;
    }
    cr_expect(eq(sz, busy, 16));
}

Test(shares, a_host_that_left_is_waited_for_no_longer)
{
    settle_down(5, 2, 5000);
    village_pass(&village, 3 * 3600);
    village_add_units(&village, 30, declare_nothing);
    cr_expect(eq(sz, visit(hosts[0], 2, 64, 7200).grants, 30), "one copy of each");
}

Test(shares, a_buffer_is_counted_in_seconds_as_declared_until_better_is_known)
{
    settle_down(1, 4, 0);
    village_change(&village, "UPDATE allowance SET pace = 0, usual_pace = 0, timed = 0");
    village_add_units(&village, 60, declare_ten_minutes);
    cr_expect(eq(sz, visit(hosts[0], 4, 64, 1800).grants, 12), "three for each core");
}

Test(shares, who_has_its_share_hears_so_and_comes_back_when_it_will_be_idle)
{
    struct outcome outcome;

    settle_down(2, 1, 50000);
    village_add_units(&village, 2, declare_nothing);
    outcome = visit(hosts[0], 1, 64, 7200);
    cr_expect(eq(sz, outcome.grants, 2));
    cr_expect(strstr(outcome.why, "its share") != NULL, "%s", outcome.why);
    cr_expect(ge(i64, outcome.return_s, 100));
    cr_expect(le(i64, outcome.return_s, 110));
}

Test(shares, where_nothing_waits_it_is_said_so)
{
    struct village_visit visit;
    int64_t task;

    settle_down(2, 1, 50000);
    village_add_units(&village, 1, declare_nothing);
    task = village_get(&village, hosts[0]);
    cr_assert(0 != task && 0 != village_get(&village, hosts[1]));
    village_visit_begin(&village, &visit, hosts[0]);
    village_visit_hold(&visit, task);
    village_visit_want(&visit, 64);
    visit.request.host.cores = 1;
    cr_assert(eq(int, village_visit_make(&village, &visit, hosts[0]), STATUS_OK));
    cr_expect(zero(sz, visit.reply.grant_count));
    cr_expect(strstr(visit.reply.why, "nothing waits") != NULL, "%s", visit.reply.why);
    village_visit_clear(&visit);
}

/* Measured before: hosts with 300 accepted results got one task a visit. */
Test(shares, a_proven_host_does_not_begin_anew_with_each_app_version)
{
    settle_down(1, 1, 1000);
    village.sample.app_version.version++;
    village_publish_app(&village);
    village_open_batch(&village, "second", 0);
    village_add_units(&village, 20, NULL);
    cr_expect(eq(sz, visit(hosts[0], 1, 64, 7200).grants, 20));
}

/* Of these the first is so much slower than the others. */
static void slow_down(int64_t pace_s)
{
    CLEANUP(freep)
    char *slow =
        text_format("UPDATE allowance SET pace = %lld, usual_pace = %lld WHERE host = %lld",
                    (long long)pace_s * 1000000, (long long)pace_s * 1000000,
                    (long long)village.hosts[hosts[0]].id);

    village_change(&village, slow);
    for (size_t i = 0; i < 4; i++) /* once more, for what the rows say now */
        (void)visit(hosts[i], 1, 1, 7200);
}

/* Else the machines that happen to come first decide how long a small batch takes. */
Test(shares, a_slow_host_leaves_work_to_those_who_end_sooner_and_not_for_ever)
{
    settle_down(4, 1, 600000);
    slow_down(6000);
    village_add_units(&village, 1, declare_nothing);
    cr_expect(zero(sz, visit(hosts[0], 1, 1, 7200).grants));
    village_pass(&village, 30);
    cr_expect(zero(sz, visit(hosts[0], 1, 1, 7200).grants));
    cr_expect(eq(sz, visit(hosts[1], 1, 1, 7200).grants, 1));
    village_pass(&village, 700);
    cr_expect(eq(sz, visit(hosts[0], 1, 1, 7200).grants, 1), "nobody else came");
}

/* Measured before: the last round of the slow hosts decided, while fast ones were nearly free. */
Test(shares, a_slow_host_leaves_the_last_round_to_busy_ones_that_end_sooner)
{
    settle_down(4, 1, 600000);
    slow_down(3000);
    village_add_units(&village, 3, declare_nothing);
    for (size_t i = 1; i < 4; i++)
        cr_assert(eq(sz, visit(hosts[i], 1, 1, 7200).grants, 1));
    village_pass(&village, 200);
    cr_expect(zero(sz, visit(hosts[0], 1, 1, 7200).grants), "three copies wait, done in 1000 s");
    village_add_units(&village, 30, declare_nothing);
    cr_expect(eq(sz, visit(hosts[0], 1, 1, 7200).grants, 1), "63 are not done so soon");
}
