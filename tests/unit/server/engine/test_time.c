/* server/engine: deadlines, validity, and clocks that cannot be believed. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/support/village.h"

#define YEAR_S (INT64_C(365) * 86400)

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

TestSuite(time_passing, .init = set_up, .fini = tear_down);

static int64_t overdue(void)
{
    return village_count(&village, "count(*) FROM task WHERE state = 7");
}

static int64_t expired(void)
{
    return village_count(&village, "count(*) FROM unit WHERE state = 5 AND failure = 4");
}

Test(time_passing, a_task_is_overdue_after_its_deadline_and_another_copy_wanted)
{
    village_add_units(&village, 1, NULL);
    (void)village_get(&village, ann);
    village_pass(&village, 3599);
    cr_expect(eq(i64, overdue(), 0));
    village_pass(&village, 2);
    cr_expect(eq(i64, overdue(), 1));
    cr_expect(eq(i64, village_count(&village, "copies_wanted FROM unit"), 2));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE live = 1"), 0),
              "its host's visits need not look at it any more");
}

Test(time_passing, all_that_is_due_is_met_in_one_tick)
{
    struct village_visit visit;

    village_add_units(&village, 300, NULL); /* more than one slice */
    for (int i = 0; i < 75; i++) {
        size_t host = village_join(&village);

        village_visit_begin(&village, &visit, host);
        village_visit_want(&visit, 4);
        cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
        village_visit_clear(&visit);
    }
    cr_assert(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 1"), 300));
    fake_env_pass(&village.env, INT64_C(3601) * 1000);
    engine_tick(village.engine);
    cr_expect(eq(i64, overdue(), 300));
}

static void next_week(struct work_unit *unit)
{
    unit->not_before_s = SAMPLE_NOW_S + 7 * DAY_S;
}

Test(time_passing, a_unit_may_be_added_before_its_validity_begins)
{
    village_add_units(&village, 1, next_week);
    cr_expect(eq(i64, village_get(&village, ann), 0));
    village_pass(&village, 7 * DAY_S);
    cr_expect(village_get(&village, ann) != 0);
}

Test(time_passing, a_batch_is_cancelled_before_its_validity_begins)
{
    village_add_units(&village, 1, next_week);
    cr_expect(eq(int, village_act(&village, ACTION_CANCEL), STATUS_OK));
    village_pass(&village, 1);
    village_pass(&village, 7 * DAY_S);
    cr_expect(eq(i64, village_get(&village, ann), 0));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM unit WHERE failure = 5"), 1));
}

Test(time_passing, a_retry_leaves_expired_units_as_they_are)
{
    village_add_units(&village, 1, NULL);
    village_pass(&village, 31 * DAY_S);
    cr_assert(eq(i64, expired(), 1));
    cr_expect(eq(int, village_act(&village, ACTION_RETRY), STATUS_OK));
    village_pass(&village, 1);
    cr_expect(eq(i64, expired(), 1));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM journal WHERE kind = 2"), 0));
    cr_expect(eq(i64, village_count(&village, "retry_expired FROM batch"), 1));
    cr_expect(eq(i64, village_count(&village, "begun FROM batch"), 0));
}

Test(time_passing, a_server_that_was_down_has_used_up_no_deadline)
{
    village_add_units(&village, 1, NULL);
    (void)village_get(&village, ann);
    fake_env_pass(&village.env, INT64_C(7) * 86400 * 1000);
    village_restart(&village);
    village_pass(&village, 60);
    cr_expect(eq(i64, overdue(), 0));
    village_pass(&village, 3600);
    cr_expect(eq(i64, overdue(), 1));
}

/* The wall clock says that both are late; only up-time counts, also for whom nobody waits yet. */
Test(time_passing, beside_a_late_copy_one_is_not_late_by_the_wall_clock)
{
    village_add_units(&village, 1, NULL);
    (void)village_get(&village, ann);
    village_pass(&village, 1800);
    (void)village_get(&village, bob);
    fake_env_pass(&village.env, INT64_C(7) * 86400 * 1000);
    village_restart(&village);
    village_pass(&village, 1860);
    cr_expect(eq(i64, overdue(), 1));
    village_pass(&village, 1800);
    cr_expect(eq(i64, overdue(), 2));
}

Test(time_passing, units_fail_when_their_signed_validity_ends)
{
    village_add_units(&village, 2, NULL);
    (void)village_get(&village, ann);
    village_pass(&village, 31 * DAY_S);
    cr_expect(eq(i64, expired(), 2));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 1"), 0));
}

Test(time_passing, a_clock_that_jumps_a_year_ahead_expires_nothing)
{
    village_add_units(&village, 2, NULL);
    (void)village_get(&village, ann);
    village.env.now_s += YEAR_S;
    village_pass(&village, 1);
    cr_expect(engine_clock(village.engine).is_in_doubt);
    cr_expect(engine_clock(village.engine).why[0] != '\0');
    cr_expect(eq(i64, expired(), 0));
    cr_expect(village_get(&village, bob) != 0, "visits go on");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM journal WHERE kind = 50"), 1));
}

