/* client/daemon: a whole daemon against a site that holds it to the protocol. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
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

TestSuite(daemon, .init = set_up, .fini = tear_down, .timeout = 60);

/* Days in which nothing is left to do: a site asks for few visits then, and so does this one. */
static void live_quietly(int64_t ms)
{
    it.site.return_s = 3600;
    volunteer_live(&it, ms);
}

Test(daemon, all_units_are_computed_reported_and_credited)
{
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, it.launcher.started, 4));
    cr_expect(it.launcher.executable_was_there);
    cr_expect(eq(str, it.launcher.last_argument, "1000"));
    cr_expect(eq(i64, volunteer_tally(&it, "accepted"), 4));
    cr_expect(eq(i64, volunteer_tally(&it, "credit"), 4000000));
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 4));
    cr_expect(eq(i64, it.site.files_served, 2), "each file is fetched once");
    cr_expect(eq(i64, it.site.enrolments, 1));
}

Test(daemon, one_task_runs_per_core)
{
    it.config.cores = 2;
    volunteer_restart(&it);
    volunteer_live(&it, MINUTE / 2);
    cr_expect(eq(sz, volunteer_phase(&it, "running"), 2));
}

/* Two run, two wait, and none of them is wanted. */
static void drop_all(enum drop_reason why)
{
    it.config.cores = 2;
    it.launcher.duration_ms = 10 * MINUTE;
    volunteer_restart(&it);
    volunteer_live(&it, MINUTE / 2);
    cr_assert(eq(sz, volunteer_phase(&it, "running"), 2));
    it.site.drops_sent = why;
    volunteer_live(&it, 5 * MINUTE);
}

static void expect_begun_ones_to_end(void)
{
    cr_expect(eq(sz, volunteer_phase(&it, "running"), 2));
    cr_expect(eq(sz, volunteer_phase(&it, "ready"), 0));
    volunteer_live(&it, HOUR);
    cr_expect(zero(i64, it.launcher.killed));
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 2), "their ends are reported");
}

Test(daemon, what_another_host_has_ends_if_it_has_begun_and_is_let_go_if_not)
{
    drop_all(DROP_MOVED);
    expect_begun_ones_to_end();
}

Test(daemon, what_is_accepted_without_it_ends_if_it_has_begun_and_is_let_go_if_not)
{
    drop_all(DROP_ACCEPTED);
    expect_begun_ones_to_end();
}

Test(daemon, what_was_cancelled_ends_at_once)
{
    drop_all(DROP_CANCELLED);
    cr_expect(eq(sz, volunteer_phase(&it, "running"), 0));
    cr_expect(eq(i64, it.launcher.killed, 2));
}

/* The others wait for the cores meanwhile, and that is not theirs. */
Test(daemon, a_task_s_time_is_without_its_wait_in_our_queue)
{
    volunteer_live(&it, HOUR);
    for (size_t i = 0; i < it.site.task_count; i++) {
        cr_expect(ge(i64, it.site.tasks[i].busy_ms, it.launcher.duration_ms));
        cr_expect(lt(i64, it.site.tasks[i].busy_ms, it.launcher.duration_ms * 3 / 2));
    }
}

Test(daemon, finished_work_is_kept_for_the_grace_and_then_forgotten)
{
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 4));
    live_quietly(6 * DAY);
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 4));
    it.site.sample.freshness.expires_s += 20 * 86400;
    live_quietly(2 * DAY);
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 0));
}

/* Found by running a client a year ahead for a few seconds: all it kept was gone. */
Test(daemon, a_clock_that_runs_a_year_ahead_deletes_nothing_that_is_kept)
{
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 4));
    it.env.now_s += 365 * 86400;
    volunteer_live(&it, 2 * HOUR);
    volunteer_restart(&it);
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 4));
}

Test(daemon, reported_work_is_kept_until_the_server_has_it_stored)
{
    it.site.keeps_reported = true;
    volunteer_live(&it, 2 * HOUR);
    live_quietly(9 * DAY);
    cr_expect(eq(sz, volunteer_phase(&it, "reported"), 4));
}

