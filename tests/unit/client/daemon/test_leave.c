/* client/daemon: leaving a project tells its server, and only then forgets. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/control/verbs.h"
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "tests/support/volunteer.h"

static struct volunteer it;

static void set_up(void)
{
    volunteer_init(&it, 4);
    it.site.return_s = 12 * 3600; /* what comes sooner comes because of the leave */
}

static void tear_down(void)
{
    volunteer_end(&it);
}

TestSuite(leave, .init = set_up, .fini = tear_down, .timeout = 60);

static void detach(enum detach_how how)
{
    const struct detach_order order = {.project = "A sample", .how = how};
    json_auto_t *request = verb_detach(&order);
    json_auto_t *answer = daemon_answer(it.daemon, request);

    cr_assert(eq(int, json_is_true(json_object_get(answer, "ok")), 1));
}

static json_int_t left_bodies(void)
{
    json_auto_t *status = volunteer_ask(&it, "status");

    return json_integer_value(json_object_get(status, "left_bodies"));
}

static bool is_attached(void)
{
    json_auto_t *status = volunteer_ask(&it, "status");

    return json_array_size(json_object_get(status, "projects")) > 0;
}

static size_t count_outcome(enum visit_outcome outcome)
{
    size_t count = 0;

    for (size_t i = 0; i < it.site.task_count; i++)
        count += it.site.tasks[i].state >= FAKE_REPORTED && it.site.tasks[i].outcome == outcome;
    return count;
}

static size_t count_unstarted(void)
{
    size_t count = 0;

    for (size_t i = 0; i < it.site.task_count; i++)
        count += it.site.tasks[i].state >= FAKE_REPORTED && it.site.tasks[i].is_unstarted;
    return count;
}

static size_t count_sent(void)
{
    size_t count = 0;

    for (size_t i = 0; i < it.site.task_count; i++)
        count += it.site.tasks[i].state == FAKE_SENT;
    return count;
}

static void live_until_one_runs(void)
{
    for (int i = 0; i < 100 && it.launcher.started == 0; i++)
        volunteer_live(&it, 1000);
    cr_assert(eq(i64, it.launcher.started, 1));
}

Test(leave, what_waits_and_what_runs_is_handed_back_at_once)
{
    live_until_one_runs();
    cr_assert(eq(sz, count_sent(), 2));
    detach(DETACH_HAND_BACK);
    volunteer_live(&it, 1000);
    cr_expect(eq(sz, count_sent(), 0));
    cr_expect(eq(sz, count_outcome(VISIT_ABANDONED), 2));
    cr_expect(eq(sz, count_unstarted(), 1), "what waited, not what ran");
    cr_expect(not(is_attached()));
    cr_expect(eq(i64, it.launcher.alive, 0));
}

Test(leave, what_runs_may_finish_and_what_waits_is_handed_back)
{
    live_until_one_runs();
    detach(DETACH_FINISH);
    volunteer_live(&it, 1000);
    cr_expect(eq(sz, count_outcome(VISIT_ABANDONED), 1));
    cr_expect(eq(sz, volunteer_phase(&it, "running"), 1));
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, count_outcome(VISIT_DONE), 1));
    cr_expect(eq(sz, count_sent(), 0));
    cr_expect(eq(i64, it.launcher.started, 1));
    cr_expect(not(is_attached()));
}

/* Its checkpoint is what the owner wanted to finish. */
Test(leave, what_was_started_may_finish_after_a_restart_too)
{
    live_until_one_runs();
    detach(DETACH_FINISH);
    volunteer_live(&it, 1000);
    volunteer_restart(&it);
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, count_outcome(VISIT_DONE), 1));
    cr_expect(not(is_attached()));
}

static enum fake_fate dead(void *context, const struct fake_request *request)
{
    (void)context;
    (void)request;
    return FATE_LOST_REQUEST;
}

static enum fake_fate loses_replies(void *context, const struct fake_request *request)
{
    (void)context;
    return strcmp(request->path, "/v1/scheduler") == 0 ? FATE_LOST_REPLY : FATE_DELIVERED;
}

static void live_until_all_finished(void)
{
    for (int i = 0; i < 1000 && volunteer_phase(&it, "finished") < 2; i++)
        volunteer_live(&it, MINUTE);
    cr_assert(eq(sz, volunteer_phase(&it, "finished"), 2));
}

Test(leave, what_is_done_is_reported_first)
{
    live_until_one_runs();
    it.site.net.fate = dead;
    live_until_all_finished();
    detach(DETACH_HAND_BACK);
    it.site.net.fate = NULL;
    volunteer_live(&it, 1000);
    cr_expect(eq(sz, count_outcome(VISIT_DONE), 2));
    cr_expect(eq(sz, count_sent(), 0));
    cr_expect(not(is_attached()));
    cr_expect(eq(int, (int)left_bodies(), 0));
}