Test(time_passing, a_clock_that_jumps_a_year_back_expires_nothing_and_visits_go_on)
{
    village_add_units(&village, 2, NULL);
    village.env.now_s -= YEAR_S;
    village_pass(&village, 1);
    cr_expect(engine_clock(village.engine).is_in_doubt);
    cr_expect(eq(i64, expired(), 0));
    cr_expect(village_get(&village, ann) != 0);
}

static void confirm_clock(void);

/* A start a month ahead is believed, and ends what is valid; that must not be for ever. */
Test(time_passing, a_retry_tries_what_a_wrong_clock_ended_and_is_valid_now)
{
    village_add_units(&village, 2, NULL);
    village.env.now_s += 40 * DAY_S;
    village_restart(&village);
    village_pass(&village, 1);
    cr_assert(eq(i64, expired(), 2));
    village.env.now_s -= 40 * DAY_S;
    village_restart(&village);
    confirm_clock();
    cr_expect(eq(int, village_act(&village, ACTION_RETRY), STATUS_OK));
    village_pass(&village, 1);
    cr_expect(eq(i64, expired(), 0));
    cr_expect(eq(i64, village_count(&village, "retry_reopened FROM batch"), 2));
    cr_expect(eq(i64, village_count(&village, "retry_expired FROM batch"), 0));
    cr_expect(village_get(&village, ann) != 0);
    village_pass(&village, 31 * DAY_S);
    cr_expect(eq(i64, expired(), 2), "when their time has come indeed");
}

static void confirm_clock(void)
{
    struct command confirm = {.kind = COMMAND_CLOCK};

    cr_assert(eq(int, village_run(&village, &confirm), STATUS_OK));
}

/* Regression: what was left then was never taken up, and never given up: the engine's thread went
 * round and round without waiting, for as long as the doubt lasted. */
Test(time_passing, what_a_doubt_interrupts_waits_for_its_end)
{
    village_add_units(&village, 600, NULL); /* more than two slices */
    fake_env_pass(&village.env, INT64_C(31) * DAY_S * 1000);
    engine_tick(village.engine);
    cr_assert(eq(i64, expired(), 256));
    cr_expect(engine_go_on(village.engine));
    cr_assert(eq(i64, expired(), 512));
    village.env.now_s += YEAR_S;
    cr_expect(not(engine_go_on(village.engine)));
    engine_tick(village.engine);
    cr_assert(engine_clock(village.engine).is_in_doubt);
    cr_expect(not(engine_go_on(village.engine)));
    cr_expect(eq(i64, expired(), 512));
    village.env.now_s -= YEAR_S;
    confirm_clock();
    village_pass(&village, 1);
    cr_expect(eq(i64, expired(), 600));
}

/* Its span alone counts, and is not over when the clock is right again: no host is charged. */
Test(time_passing, what_was_granted_by_a_wrong_clock_is_not_late_by_the_right_one)
{
    static const int64_t off_s[] = {YEAR_S, -YEAR_S, 100 * DAY_S};

    for (size_t i = 0; i < sizeof off_s / sizeof *off_s; i++) {
        int64_t task;

        village_add_units(&village, 1, NULL);
        village.env.now_s += off_s[i];
        village_restart(&village);
        village_pass(&village, 60);
        cr_assert(engine_clock(village.engine).is_in_doubt);
        task = village_get(&village, i % 2 == 0 ? ann : bob);
        cr_assert(task != 0);
        cr_expect(
            eq(i64, village_count(&village, "max(abs(deadline_s - sent_s - 3600)) FROM task"), 0),
            "by the time that is believed");
        cr_expect(lt(i64, village_count(&village, "max(sent_s) FROM task"), SAMPLE_NOW_S + DAY_S));
        village.env.now_s -= off_s[i];
        village_restart(&village);
        confirm_clock();
        village_pass(&village, 60);
        cr_expect(zero(int, engine_clock(village.engine).is_in_doubt));
        cr_expect(eq(i64, overdue(), 0));
        village_report(&village, i % 2 == 0 ? ann : bob, task, "result");
    }
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state IN (2, 3)"), 3));
}

Test(time_passing, a_restart_does_not_make_a_wrong_clock_right)
{
    village_add_units(&village, 2, NULL);
    village.env.now_s += YEAR_S;
    village_pass(&village, 1);
    village_restart(&village);
    village_pass(&village, 1);
    cr_expect(engine_clock(village.engine).is_in_doubt);
    cr_expect(eq(i64, expired(), 0));
}

Test(time_passing, a_start_before_the_last_commit_is_in_doubt)
{
    village_add_units(&village, 1, NULL);
    village.env.now_s -= YEAR_S;
    village_restart(&village);
    cr_expect(engine_clock(village.engine).is_in_doubt);
}

