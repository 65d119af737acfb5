/* server/engine: what hosts have that are silent for long. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/silence.h"
#include "tests/support/village.h"

#define HOUR_S INT64_C(3600)

static struct village village;
static size_t ann, bob, eve;
static int64_t anns, bobs;

static void ten_days(struct work_unit *unit)
{
    unit->deadline_s = 10 * DAY_S;
}

static void set_up(void)
{
    village_open(&village, NULL);
    ann = village_join(&village);
    bob = village_join(&village);
    eve = village_join(&village);
    village_add_units(&village, 1, ten_days);
    anns = village_get(&village, ann);
    bobs = village_get(&village, bob);
    cr_assert(anns != 0 && bobs != 0);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(silences, .init = set_up, .fini = tear_down, .timeout = 60);

static void come(size_t host, int64_t task)
{
    struct village_visit visit;

    village_visit_begin(&village, &visit, host);
    village_visit_hold(&visit, task);
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    village_visit_clear(&visit);
}

static int64_t withdrawn(void)
{
    return village_count(&village, "count(*) FROM task WHERE state = 8");
}

static void take_four(size_t host)
{
    struct village_visit visit;

    village_visit_begin(&village, &visit, host);
    village_visit_want(&visit, 4);
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    village_visit_clear(&visit);
}

/* Bob comes each day, ann does not. */
static void let_ann_be_silent(void)
{
    village_pass(&village, 20 * HOUR_S);
    come(bob, bobs);
    village_pass(&village, SILENCE_AWAY_S - 20 * HOUR_S);
}

Test(silences, others_get_a_copy_of_what_a_silent_host_has)
{
    int64_t eves;

    let_ann_be_silent();
    cr_assert(eq(i64, withdrawn(), 1), "ann's, not bob's");
    cr_expect(eq(i64, village_count(&village, "sum(errors) FROM host"), 0));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 7"), 0));
    eves = village_get(&village, eve);
    cr_assert(ne(i64, eves, 0));
    village_report(&village, eve, eves, "42\n");
    village_report(&village, bob, bobs, "42\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
}

Test(silences, what_a_silent_host_reports_after_all_counts)
{
    let_ann_be_silent();
    cr_assert(eq(i64, withdrawn(), 1));
    village_report(&village, ann, anns, "42\n");
    village_report(&village, bob, bobs, "42\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
    cr_expect(eq(i64, village_get(&village, eve), 0), "no copy was wasted");
}

Test(silences, a_silent_host_that_is_back_goes_on_with_what_nobody_took)
{
    let_ann_be_silent();
    cr_assert(eq(i64, withdrawn(), 1));
    come(ann, anns);
    cr_expect(zero(i64, withdrawn()));
    cr_expect(eq(i64, village_get(&village, eve), 0));
}

Test(silences, a_server_that_was_down_calls_nobody_silent)
{
    village_pass(&village, HOUR_S);
    fake_env_pass(&village.env, 7 * DAY_S * 1000);
    village_restart(&village);
    village_pass(&village, 60);
    village_pass(&village, SILENCE_AWAY_S - 2 * HOUR_S);
    cr_expect(zero(i64, withdrawn()));
    come(bob, bobs);
    village_pass(&village, HOUR_S);
    cr_expect(eq(i64, withdrawn(), 1), "who did not come while it ran");
}

/* Each loses what it ran since its last commit, and no more. */
Test(silences, a_server_that_restarts_all_the_time_finds_who_is_silent)
{
    for (int64_t hours = 0; hours < SILENCE_AWAY_S / HOUR_S - 1; hours++) {
        village_pass(&village, HOUR_S);
        village_restart(&village);
        come(bob, bobs);
    }
    cr_expect(zero(i64, withdrawn()));
    village_pass(&village, HOUR_S);
    cr_expect(eq(i64, withdrawn(), 1), "ann's");
}

/* What is out is looked at slice by slice, and a server that restarts begins somewhere anew. */
Test(silences, a_server_that_restarts_all_the_time_looks_at_all_that_is_out)
{
    village_add_units(&village, 300, ten_days);
    for (size_t i = 0; i < 75; i++)
        take_four(village_join(&village));
    village_pass(&village, SILENCE_AWAY_S - 60);
    village_restart(&village);
    village_pass(&village, 60);
    for (int i = 0; i < 100 && withdrawn() < 302; i++) {
        village_restart(&village);
        village_pass(&village, 1);
    }
    cr_expect(eq(i64, withdrawn(), 302));
}

Test(silences, a_wrong_clock_that_somebody_vouched_for_makes_nobody_silent)
{
    struct command confirm = {.kind = COMMAND_CLOCK};

    village_pass(&village, SILENCE_AWAY_S / 2);
    village.env.now_s += 7 * DAY_S;
    village_pass(&village, 60);
    cr_assert(eq(int, village_run(&village, &confirm), STATUS_OK));
    village_pass(&village, 60);
    cr_expect(zero(i64, withdrawn()));
    village_pass(&village, SILENCE_AWAY_S / 2);
    cr_expect(eq(i64, withdrawn(), 2));
}

Test(silences, a_clock_in_doubt_makes_nobody_silent)
{
    village.env.now_s += 365 * DAY_S;
    village_pass(&village, SILENCE_AWAY_S);
    cr_expect(zero(i64, withdrawn()));
}

/* One slice a tick, and a round in as many ticks as it takes. */
Test(silences, all_that_is_out_is_looked_at_slice_by_slice)
{
    village_add_units(&village, 300, ten_days);
    for (size_t i = 0; i < 75; i++)
        take_four(village_join(&village));
    village_pass(&village, SILENCE_AWAY_S);
    cr_assert(lt(i64, withdrawn(), 302));
    for (int i = 0; i < 10 && withdrawn() < 302; i++)
        village_pass(&village, 10);
    cr_expect(eq(i64, withdrawn(), 302));
}
