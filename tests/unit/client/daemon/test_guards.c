/* client/daemon: what a task, or a server's answer, must not bring about at a bad moment. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/support/volunteer.h"

static struct volunteer it;

static void set_up(void)
{
    volunteer_init(&it, 4);
}

static void tear_down(void)
{
    volunteer_end(&it);
}

TestSuite(guards, .init = set_up, .fini = tear_down, .timeout = 60);

/* --- answers --- */

Test(guards, what_a_server_grants_unasked_is_not_taken)
{
    it.site.grants_unasked = true;
    volunteer_live(&it, MINUTE / 2);
    cr_expect(eq(i64, it.site.asked_tasks, 2));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_SENT), 2));
    cr_expect(eq(sz, volunteer_phase(&it, "running") + volunteer_phase(&it, "ready"), 2));
    volunteer_live(&it, 3 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

/* Its own word of a moment ago would make the client report for ever. */
Test(guards, a_task_that_is_acknowledged_and_granted_by_one_answer_is_not_reported_again)
{
    it.site.grants_reported = true;
    volunteer_live(&it, 3 * HOUR);
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 4));
    cr_expect(eq(i64, it.site.reports, 4));
    cr_expect(eq(i64, it.launcher.started, 4));
}

Test(guards, bodies_that_are_asked_for_before_their_report_harm_no_task)
{
    it.site.asks_for_bodies = true;
    it.site.asks_too_early = true;
    it.launcher.duration_ms = HOUR;
    volunteer_live(&it, 30 * MINUTE);
    cr_expect(eq(sz, volunteer_phase(&it, "running"), 1));
    volunteer_live(&it, 8 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

Test(guards, a_time_to_come_back_that_a_clock_made_a_year_of_is_a_day_at_most)
{
    int64_t visits;

    it.site.return_s = 3600;
    volunteer_live(&it, 4 * HOUR);
    visits = it.site.visits;
    it.env.now_s -= 365 * 86400;
    volunteer_restart(&it);
    volunteer_live(&it, 2 * DAY);
    cr_expect(lt(i64, visits, it.site.visits));
}

/* --- tasks that are ready --- */

static void renew_freshness(void)
{
    it.site.sample.freshness.sequence = 2;
    it.site.sample.freshness.expires_s = SAMPLE_NOW_S + INT64_C(45) * 86400;
    envelope_clear(&it.site.freshness);
    it.site.freshness = sample_seal_freshness(&it.site.sample);
}

Test(guards, a_ready_task_whose_validity_ended_meanwhile_does_not_start)
{
    volunteer_live(&it, MINUTE / 2);
    cr_assert(eq(sz, volunteer_phase(&it, "ready"), 1));
    renew_freshness();
    volunteer_live(&it, 6000);
    json_decref(volunteer_ask(&it, "pause"));
    volunteer_live(&it, 10 * MINUTE);
    it.env.now_s += INT64_C(31) * 86400;
    json_decref(volunteer_ask(&it, "resume"));
    volunteer_live(&it, 10 * MINUTE);
    cr_expect(eq(i64, it.launcher.started, 1), "but for the one that ran");
    cr_expect(eq(int, it.site.tasks[1].outcome, VISIT_REFUSED));
    cr_expect(eq(int, it.site.tasks[1].refusal, REFUSAL_OUTSIDE_VALIDITY));
}

Test(guards, ready_tasks_of_a_project_that_is_stopped_do_not_start)
{
    volunteer_live(&it, MINUTE / 2);
    cr_assert(eq(sz, volunteer_phase(&it, "ready"), 1));
    it.site.sample.keyring.expires_s -= 1;
    envelope_clear(&it.site.keyring);
    it.site.keyring = sample_seal_keyring(&it.site.sample);
    it.site.sample.freshness.keyring = it.site.keyring.digest;
    renew_freshness();
    it.launcher.duration_ms = HOUR;
    volunteer_live(&it, 5 * HOUR);
    cr_expect(ne(str, (char *)volunteer_text(&it, "stopped"), ""));
    cr_expect(eq(i64, it.launcher.started, 1));
}

Test(guards, a_task_that_never_comes_to_an_end_is_given_up_at_last)
{
    it.launcher.duration_ms = DAY;
    for (int i = 0; i < 120; i++) {
        volunteer_live(&it, 2 * MINUTE);
        volunteer_restart(&it);
    }
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(int, it.site.tasks[0].outcome, VISIT_ABANDONED));
    cr_expect(ne(ptr, strstr(it.site.tasks[0].why, "never came to an end"), NULL));
}

/* --- the stock --- */

static void take_site_of(size_t units)
{
    volunteer_end(&it);
    volunteer_init(&it, units);
}

/* What a visit does not name its server takes for lost, and sends again for ever. */
Test(guards, no_more_tasks_are_in_stock_than_a_visit_can_name)
{
    take_site_of(SCHEDULER_HELD_MAX + 32);
    it.launcher.duration_ms = 1000; /* so that many fill the buffer */
    volunteer_live(&it, 50000);
    it.launcher.duration_ms = HOUR;
    volunteer_live(&it, 30 * MINUTE);
    cr_expect(eq(i64, it.site.asked_tasks, 0));
    cr_expect(eq(i64, it.site.held, SCHEDULER_HELD_MAX));
    cr_expect(eq(str, (char *)volunteer_text(&it, "why_idle"),
                 "it has as many tasks as one visit can tell of"));
}