/* A server that restarts does not know what it told last: kill_nine counted thrice. */
Test(daemon, a_verdict_that_is_told_again_is_counted_once)
{
    it.site.forgets_told = true;
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(i64, volunteer_tally(&it, "accepted"), 4));
    cr_expect(eq(i64, volunteer_tally(&it, "credit"), 4000000));
}

/* The server's database is that of before the reports: it has the tasks as sent, and resends. */
static void restore_site(void)
{
    for (size_t i = 0; i < it.site.task_count; i++) {
        it.site.tasks[i].state = FAKE_WAITING;
        it.site.tasks[i].is_told = it.site.tasks[i].was_uploaded = false;
    }
}

Test(daemon, a_server_restored_from_a_backup_gets_kept_work_again)
{
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 4));
    volunteer_stop(&it);
    cr_assert(volunteer_start(&it));
    restore_site();
    volunteer_live(&it, 3 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 4));
    cr_expect(eq(i64, it.launcher.started, 4), "nothing is computed twice");
}

static void offer_again(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CLEANUP(freep) char *unit = envelope_encode(&it.site.tasks[i].unit);
        struct fake_task *again = &it.site.tasks[it.site.task_count];

        *again = (struct fake_task){.number = (int64_t)++it.site.task_count, .state = FAKE_WAITING};
        cr_assert(eq(int,
                     envelope_decode(unit, strlen(unit), ENVELOPE_PAYLOAD_MAX, &again->unit, NULL),
                     STATUS_OK));
    }
}

/* The copy is from before the grants, so they come under other numbers. */
Test(daemon, a_grant_of_a_unit_whose_result_is_kept_needs_no_computing)
{
    volunteer_live(&it, 2 * HOUR);
    cr_assert(eq(sz, volunteer_phase(&it, "stored"), 4));
    offer_again(4);
    it.site.asks_for_kept = true;
    volunteer_live(&it, 3 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 8));
    cr_expect(eq(i64, it.launcher.started, 4), "nothing is computed twice");
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 4), "the former ones are gone");
    cr_expect(eq(i64, volunteer_tally(&it, "accepted"), 4), "told again, and counted once");
    cr_expect(lt(i64, 0, it.site.kept_told));
    cr_expect(eq(str, it.site.broken, ""));
}

/* --- lost messages --- */

static enum fake_fate unlucky(void *context, const struct fake_request *request)
{
    (void)context;
    (void)request;
    switch (fake_env_below(&it.env, 4)) {
    case 0:
        return FATE_LOST_REQUEST;
    case 1:
        return FATE_LOST_REPLY;
    default:
        return FATE_DELIVERED;
    }
}

Test(daemon, lost_requests_and_replies_change_nothing)
{
    it.site.net.fate = unlucky;
    volunteer_live(&it, DAY);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, it.launcher.started, 4));
    cr_expect(eq(i64, volunteer_tally(&it, "accepted"), 4));
    cr_expect(eq(i64, volunteer_tally(&it, "credit"), 4000000));
    cr_expect(lt(i64, 0, it.site.repeats));
}

Test(daemon, a_lost_reply_is_asked_for_with_the_same_bytes_after_a_restart)
{
    it.site.net.fate = unlucky;
    for (int i = 0; i < 100; i++) {
        volunteer_live(&it, 3 * MINUTE);
        volunteer_restart(&it);
    }
    it.site.net.fate = NULL;
    volunteer_live(&it, 6 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, volunteer_tally(&it, "credit"), 4000000));
    cr_expect(eq(i64, it.site.enrolments >= 1, 1));
}

static enum fake_fate never(void *context, const struct fake_request *request)
{
    (void)context;
    (void)request;
    return FATE_LOST_REQUEST;
}

