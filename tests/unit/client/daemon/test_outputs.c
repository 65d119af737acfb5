/* client/daemon: outputs too large to travel in a visit. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "common/env/real.h"
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

static char *large(void *context, const char *slot, const char *name)
{
    char *bytes = must_alloc(100001, 1);

    (void)context;
    (void)slot;
    (void)name;
    memset(bytes, 'x', 100000);
    return bytes;
}

Test(daemon, a_large_output_is_uploaded_when_asked_for)
{
    it.launcher.output = large;
    it.site.asks_for_bodies = true;
    volunteer_live(&it, 4 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 4));
}

Test(daemon, an_upload_that_broke_goes_on_where_it_was)
{
    it.launcher.output = large;
    it.site.asks_for_bodies = true;
    it.site.upload_cut = 70000;
    volunteer_live(&it, 4 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

static enum fake_fate breaks_after_one_piece(void *context, const struct fake_request *request)
{
    struct fake_site *site = context;

    if (site->upload_length == 70000 && request->method == HTTP_HEAD)
        return FATE_LOST_REQUEST;
    return FATE_DELIVERED;
}

/* One unit; its upload broke after 70,000 bytes, and the client was stopped before it went on. */
static void break_an_upload(void)
{
    it.launcher.output = large;
    it.site.asks_for_bodies = true;
    it.site.upload_cut = 70000;
    it.site.net.fate = breaks_after_one_piece;
    for (int i = 0; i < 240 && it.site.upload_length != 70000; i++)
        volunteer_live(&it, MINUTE);
    cr_assert(eq(sz, it.site.upload_length, 70000));
    volunteer_stop(&it);
    it.site.net.fate = NULL;
}

Test(daemon, an_upload_goes_on_where_it_was_after_a_restart)
{
    int64_t made;

    break_an_upload();
    made = it.site.uploads_made;
    cr_assert(volunteer_start(&it));
    for (int i = 0; i < 60 && !it.site.tasks[it.site.upload_task - 1].was_uploaded; i++)
        volunteer_live(&it, MINUTE);
    cr_expect(eq(i64, it.site.uploads_made, made), "no other one was begun");
    volunteer_live(&it, 4 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

Test(daemon, an_upload_that_the_server_forgot_meanwhile_is_begun_anew)
{
    break_an_upload();
    it.site.upload_size = it.site.upload_length = 0;
    cr_assert(volunteer_start(&it));
    volunteer_live(&it, 4 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

static enum fake_fate loses_replies_to_patches(void *context, const struct fake_request *request)
{
    (void)context;
    return request->method == HTTP_PATCH ? FATE_LOST_REPLY : FATE_DELIVERED;
}

/* It was sent again from its first byte. */
Test(daemon, an_upload_whose_last_reply_was_lost_is_not_sent_again)
{
    it.launcher.output = large;
    it.site.asks_for_bodies = true;
    it.site.net.fate = loses_replies_to_patches;
    for (int i = 0; i < 240 && it.site.upload_length == 0; i++)
        volunteer_live(&it, MINUTE);
    it.site.net.fate = NULL;
    volunteer_live(&it, 4 * HOUR);
    cr_expect(eq(i64, it.site.uploads_made, 4));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

/* The end of its exchange was taken for a task that wanted nothing, which was fatal. */
Test(daemon, an_upload_that_nobody_needs_any_more_is_broken_off)
{
    it.launcher.output = large;
    it.site.asks_for_bodies = true;
    it.site.net.stalled = "/v1/uploads";
    volunteer_live(&it, HOUR);
    cr_expect(eq(i64, it.site.uploads_made, 1));
    it.site.drops_reported = true;
    volunteer_live(&it, HOUR);
    it.site.net.stalled = NULL;
    volunteer_live(&it, 4 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, it.site.uploads_made, 1));
}

Test(daemon, a_large_output_nobody_asks_for_stays_here)
{
    it.launcher.output = large;
    volunteer_live(&it, 4 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 0));
    cr_expect(eq(sz, volunteer_phase(&it, "reported"), 4));
}

/* --- collecting --- */

#define LARGE_BYTES (12 * 1024 * 1024)

/* Units whose output may be large; and the one that runs has written such a one. */
static void write_a_large_output(void)
{
    static char bytes[LARGE_BYTES];
    struct disk *disk = disk_real();
    struct disk_path path;
    char id[64];

    it.site.sample.app_version.outputs[0].max_bytes = LARGE_BYTES;
    fake_site_seal(&it.site);
    for (size_t i = 0; i < it.site.task_count; i++) {
        it.site.sample.unit.index = (int64_t)i;
        envelope_clear(&it.site.tasks[i].unit);
        it.site.tasks[i].unit = sample_seal_unit(&it.site.sample);
    }
    it.launcher.output = NULL;
    volunteer_live(&it, MINUTE / 2);
    cr_assert(eq(sz, volunteer_phase(&it, "running"), 1));
    base64url_encode(it.site.sample.project.bytes, DIGEST_BYTES, id);
    cr_assert(disk_join(&path, NULL, "%s/projects/%s/slots/1/out", it.path, id) == STATUS_OK);
    cr_assert(disk->write(disk, path.text, bytes, sizeof bytes, 0600, NULL) == STATUS_OK);
    fake_env_pass(&it.env, MINUTE);
}

/* All of it was copied and hashed in one step, and neither owner nor network was heard meanwhile.
 */
Test(daemon, a_large_output_is_collected_in_pieces_between_which_the_owner_is_heard)
{
    int pieces = 0;

    write_a_large_output();
    for (int i = 0; i < 50 && volunteer_phase(&it, "finished") == 0; i++) {
        int64_t before = it.disk.moved_bytes;
        int64_t wake = daemon_step(it.daemon);

        cr_expect(lt(i64, it.disk.moved_bytes - before, LARGE_BYTES / 2));
        if (volunteer_phase(&it, "collecting") == 0)
            continue;
        cr_expect(eq(i64, wake, it.env.now_mono_ms), "the next piece follows at once");
        pieces++;
    }
    cr_expect(ge(int, pieces, 3));
    it.launcher.output = large; /* of the others */
    volunteer_live(&it, HOUR);
    cr_expect(eq(sz, volunteer_phase(&it, "reported"), 4));
    cr_expect(eq(i64, it.site.tasks[0].output.size, LARGE_BYTES));
}

Test(daemon, a_client_that_stops_while_it_collects_runs_the_task_again)
{
    write_a_large_output();
    (void)daemon_step(it.daemon);
    cr_assert(eq(sz, volunteer_phase(&it, "collecting"), 1));
    it.launcher.output = large;
    volunteer_restart(&it);
    volunteer_live(&it, 4 * HOUR);
    cr_expect(eq(sz, volunteer_phase(&it, "reported"), 4));
    cr_expect(eq(i64, it.launcher.started, 6), "the next one ran already");
}
