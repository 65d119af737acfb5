/* client/daemon: a disk that withholds files, has lost some, or has no room (I7, I10). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "tests/support/volunteer.h"

static struct volunteer it;

static void set_up(void)
{
    volunteer_init(&it, 4);
}

static void tear_down(void)
{
    volunteer_clear(&it);
}

TestSuite(files, .init = set_up, .fini = tear_down, .timeout = 60);

/* The path of a file of the attached project. */
static enum status project_file(struct disk_path *ret_path, const char *name)
{
    char id[BASE64URL_CHARS(DIGEST_BYTES) + 1];

    base64url_encode(it.site.sample.project.bytes, DIGEST_BYTES, id);
    return disk_join(ret_path, NULL, "%s/projects/%s/%s", it.path, id, name);
}

static void restart(void)
{
    volunteer_stop(&it);
    cr_assert(volunteer_start(&it));
}

/* --- files that cannot be read --- */

static bool has_projects(void)
{
    json_auto_t *status = volunteer_ask(&it, "status");

    return json_array_size(json_object_get(status, "projects")) > 0;
}

/* Is the one project listed as attached, but not loaded, with why? */
static void expect_listed(const char *unreadable, bool is_listed)
{
    json_auto_t *status = volunteer_ask(&it, "status");
    json_t *list = json_object_get(status, "not_loaded");
    json_t *first = json_array_get(list, 0);

    cr_expect(eq(sz, json_array_size(list), is_listed ? 1 : 0), "%s", unreadable);
    if (!is_listed)
        return;
    cr_expect(eq(str, (char *)json_string_value(json_object_get(first, "project")),
                 digest_format(&it.site.sample.project).text));
    cr_expect(ne(ptr, strstr(json_string_value(json_object_get(first, "why")), "told"), NULL),
              "the cause is told, too: %s", json_string_value(json_object_get(first, "why")));
}

/* One failed read at a start made a new host, with its work given up, or forgot the keyring. */
static void expect_only_a_delay(const char *unreadable)
{
    struct public_key key = it.site.host_key;

    it.disk.unreadable = unreadable;
    restart();
    volunteer_live(&it, 5 * MINUTE);
    cr_expect(not(has_projects()), "%s", unreadable);
    expect_listed(unreadable, true);
    it.disk.unreadable = NULL;
    volunteer_live(&it, 2 * MINUTE);
    cr_expect(has_projects(), "%s", unreadable);
    expect_listed(unreadable, false);
    cr_expect(eq(i64, it.site.enrolments, 1), "%s", unreadable);
    cr_expect(public_key_equals(&key, &it.site.host_key), "%s", unreadable);
    cr_expect(eq(i64, volunteer_number(&it, "keyring_version"), 1), "%s", unreadable);
    cr_expect(eq(str, (char *)volunteer_text(&it, "stopped"), ""), "%s", unreadable);
}

Test(files, files_that_the_disk_does_not_give_are_not_lost)
{
    static const char *const files[] = {"host.key", "host.json", "trust.json", "project.json",
                                        "/1.json"};
    json_auto_t *status = NULL;

    volunteer_live(&it, MINUTE / 2);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        expect_only_a_delay(files[i]);
    status = volunteer_ask(&it, "status");
    cr_expect(eq(str, (char *)json_string_value(json_object_get(status, "trouble")), ""));
    volunteer_live(&it, 3 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, volunteer_tally(&it, "accepted"), 4));
}

#define STRANGER 65534

/* The folder is one that the client may not write to: root's, where this is root, who becomes a
 * stranger for it; else one whose mode forbids it. */
static void forbid(const char *folder)
{
    if (geteuid() != 0) {
        cr_assert(zero(int, chmod(folder, 0500)));
        return;
    }
    cr_assert(zero(int, chown(folder, 0, 0)));
    cr_assert(zero(int, chmod(folder, 0755)));
    cr_assert(zero(int, seteuid(STRANGER)));
}

static void allow(const char *folder)
{
    bool is_stranger = getuid() == 0;

    if (is_stranger)
        cr_assert(zero(int, seteuid(0)));
    cr_assert(zero(int, chmod(folder, 0700)));
    if (!is_stranger)
        return;
    cr_assert(zero(int, chown(folder, STRANGER, 0)));
    cr_assert(zero(int, seteuid(STRANGER)));
}

/* Regression: it was loaded, got work, and failed at each task. */
Test(files, a_project_with_a_folder_that_is_not_its_owners_is_not_loaded_and_that_is_said)
{
    static const char *const parts[] = {"envelopes", "tasks", "slots", "spool", "."};
    const uid_t user = geteuid();
    struct disk_path path;
    char command[128];

    (void)snprintf(command, sizeof command, "chown -R %d %s", STRANGER, it.path);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (user == 0)
            cr_assert(zero(int, system(command)));
        cr_assert(eq(int, project_file(&path, parts[i]), STATUS_OK));
        forbid(path.text);
        restart();
        cr_expect(not(has_projects()), "%s", parts[i]);
        allow(path.text);
        volunteer_live(&it, 2 * MINUTE);
        cr_expect(has_projects(), "%s", parts[i]);
        cr_assert(zero(int, seteuid(user)));
    }
}