Test(daemon, finished_work_survives_weeks_offline)
{
    volunteer_live(&it, MINUTE / 2);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_SENT), 2));
    it.site.net.fate = never;
    volunteer_live(&it, 10 * DAY);
    volunteer_restart(&it);
    volunteer_live(&it, 2 * DAY);
    cr_expect(eq(sz, volunteer_phase(&it, "finished"), 2));
    it.site.net.fate = NULL;
    volunteer_live(&it, 6 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

Test(daemon, a_silent_server_is_asked_less_and_less_often)
{
    int64_t first, later;

    it.site.net.fate = never;
    it.config.bulletin_interval = 300;
    volunteer_live(&it, HOUR);
    first = it.env.now_mono_ms;
    (void)first;
    cr_expect(eq(i64, it.site.net.served, 0));
    it.site.net.fate = NULL;
    later = volunteer_number(&it, "asks_again_s");
    cr_expect(le(i64, later, 3600));
    cr_expect(ne(str, (char *)volunteer_text(&it, "trouble"), ""));
}

Test(daemon, retry_after_is_obeyed_up_to_a_day)
{
    it.site.fails_with = STATUS_BUSY;
    it.site.fails_retry_s = 1000000000;
    volunteer_live(&it, MINUTE);
    it.site.fails_with = STATUS_OK;
    cr_expect(eq(str, (char *)volunteer_text(&it, "trouble"), "not now"));
    volunteer_live(&it, 23 * HOUR);
    cr_expect(eq(i64, it.site.visits, 0));
    volunteer_live(&it, 5 * HOUR);
    cr_expect(lt(i64, 0, it.site.visits));
}

/* Its number came again with other bytes, and the server took the host for a clone. */
Test(daemon, a_refused_visit_has_spent_its_number)
{
    volunteer_live(&it, MINUTE / 2);
    it.site.fails_with = STATUS_INVALID;
    volunteer_live(&it, HOUR);
    volunteer_restart(&it);
    it.site.fails_with = STATUS_OK;
    volunteer_live(&it, 3 * HOUR);
    cr_expect(lt(i64, 0, it.site.refused_visit));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

Test(daemon, a_refused_visit_is_repeated_as_it_was_while_its_number_cannot_be_spent)
{
    volunteer_live(&it, MINUTE / 2);
    it.site.fails_with = STATUS_INVALID;
    failing_disk_arm(&it.disk, FAILING_ROOM, 1);
    volunteer_live(&it, HOUR);
    cr_expect(failing_disk_repair(&it.disk));
    it.site.fails_with = STATUS_OK;
    volunteer_live(&it, 3 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

/* --- identity --- */

Test(daemon, a_forgotten_token_makes_it_enrol_again_with_the_same_key)
{
    struct public_key key;

    volunteer_live(&it, MINUTE / 2);
    key = it.site.host_key;
    it.site.forgets_token = true;
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(i64, it.site.enrolments, 2));
    cr_expect(public_key_equals(&key, &it.site.host_key));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

Test(daemon, a_clone_takes_a_new_key_and_leaves_its_tasks)
{
    struct public_key key;

    volunteer_live(&it, MINUTE / 2);
    key = it.site.host_key;
    it.site.says_clone = true;
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(i64, it.site.enrolments, 2));
    cr_expect(not(public_key_equals(&key, &it.site.host_key)));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

/* A log that the test reads; the caller closes it. */
static FILE *log_to_read(void)
{
    FILE *log = tmpfile();

    cr_assert(log != NULL);
    log_init(NULL, LOG_WARN, fileno(log));
    return log;
}

static bool log_says(FILE *log, const char *words)
{
    char line[1024];
    bool is_said = false;

    rewind(log);
    while (fgets(line, sizeof line, log) != NULL)
        is_said = is_said || strstr(line, words) != NULL;
    return is_said;
}

/* Its number was logged as 0, and before that, it asked with the same key for ever. */
Test(daemon, a_host_that_was_withdrawn_while_it_had_no_token_takes_a_new_key_and_says_which_it_was)
{
    FILE *log = log_to_read();
    struct public_key key;

    volunteer_live(&it, MINUTE / 2);
    key = it.site.host_key;
    it.site.forgets_token = true;
    it.site.withdraws_host = true;
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(i64, it.site.enrolments, 2));
    cr_expect(not(public_key_equals(&key, &it.site.host_key)));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(log_says(log, "event=host.cloned") && log_says(log, " host=7 key=ed25519:"));
    cr_expect(eq(int, fclose(log), 0));
}

/* --- the owner --- */

Test(daemon, paused_tasks_stand_still_and_none_are_asked_for)
{
    volunteer_live(&it, MINUTE / 2);
    json_decref(volunteer_ask(&it, "pause"));
    volunteer_live(&it, 3 * HOUR);
    cr_expect(eq(sz, volunteer_phase(&it, "running"), 1));
    cr_expect(eq(i64, it.launcher.started, 1));
    cr_expect(eq(i64, it.site.asked_tasks, 0));
    cr_expect(eq(str, (char *)volunteer_text(&it, "why_idle"), "paused by its owner"));
    volunteer_restart(&it);
    volunteer_live(&it, HOUR);
    cr_expect(eq(i64, it.launcher.started, 1), "a pause survives a restart");
    json_decref(volunteer_ask(&it, "resume"));
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

Test(daemon, no_more_tasks_are_taken_than_were_asked_for)
{
    volunteer_live(&it, MINUTE / 2);
    cr_expect(eq(i64, it.site.asked_tasks, 2),
              "two per core while nobody knows how long they take");
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_SENT), 2));
}

Test(daemon, why_there_is_no_work_is_told)
{
    volunteer_live(&it, 3 * HOUR);
    cr_expect(eq(str, (char *)volunteer_text(&it, "why_idle"), "there is no more work"));
    cr_expect(lt(i64, 0, volunteer_number(&it, "asks_again_s")));
}

Test(daemon, the_bulletin_is_looked_at_every_five_minutes_and_mostly_unchanged)
{
    it.launcher.duration_ms = DAY; /* it has work all the time */
    volunteer_live(&it, 10 * HOUR);
    cr_expect(ge(i64, it.site.bulletins, 120));
    cr_expect(le(i64, it.site.bulletins, 155));
}

/* Of the site's units one does not exist before publish_the_last(). */
static void be_idle_for_a_day(void)
{
    it.site.task_count--;
    live_quietly(DAY);
}

static void publish_the_last(void)
{
    it.site.task_count++;
    it.site.work.mark++;
}

Test(daemon, one_without_work_hears_of_a_unit_within_two_minutes)
{
    int64_t visits, bulletins;

    be_idle_for_a_day();
    visits = it.site.visits;
    bulletins = it.site.bulletins;
    cr_assert(eq(sz, fake_site_count(&it.site, FAKE_STORED), 3));
    volunteer_live(&it, HOUR);
    cr_expect(le(i64, it.site.visits - visits, 2), "an hour is what it is asked to wait");
    cr_expect(le(i64, it.site.bulletins - bulletins, 77), "it looks once a minute");
    publish_the_last();
    volunteer_live(&it, 2 * MINUTE);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_SENT), 4));
}