Test(leave, it_outlives_a_restart_while_the_server_is_away_and_asks_for_nothing_new)
{
    live_until_one_runs();
    it.site.net.fate = dead;
    detach(DETACH_HAND_BACK);
    volunteer_live(&it, HOUR);
    volunteer_restart(&it);
    volunteer_live(&it, HOUR);
    cr_expect(is_attached(), "it was told nothing yet");
    cr_expect(eq(str, (char *)volunteer_text(&it, "leaving"), "now"));
    it.site.net.fate = NULL;
    volunteer_live(&it, 3 * HOUR);
    cr_expect(not(is_attached()));
    cr_expect(eq(sz, count_sent(), 0));
    cr_expect(eq(i64, it.site.asked_tasks, 0));
    cr_expect(eq(i64, it.launcher.started, 1));
}

Test(leave, what_the_answer_to_a_lost_visit_grants_is_handed_back_too)
{
    it.site.net.fate = loses_replies;
    for (int i = 0; i < 100 && count_sent() == 0; i++)
        volunteer_live(&it, 1000);
    cr_assert(eq(sz, count_sent(), 2));
    detach(DETACH_HAND_BACK);
    it.site.net.fate = NULL;
    volunteer_live(&it, 1000);
    cr_expect(eq(sz, count_outcome(VISIT_ABANDONED), 2));
    cr_expect(not(is_attached()));
}

/* This machine lost a task, which the server knows; nobody else could hand it back. */
Test(leave, what_was_lost_here_and_is_sent_again_is_handed_back_too)
{
    char id[BASE64URL_CHARS(DIGEST_BYTES) + 1];
    char *path = NULL;

    live_until_one_runs();
    base64url_encode(it.site.sample.project.bytes, DIGEST_BYTES, id);
    path = text_format("%s/projects/%s/tasks/2.json", it.path, id);
    volunteer_stop(&it);
    cr_assert(eq(int, unlink(path), 0), "%s", path);
    free(path);
    it.site.sends_lost = true;
    cr_assert(volunteer_start(&it));
    detach(DETACH_HAND_BACK);
    volunteer_live(&it, 1000);
    cr_expect(eq(sz, count_outcome(VISIT_ABANDONED), 2));
    cr_expect(eq(sz, count_sent(), 0));
    cr_expect(not(is_attached()));
}

static char *large(void *context, const char *slot, const char *name)
{
    char *bytes = must_alloc(100001, 1);

    (void)context;
    (void)slot;
    (void)name;
    memset(bytes, 'x', 100000);
    return bytes;
}

Test(leave, outputs_that_the_server_asks_for_are_uploaded_first)
{
    it.launcher.output = large;
    it.site.asks_for_bodies = true;
    live_until_one_runs();
    it.site.net.fate = dead;
    live_until_all_finished();
    detach(DETACH_HAND_BACK);
    it.site.net.fate = NULL;
    volunteer_live(&it, MINUTE);
    cr_expect(eq(int, it.site.tasks[0].was_uploaded, 1));
    cr_expect(eq(int, it.site.tasks[1].was_uploaded, 1));
    cr_expect(not(is_attached()));
}

Test(leave, outputs_that_nobody_asked_for_are_counted)
{
    it.launcher.output = large;
    live_until_one_runs();
    it.site.net.fate = dead;
    live_until_all_finished();
    detach(DETACH_HAND_BACK);
    it.site.net.fate = NULL;
    volunteer_live(&it, MINUTE);
    cr_expect(not(is_attached()));
    cr_expect(eq(int, (int)left_bodies(), 2));
}

Test(leave, attaching_again_takes_it_back)
{
    live_until_one_runs();
    it.site.net.fate = dead;
    detach(DETACH_HAND_BACK);
    volunteer_live(&it, MINUTE);
    volunteer_attach(&it);
    it.site.net.fate = NULL;
    volunteer_live(&it, 48 * HOUR);
    cr_expect(is_attached());
    cr_expect(eq(sz, count_outcome(VISIT_DONE), 2), "the rest was handed back before");
}

Test(leave, a_mark_that_could_not_be_saved_does_not_count)
{
    const struct detach_order order = {.project = "A sample", .how = DETACH_HAND_BACK};
    json_auto_t *request = verb_detach(&order);
    json_auto_t *answer = NULL;

    live_until_one_runs();
    failing_disk_arm(&it.disk, FAILING_ROOM, 0);
    answer = daemon_answer(it.daemon, request);
    failing_disk_arm(&it.disk, FAILING_POWER, -1);
    cr_expect(eq(int, json_is_false(json_object_get(answer, "ok")), 1));
    cr_expect(eq(str, (char *)volunteer_text(&it, "leaving"), ""));
    volunteer_live(&it, 48 * HOUR);
    cr_expect(eq(sz, count_outcome(VISIT_DONE), 4));
}