/* One record must not keep the rest, nor what others of its project have computed. */
Test(files, a_task_whose_record_is_damaged_is_done_without)
{
    struct disk *disk = &it.disk.base;
    struct disk_path path;

    it.site.keeps_reported = true;
    volunteer_live(&it, HOUR);
    cr_assert(eq(sz, volunteer_phase(&it, "reported"), 4));
    cr_assert(eq(int, project_file(&path, "tasks/1.json"), STATUS_OK));
    cr_assert(disk_has(disk, path.text));
    cr_assert(eq(int, disk->write(disk, path.text, "{", 1, 0600, NULL), STATUS_OK));
    restart();
    volunteer_live(&it, MINUTE);
    cr_assert(has_projects());
    cr_expect(eq(sz, volunteer_phase(&it, "reported"), 3));
    cr_expect(eq(i64, it.site.enrolments, 1));
}

/* It began anew from the first keyring, which an old server could pass off as the newest. */
Test(files, a_chain_of_trust_that_is_damaged_stops_the_project_until_it_is_attached_again)
{
    struct disk *disk = &it.disk.base;
    struct disk_path path;
    int64_t visits, bulletins;

    volunteer_live(&it, MINUTE / 2);
    cr_assert(eq(int, project_file(&path, "trust.json"), STATUS_OK));
    cr_assert(eq(int, disk->write(disk, path.text, "{", 1, 0600, NULL), STATUS_OK));
    visits = it.site.visits;
    bulletins = it.site.bulletins;
    for (int i = 0; i < 2; i++) {
        restart();
        volunteer_live(&it, HOUR);
        cr_expect(ne(ptr, strstr(volunteer_text(&it, "stopped"), "attach again"), NULL));
    }
    cr_expect(eq(i64, it.site.visits, visits));
    cr_expect(eq(i64, it.site.bulletins, bulletins));
    volunteer_attach(&it);
    cr_expect(eq(str, (char *)volunteer_text(&it, "stopped"), ""));
    volunteer_live(&it, 3 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, it.site.enrolments, 1));
}

/* --- no room --- */

static void expect_trouble(const char *words)
{
    json_auto_t *status = volunteer_ask(&it, "status");
    const char *trouble = json_string_value(json_object_get(status, "trouble"));

    cr_expect(strstr(trouble, words) != NULL && (*words != '\0' || *trouble == '\0'), "%s",
              trouble);
}

/* The words were cleared in the step that set them. */
Test(files, a_cache_without_room_is_told_until_there_is_some)
{
    it.config.cache = 8; /* of two files of 6 and 4 bytes that one task needs */
    restart();
    volunteer_live(&it, HOUR);
    expect_trouble("the cache is full");
    cr_expect(eq(i64, it.launcher.started, 0));
    it.config.cache = 100;
    restart();
    volunteer_live(&it, 3 * HOUR);
    expect_trouble("");
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

static char *half_a_mebibyte(void *context, const char *slot, const char *name)
{
    char *bytes = must_alloc((1 << 19) + 1, 1);

    (void)context;
    (void)slot;
    (void)name;
    memset(bytes, 'x', 1 << 19);
    return bytes;
}

/* Units that ask for a MiB, and half of one for the copy of what they put out. */
static void let_units_be_small(void)
{
    struct work_unit *unit = &it.site.sample.unit;

    unit->limits.disk_bytes = 1 << 20;
    unit->limits.output_bytes = 1 << 19;
    for (size_t i = 0; i < it.site.task_count; i++) {
        envelope_clear(&it.site.tasks[i].unit);
        unit->index = (int64_t)i;
        (void)snprintf(unit->name.text, sizeof unit->name.text, "unit-%zu", i);
        it.site.tasks[i].unit = sample_seal_unit(&it.site.sample);
    }
    it.launcher.output = half_a_mebibyte;
}

/* Only the number of tasks bounded what a server that never takes its results could pile up. */
Test(files, finished_work_that_nobody_takes_stops_new_work_at_the_disk_cap)
{
    let_units_be_small();
    it.site.grants_at_once = 1;
    it.config.disk = 2 << 20;
    volunteer_live(&it, 5 * HOUR);
    cr_expect(eq(sz, volunteer_phase(&it, "reported"), 2));
    cr_expect(eq(i64, it.site.told_disk_bytes, 1 << 20), "what is left");
    cr_expect(eq(sz, volunteer_phase(&it, "ready"), 1), "it came while there was room");
    cr_expect(eq(i64, it.launcher.started, 2));
    cr_expect(eq(i64, it.site.asked_tasks, 0));
    cr_expect(strstr(volunteer_text(&it, "why_idle"), "may need 1 MiB") != NULL, "%s",
              volunteer_text(&it, "why_idle"));
    it.config.disk = 1 << 20;
    volunteer_live(&it, 5 * HOUR);
    cr_expect(strstr(volunteer_text(&it, "why_idle"), "fills the disk") != NULL, "%s",
              volunteer_text(&it, "why_idle"));
    cr_expect(eq(i64, it.site.asked_tasks, 0));
    it.config.disk = 1 << 30;
    volunteer_live(&it, 5 * HOUR);
    cr_expect(eq(sz, volunteer_phase(&it, "reported"), 4));
}

Test(files, kept_work_makes_room_for_what_runs)
{
    let_units_be_small();
    it.site.task_count = 2;
    volunteer_live(&it, HOUR);
    it.site.drops_reported = true;
    volunteer_live(&it, HOUR);
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 2));
    it.site.drops_reported = false;
    it.site.task_count = 3;
    it.config.disk = 2 << 20;
    volunteer_live(&it, HOUR);
    cr_expect(eq(sz, volunteer_phase(&it, "reported"), 1));
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 1));
}