Test(daemon, one_that_is_paused_does_not_look_and_hears_when_it_goes_on)
{
    int64_t bulletins;

    be_idle_for_a_day();
    json_decref(volunteer_ask(&it, "pause"));
    bulletins = it.site.bulletins;
    publish_the_last();
    live_quietly(HOUR);
    cr_expect(le(i64, it.site.bulletins - bulletins, 17));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_SENT), 3));
    json_decref(volunteer_ask(&it, "resume"));
    volunteer_live(&it, 2 * MINUTE);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_SENT), 4));
}

/* Each bulletin says that there is work, at once, and that it is to be read at once. */
static enum fake_fate hail_always(void *context, const struct fake_request *request)
{
    (void)context;
    if (strcmp(request->path, "/v1/bulletin") == 0)
        it.site.work.mark++;
    return FATE_DELIVERED;
}

Test(daemon, no_server_makes_it_come_or_look_more_often_than_it_allows)
{
    int64_t visits, bulletins;

    be_idle_for_a_day();
    visits = it.site.visits;
    bulletins = it.site.bulletins;
    it.site.work.look_s = 1;
    it.site.net.fate = hail_always;
    live_quietly(HOUR);
    cr_expect(le(i64, it.site.visits - visits, 61), "visit_interval is a minute");
    cr_expect(le(i64, it.site.bulletins - bulletins, 152), "30 s, and a little less by chance");
    publish_the_last();
}
