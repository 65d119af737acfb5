/* client/daemon: only what the project signed, and for as long as it holds (I1). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
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

Test(daemon, revoked_work_stops_at_once_and_is_refused)
{
    struct freshness *freshness = &it.site.sample.freshness;

    volunteer_live(&it, MINUTE / 2);
    cr_expect(eq(sz, volunteer_phase(&it, "running"), 1));
    freshness->sequence = 2;
    freshness->app_versions = must_alloc(1, sizeof *freshness->app_versions);
    freshness->app_versions[0] = it.site.app_version.digest;
    freshness->app_version_count = 1;
    envelope_clear(&it.site.freshness);
    it.site.freshness = sample_seal_freshness(&it.site.sample);
    it.launcher.duration_ms = DAY;
    volunteer_live(&it, 10 * MINUTE);
    cr_expect(eq(i64, it.launcher.killed, 1));
    cr_expect(eq(int, it.site.tasks[0].outcome, VISIT_REFUSED));
    cr_expect(eq(int, it.site.tasks[0].refusal, REFUSAL_REVOKED_APP_VERSION));
    cr_expect(eq(sz, volunteer_phase(&it, "running"), 0));
}

Test(daemon, without_fresh_freshness_nothing_new_starts_but_finished_work_is_reported)
{
    volunteer_live(&it, MINUTE / 2);
    it.env.now_s += 20 * 86400;
    volunteer_live(&it, HOUR);
    cr_expect(eq(i64, it.launcher.started, 1));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 1));
    cr_expect(ne(str, (char *)volunteer_text(&it, "why_idle"), ""));
    cr_expect(eq(i64, it.site.asked_tasks, 0));
}

Test(daemon, a_clock_that_falls_back_a_year_judges_by_what_was_signed)
{
    it.env.now_s -= 365 * 86400;
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

Test(daemon, a_forked_keyring_stops_the_project_and_says_so)
{
    it.site.sample.keyring.expires_s -= 1;
    envelope_clear(&it.site.keyring);
    it.site.keyring = sample_seal_keyring(&it.site.sample);
    it.site.sample.freshness.keyring = it.site.keyring.digest;
    it.site.sample.freshness.sequence = 2;
    envelope_clear(&it.site.freshness);
    it.site.freshness = sample_seal_freshness(&it.site.sample);
    volunteer_live(&it, HOUR);
    cr_expect(text_starts_with(volunteer_text(&it, "stopped"), "two different keyrings"));
    volunteer_restart(&it);
    cr_expect(text_starts_with(volunteer_text(&it, "stopped"), "two different keyrings"));
    cr_expect(eq(i64, it.launcher.alive, 0));
}

Test(daemon, an_input_that_was_changed_is_refused_and_named)
{
    (void)text_fit(it.site.file, sizeof it.site.file, "dat!");
    volunteer_live(&it, 6 * HOUR);
    cr_expect(eq(i64, it.launcher.started, 0));
    cr_expect(eq(int, it.site.tasks[0].outcome, VISIT_REFUSED));
    cr_expect(eq(int, it.site.tasks[0].refusal, REFUSAL_CHANGED_INPUT));
}

Test(daemon, an_input_that_is_longer_than_signed_is_refused)
{
    (void)text_fit(it.site.file, sizeof it.site.file, "data and more");
    volunteer_live(&it, 6 * HOUR);
    cr_expect(eq(i64, it.launcher.started, 0));
    cr_expect(eq(int, it.site.tasks[0].refusal, REFUSAL_LARGER_THAN_SIGNED));
}

Test(daemon, a_unit_of_a_stranger_is_refused)
{
    envelope_clear(&it.site.tasks[0].unit);
    {
        CLEANUP(freep) char *payload = work_unit_encode(&it.site.sample.unit);

        it.site.tasks[0].unit = sample_seal(WORK_UNIT_TYPE, payload, &it.site.sample.stranger);
    }
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(int, it.site.tasks[0].outcome, VISIT_REFUSED));
    cr_expect(eq(int, it.site.tasks[0].refusal, REFUSAL_UNKNOWN_KEY));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, it.launcher.started, 3));
}

/* A server restored from a backup gives numbers away again that we know as other units'. */
Test(daemon, a_task_that_is_granted_again_as_another_unit_is_refused_and_said)
{
    struct fake_task *task = &it.site.tasks[0];
    struct envelope before = task->unit;

    it.site.keeps_reported = true;
    volunteer_live(&it, 2 * HOUR);
    cr_assert(eq(sz, volunteer_phase(&it, "reported"), 4));
    it.site.sample.unit.index = 9;
    task->unit = sample_seal_unit(&it.site.sample);
    task->state = FAKE_WAITING;
    volunteer_live(&it, HOUR);
    cr_expect(eq(int, task->state, FAKE_SENT), "what is known of the other unit is not reported");
    cr_expect(eq(sz, volunteer_phase(&it, "reported"), 4), "and it is kept");
    cr_expect(strstr(volunteer_text(&it, "trouble"), "task 1 again as another unit") != NULL, "%s",
              volunteer_text(&it, "trouble"));
    envelope_clear(&task->unit);
    task->unit = before;
    task->state = FAKE_WAITING;
    volunteer_live(&it, HOUR);
    cr_expect(eq(int, task->state, FAKE_REPORTED), "as the unit that it is, it is reported again");
    cr_expect(eq(str, (char *)volunteer_text(&it, "trouble"), ""));
    cr_expect(eq(i64, it.launcher.started, 4));
}

Test(daemon, a_file_changed_in_the_cache_never_runs)
{
    struct disk *disk = &it.disk.base;
    struct digest data = digest_of("data", 4);
    char hex[2 * DIGEST_BYTES + 1];
    struct disk_path path;

    it.launcher.duration_ms = 30 * MINUTE;
    volunteer_live(&it, MINUTE);
    text_from_bytes(data.bytes, DIGEST_BYTES, hex);
    cr_assert(eq(int, disk_join(&path, NULL, "%s/cache/%s", it.path, hex), STATUS_OK));
    cr_assert(eq(int, disk->write(disk, path.text, "evil", 4, 0600, NULL), STATUS_OK));
    it.site.files_served = 0;
    volunteer_live(&it, 4 * HOUR);
    cr_expect(eq(i64, it.site.files_served, 1), "it was fetched anew");
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}