/* --- the volunteer's disk --- */

#define GIB (INT64_C(1) << 30)

static void let_be_free(int64_t bytes)
{
    it.disk.told.free_bytes = bytes;
}

static void expect_why(const char *words)
{
    json_auto_t *status = volunteer_ask(&it, "status");
    const char *trouble = json_string_value(json_object_get(status, "trouble"));

    cr_expect(strstr(volunteer_text(&it, "why_idle"), words) != NULL, "%s",
              volunteer_text(&it, "why_idle"));
    cr_expect(strstr(trouble, words) != NULL, "%s", trouble);
}

static void expect_all_stored(void)
{
    volunteer_live(&it, 3 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, volunteer_tally(&it, "accepted"), 4));
}

/* It went on until the disk was full to the last byte. */
Test(files, on_a_disk_that_others_fill_nothing_is_asked_for_until_there_is_room)
{
    let_be_free(GIB);
    volunteer_live(&it, HOUR);
    cr_expect(eq(i64, it.site.asked_tasks, 0));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_SENT), 0));
    expect_why("has 1024 MiB free, of which free_floor leaves 2048 MiB to others");
    let_be_free(100 * GIB);
    expect_all_stored();
    cr_expect(eq(str, (char *)volunteer_text(&it, "trouble"), ""));
}

static enum fake_fate no_files(void *context, const struct fake_request *request)
{
    (void)context;
    return text_starts_with(request->path, "/v1/files/") ? FATE_LOST_REQUEST : FATE_DELIVERED;
}

Test(files, nothing_is_fetched_onto_a_disk_that_others_fill)
{
    it.site.net.fate = no_files;
    volunteer_live(&it, MINUTE);
    cr_expect(eq(sz, volunteer_phase(&it, "fetching"), 2));
    it.site.net.fate = NULL;
    let_be_free(2 * GIB + 5);
    volunteer_live(&it, HOUR);
    cr_expect(eq(i64, it.site.files_served, 0));
    cr_expect(eq(sz, volunteer_phase(&it, "fetching"), 2));
    expect_why("a task may need 1040 MiB");
    let_be_free(100 * GIB);
    expect_all_stored();
}

Test(files, nothing_is_started_on_a_disk_that_others_fill_and_what_is_finished_is_reported)
{
    volunteer_live(&it, MINUTE / 2);
    cr_expect(eq(sz, volunteer_phase(&it, "running"), 1));
    cr_expect(eq(sz, volunteer_phase(&it, "ready"), 1));
    let_be_free(GIB);
    volunteer_live(&it, HOUR);
    cr_expect(eq(i64, it.launcher.started, 1), "the other waits");
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 1));
    cr_expect(eq(i64, it.site.asked_tasks, 0));
    expect_why("MiB free");
    volunteer_restart(&it);
    volunteer_live(&it, HOUR);
    cr_expect(eq(i64, it.launcher.started, 1), "after a restart, too");
    let_be_free(100 * GIB);
    expect_all_stored();
}

/* A tenth of what is free is ours, even if the owner named no limit. */
Test(files, no_more_than_its_share_of_the_free_space_is_offered)
{
    const int64_t tenth = 20 * GIB / 100 * 10;

    let_be_free(20 * GIB);
    volunteer_live(&it, MINUTE / 2);
    cr_expect(eq(i64, it.site.told_disk_bytes, tenth));
}

Test(files, files_that_nobody_needs_are_given_back_to_a_disk_that_others_fill)
{
    volunteer_live(&it, 3 * HOUR);
    cr_expect(eq(i64, it.site.files_served, 2));
    let_be_free(GIB);
    volunteer_live(&it, HOUR);
    let_be_free(100 * GIB);
    it.site.task_count = 5;
    it.site.tasks[4] = (struct fake_task){.number = 5};
    it.site.sample.unit.index = 4;
    it.site.tasks[4].unit = sample_seal_unit(&it.site.sample);
    volunteer_live(&it, 3 * HOUR);
    cr_expect(eq(i64, it.site.files_served, 4), "they had to be fetched again");
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 5));
}
