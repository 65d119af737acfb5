/* client/daemon: inputs that cannot be had, and large ones. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#include "client/fetch/cache.h"
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

/* --- files that cannot be had --- */

/* Task 1 needs a file that the server has not; the back-off for it held up all others. */
Test(daemon, a_file_that_cannot_be_had_does_not_hold_up_the_others)
{
    struct work_input *input = &it.site.sample.unit.inputs[0];
    struct digest data = input->digest;

    input->digest = digest_of("nobody has this", 15);
    envelope_clear(&it.site.tasks[0].unit);
    it.site.tasks[0].unit = sample_seal_unit(&it.site.sample);
    input->digest = data;
    it.config.retry_first = 600;
    volunteer_live(&it, 15 * MINUTE);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 3));
    it.site.return_s = 3600;
    volunteer_live(&it, 2 * DAY);
    cr_expect(eq(int, it.site.tasks[0].outcome, VISIT_ABANDONED));
}

/* --- large inputs --- */

#define LARGE_BYTES (16 * 1024 * 1024)

static void write_large(const char *bytes, const struct digest *name, const char *suffix)
{
    struct disk *disk = disk_real();
    char hex[2 * DIGEST_BYTES + 1];
    struct disk_path file;

    text_from_bytes(name->bytes, DIGEST_BYTES, hex);
    cr_assert(eq(int, disk_join(&file, NULL, "%s/cache/%s%s", it.path, hex, suffix), STATUS_OK));
    cr_assert(eq(int, disk->write(disk, file.text, bytes, LARGE_BYTES, 0600, NULL), STATUS_OK));
}

/* Its only input to be fetched is large, and in the cache already, or left as a part. */
static void give_a_large_input(bool is_part)
{
    char *bytes = must_alloc(LARGE_BYTES, 1);
    struct work_input *input = &it.site.sample.unit.inputs[0];
    struct digest part;

    volunteer_stop(&it);
    input->digest = digest_of(bytes, LARGE_BYTES);
    input->size = LARGE_BYTES;
    for (size_t i = 0; i < it.site.task_count; i++) {
        it.site.sample.unit.index = (int64_t)i;
        envelope_clear(&it.site.tasks[i].unit);
        it.site.tasks[i].unit = sample_seal_unit(&it.site.sample);
    }
    part = cache_part(&it.site.sample.project, &input->digest);
    write_large(bytes, is_part ? &part : &input->digest, is_part ? ".part" : "");
    free(bytes);
    cr_assert(volunteer_start(&it));
}

static bool is_being_filled(void)
{
    struct disk *disk = disk_real();
    struct disk_entry entry = {.size_bytes = 0};
    struct disk_path file;
    char id[64];

    base64url_encode(it.site.sample.project.bytes, DIGEST_BYTES, id);
    cr_assert(disk_join(&file, NULL, "%s/projects/%s/slots/1/data", it.path, id) == STATUS_OK);
    return disk->look(disk, file.text, &entry, NULL) == STATUS_OK && entry.size_bytes < LARGE_BYTES;
}

/* One step copied all of it, and neither owner nor network was heard meanwhile. */
Test(daemon, a_large_input_is_copied_in_pieces_between_which_the_owner_is_heard)
{
    int pieces = 0;

    give_a_large_input(false);
    for (int i = 0; i < 200 && it.launcher.started == 0; i++) {
        (void)daemon_step(it.daemon);
        pieces += is_being_filled() ? 1 : 0;
        if (pieces == 2 && i < 100) {
            json_decref(volunteer_ask(&it, "pause"));
            for (int j = 0; j < 20; j++)
                (void)daemon_step(it.daemon);
            cr_expect(is_being_filled(), "a pause holds here, too");
            json_decref(volunteer_ask(&it, "resume"));
        }
    }
    cr_expect(ge(int, pieces, 2));
    cr_expect(eq(i64, it.launcher.started, 1));
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

Test(daemon, a_client_that_stops_while_it_copies_starts_the_copy_anew)
{
    give_a_large_input(false);
    for (int i = 0; i < 200 && !is_being_filled(); i++)
        (void)daemon_step(it.daemon);
    cr_assert(is_being_filled());
    volunteer_restart(&it);
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

/* The most that one step reads and writes until a task runs. */
static int64_t most_moved_in_a_step(void)
{
    int64_t most = 0;

    for (int i = 0; i < 200 && it.launcher.started == 0; i++) {
        int64_t before = it.disk.moved_bytes;

        (void)daemon_step(it.daemon);
        if (it.disk.moved_bytes - before > most)
            most = it.disk.moved_bytes - before;
    }
    cr_assert(eq(i64, it.launcher.started, 1));
    return most;
}

/* What a cut had left was hashed in one step, and neither owner nor network was heard meanwhile. */
Test(daemon, a_large_part_is_hashed_in_pieces_and_not_asked_for_again)
{
    give_a_large_input(true);
    cr_expect(lt(i64, most_moved_in_a_step(), LARGE_BYTES));
    cr_expect(eq(i64, it.site.files_served, 1), "the program alone");
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

Test(daemon, a_client_that_stops_while_it_hashes_a_part_loses_nothing_of_it)
{
    give_a_large_input(true);
    for (int i = 0; i < 200 && it.disk.moved_bytes < LARGE_BYTES / 2; i++)
        (void)daemon_step(it.daemon);
    cr_assert(eq(i64, it.launcher.started, 0));
    volunteer_restart(&it);
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(i64, it.site.files_served, 1), "the program alone");
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}