/* A battery that is flat: nobody saw the clock jump. Nothing that ends by it may be lost. */
Test(time_passing, a_start_a_year_after_the_last_commit_is_in_doubt_until_confirmed)
{
    struct command confirm = {.kind = COMMAND_CLOCK};

    village_add_units(&village, 2, NULL);
    village.env.now_s += YEAR_S;
    village_restart(&village);
    village_pass(&village, 60);
    cr_expect(engine_clock(village.engine).is_in_doubt);
    cr_expect(lt(i64, YEAR_S - 3600, engine_clock(village.engine).off_s));
    cr_expect(eq(i64, expired(), 0));
    cr_assert(eq(int, village_run(&village, &confirm), STATUS_OK));
    village_pass(&village, 1);
    cr_expect(zero(int, engine_clock(village.engine).is_in_doubt));
    cr_expect(eq(i64, expired(), 2), "the site did stand still for a year");
}

Test(time_passing, an_operator_confirms_the_clock_and_then_time_is_judged)
{
    struct command confirm = {.kind = COMMAND_CLOCK};

    village_add_units(&village, 2, NULL);
    village.env.now_s += YEAR_S;
    village_pass(&village, 1);
    cr_expect(eq(int, village_run(&village, &confirm), STATUS_OK));
    cr_expect(confirm.clock.was_in_doubt);
    cr_expect(zero(int, engine_clock(village.engine).is_in_doubt));
    village_pass(&village, 1);
    cr_expect(eq(i64, expired(), 2), "now it is a year later indeed");
    village_restart(&village);
    cr_expect(zero(int, engine_clock(village.engine).is_in_doubt));
}

Test(time_passing, a_confirmation_without_a_doubt_does_nothing)
{
    struct command confirm = {.kind = COMMAND_CLOCK};

    cr_expect(eq(int, village_run(&village, &confirm), STATUS_OK));
    cr_expect(zero(int, confirm.clock.was_in_doubt));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM journal WHERE kind = 50"), 0));
}

Test(time_passing, without_freshness_nothing_is_issued_and_hosts_hear_why)
{
    struct village_visit visit;

    village_add_units(&village, 1, NULL);
    village_pass(&village, 15 * DAY_S);
    village_visit_begin(&village, &visit, ann);
    village_visit_want(&visit, 1);
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_expect(eq(sz, visit.reply.grant_count, 0));
    cr_expect(strstr(visit.reply.why, "freshness") != NULL, "%s", visit.reply.why);
    village_visit_clear(&visit);

    village.sample.freshness.issued_s = village.env.now_s;
    village.sample.freshness.expires_s = village.env.now_s + 14 * DAY_S;
    village_publish_freshness(&village);
    cr_expect(village_get(&village, ann) != 0);
}

/* What the server makes of a host whose clock is so much ahead of the village's. */
static int64_t told_off_s(int64_t ahead_s)
{
    struct village_visit visit;
    int64_t off_s;

    village_visit_begin(&village, &visit, ann);
    visit.request.host.time_s = village.env.now_s + ahead_s;
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    off_s = visit.reply.clock_off_s;
    village_visit_clear(&visit);
    return off_s;
}

Test(time_passing, a_host_whose_clock_is_wrong_is_told_by_how_much)
{
    cr_expect(zero(i64, told_off_s(0)));
    cr_expect(zero(i64, told_off_s(-300)));
    cr_expect(eq(i64, told_off_s(3 * 3600), 3 * 3600));
    cr_expect(eq(i64, told_off_s(-YEAR_S), -YEAR_S));
}

Test(time_passing, a_server_in_doubt_of_its_own_clock_blames_no_host)
{
    village.env.now_s += YEAR_S;
    village_pass(&village, 1);
    cr_assert(engine_clock(village.engine).is_in_doubt);
    cr_expect(zero(i64, told_off_s(0)));
    cr_expect(zero(i64, told_off_s(-YEAR_S)));
}

static int64_t return_of(size_t host)
{
    struct village_visit visit;
    int64_t return_s;

    village_visit_begin(&village, &visit, host);
    village_visit_want(&visit, 1);
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    return_s = visit.reply.return_s;
    village_visit_clear(&visit);
    return return_s;
}

Test(time_passing, who_finds_nothing_again_and_again_comes_back_later_and_later)
{
    for (int i = 0; i < 7; i++) {
        int64_t most = INT64_C(60) << i;
        int64_t return_s = return_of(ann);

        if (most > 3600)
            most = 3600;
        cr_expect(return_s >= 60 && return_s >= most / 2 && return_s <= most, "%d: %lld", i,
                  (long long)return_s);
    }
    village_add_units(&village, 1, NULL);
    cr_expect(return_of(ann) <= 120);
}
