/* client/daemon: what happens while something is on its way; most else is answered at once. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "client/control/verbs.h"
#include "common/base/text.h"
#include "tests/support/volunteer.h"

static struct volunteer it;
static const char *slow_path; /* what is slow; NULL: everything */

static enum fake_fate slowly(void *context, const struct fake_request *request)
{
    (void)context;
    return slow_path == NULL || text_starts_with(request->path, slow_path) ? FATE_SLOW
                                                                           : FATE_DELIVERED;
}

static void set_up(void)
{
    volunteer_init(&it, 4);
    slow_path = NULL;
    it.site.net.fate = slowly;
}

static void tear_down(void)
{
    volunteer_clear(&it);
}

TestSuite(slow, .init = set_up, .fini = tear_down, .timeout = 60);

static void restart(void)
{
    volunteer_stop(&it);
    cr_assert(volunteer_start(&it));
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

static void expect_all_done(void)
{
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, volunteer_tally(&it, "accepted"), 4));
    cr_expect(eq(i64, volunteer_tally(&it, "credit"), 4000000));
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 4));
}

/* Live until something of this path is on its way. */
static void live_until_slow(const char *path)
{
    slow_path = path;
    for (int i = 0; i < 1000 && it.site.net.slow == 0; i++)
        volunteer_live(&it, 5000);
    cr_assert(lt(i64, 0, it.site.net.slow), "%s", path);
}

Test(slow, all_units_are_computed_reported_and_credited)
{
    volunteer_live(&it, 8 * HOUR);
    expect_all_done();
    cr_expect(eq(i64, it.launcher.started, 4));
    cr_expect(eq(i64, it.site.files_served, 2), "each file is fetched once");
    cr_expect(eq(i64, it.site.enrolments, 1));
}

Test(slow, large_outputs_are_uploaded)
{
    it.launcher.output = large;
    it.site.asks_for_bodies = true;
    volunteer_live(&it, 12 * HOUR);
    expect_all_done();
}

Test(slow, restarts_while_something_is_on_its_way_change_nothing)
{
    it.launcher.output = large;
    it.site.asks_for_bodies = true;
    for (int i = 0; i < 60; i++) {
        volunteer_live(&it, (i % 7 + 1) * MINUTE / 2);
        restart();
    }
    volunteer_live(&it, 12 * HOUR);
    expect_all_done();
}

static enum fake_fate anything(void *context, const struct fake_request *request)
{
    static const enum fake_fate fates[] = {FATE_DELIVERED, FATE_DELIVERED, FATE_SLOW,
                                           FATE_LOST_REQUEST, FATE_LOST_REPLY};

    (void)context;
    (void)request;
    return fates[fake_env_below(&it.env, sizeof fates / sizeof *fates)];
}

Test(slow, slow_and_lost_messages_change_nothing)
{
    it.launcher.output = large;
    it.site.asks_for_bodies = true;
    it.site.net.fate = anything;
    volunteer_live(&it, DAY);
    expect_all_done();
}

/* The end of the upload was fatal: see task_settle(). */
Test(slow, an_upload_under_way_when_its_batch_is_cancelled_is_broken_off)
{
    it.launcher.output = large;
    it.site.asks_for_bodies = true;
    live_until_slow("/v1/uploads");
    it.site.drops_reported = true;
    volunteer_live(&it, 4 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

Test(slow, a_clone_that_was_uploading_takes_a_new_key_and_goes_on)
{
    it.launcher.output = large;
    it.site.asks_for_bodies = true;
    live_until_slow("/v1/uploads");
    it.site.says_clone = true;
    volunteer_live(&it, 8 * HOUR);
    cr_expect(eq(i64, it.site.enrolments, 2));
    cr_expect(eq(int, it.site.says_clone, 0));
}

Test(slow, a_clone_that_was_downloading_takes_a_new_key_and_goes_on)
{
    live_until_slow("/v1/files");
    it.site.says_clone = true;
    volunteer_live(&it, 8 * HOUR);
    cr_expect(eq(i64, it.site.enrolments, 2));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

Test(slow, a_project_may_be_detached_while_something_is_on_its_way)
{
    static const char *const paths[] = {"/v1/hosts", "/v1/files", "/v1/scheduler"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const struct detach_order order = {.project = "A sample", .how = DETACH_FORGET};
        json_auto_t *request = verb_detach(&order);
        json_auto_t *answer = NULL;

        live_until_slow(paths[i]);
        answer = daemon_answer(it.daemon, request);
        cr_expect(eq(int, json_is_true(json_object_get(answer, "ok")), 1), "%s", paths[i]);
        cr_expect(eq(i64, it.site.net.slow, 0), "%s", paths[i]);
        for (size_t j = 0; j < it.site.task_count; j++)
            it.site.tasks[j].state = FAKE_WAITING;
        volunteer_attach(&it);
    }
}
