/* client/daemon: a whole daemon against a site that holds it to the protocol. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "common/env/real.h"
#include "tests/support/volunteer.h"

#define MINUTE INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static struct volunteer it;

static void set_up(void)
{
    log_init(NULL, LOG_ERROR, 2);
    volunteer_init(&it, 4);
}

/* Criterion passes a test whatever fails here: volunteer_live() and volunteer_stop() look, too. */
static void tear_down(void)
{
    cr_expect(eq(str, it.site.broken, ""));
    volunteer_clear(&it);
    cr_expect(eq(i64, it.launcher.alive, 0));
    cr_expect(eq(i64, it.site.net.open, 0));
}

TestSuite(daemon, .init = set_up, .fini = tear_down, .timeout = 60);

static void restart(void)
{
    volunteer_stop(&it);
    cr_assert(volunteer_start(&it));
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
    restart();
    volunteer_live(&it, MINUTE / 2);
    cr_expect(eq(sz, volunteer_phase(&it, "running"), 2));
}

Test(daemon, finished_work_is_kept_for_the_grace_and_then_forgotten)
{
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 4));
    volunteer_live(&it, 6 * DAY);
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 4));
    it.site.sample.freshness.expires_s += 20 * 86400;
    volunteer_live(&it, 2 * DAY);
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 0));
}

/* Found by running a client a year ahead for a few seconds: all it kept was gone. */
Test(daemon, a_clock_that_runs_a_year_ahead_deletes_nothing_that_is_kept)
{
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 4));
    it.env.now_s += 365 * 86400;
    volunteer_live(&it, 2 * HOUR);
    restart();
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 4));
}

Test(daemon, reported_work_is_kept_until_the_server_has_it_stored)
{
    it.site.keeps_reported = true;
    volunteer_live(&it, 9 * DAY);
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
    volunteer_live(&it, 3 * DAY);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, it.launcher.started, 4));
    cr_expect(eq(i64, volunteer_tally(&it, "accepted"), 4));
    cr_expect(eq(i64, volunteer_tally(&it, "credit"), 4000000));
    cr_expect(gt(i64, it.site.repeats, 0));
}

Test(daemon, a_lost_reply_is_asked_for_with_the_same_bytes_after_a_restart)
{
    it.site.net.fate = unlucky;
    for (int i = 0; i < 100; i++) {
        volunteer_live(&it, 3 * MINUTE);
        restart();
    }
    it.site.net.fate = NULL;
    volunteer_live(&it, DAY);
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
    restart();
    volunteer_live(&it, 2 * DAY);
    cr_expect(eq(sz, volunteer_phase(&it, "finished"), 2));
    it.site.net.fate = NULL;
    volunteer_live(&it, DAY);
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
    cr_expect(gt(i64, it.site.visits, 0));
}

/* Its number came again with other bytes, and the server took the host for a clone. */
Test(daemon, a_refused_visit_has_spent_its_number)
{
    volunteer_live(&it, MINUTE / 2);
    it.site.fails_with = STATUS_INVALID;
    volunteer_live(&it, HOUR);
    restart();
    it.site.fails_with = STATUS_OK;
    volunteer_live(&it, 3 * HOUR);
    cr_expect(gt(i64, it.site.refused_visit, 0));
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

/* --- trust --- */

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
    restart();
    cr_expect(text_starts_with(volunteer_text(&it, "stopped"), "two different keyrings"));
    cr_expect(eq(i64, it.launcher.alive, 0));
}

Test(daemon, an_input_that_was_changed_is_refused_and_named)
{
    (void)text_fit(it.site.file, sizeof it.site.file, "dat!");
    volunteer_live(&it, DAY);
    cr_expect(eq(i64, it.launcher.started, 0));
    cr_expect(eq(int, it.site.tasks[0].outcome, VISIT_REFUSED));
    cr_expect(eq(int, it.site.tasks[0].refusal, REFUSAL_CHANGED_INPUT));
}

Test(daemon, an_input_that_is_longer_than_signed_is_refused)
{
    (void)text_fit(it.site.file, sizeof it.site.file, "data and more");
    volunteer_live(&it, DAY);
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
    volunteer_live(&it, 2 * DAY);
    cr_expect(eq(int, it.site.tasks[0].outcome, VISIT_ABANDONED));
}

/* --- large inputs --- */

#define LARGE_BYTES (16 * 1024 * 1024)

static void write_large(const char *bytes, const struct digest *digest)
{
    struct disk *disk = disk_real();
    char hex[2 * DIGEST_BYTES + 1];
    struct disk_path file;

    text_from_bytes(digest->bytes, DIGEST_BYTES, hex);
    cr_assert(eq(int, disk_join(&file, NULL, "%s/cache/%s", it.path, hex), STATUS_OK));
    cr_assert(eq(int, disk->write(disk, file.text, bytes, LARGE_BYTES, 0600, NULL), STATUS_OK));
}

/* Its only input to be fetched is large, and in the cache already. */
static void give_a_large_input(void)
{
    char *bytes = must_alloc(LARGE_BYTES, 1);
    struct work_input *input = &it.site.sample.unit.inputs[0];

    volunteer_stop(&it);
    input->digest = digest_of(bytes, LARGE_BYTES);
    input->size = LARGE_BYTES;
    for (size_t i = 0; i < it.site.task_count; i++) {
        envelope_clear(&it.site.tasks[i].unit);
        it.site.tasks[i].unit = sample_seal_unit(&it.site.sample);
    }
    write_large(bytes, &input->digest);
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

    give_a_large_input();
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
    give_a_large_input();
    for (int i = 0; i < 200 && !is_being_filled(); i++)
        (void)daemon_step(it.daemon);
    cr_assert(is_being_filled());
    restart();
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

/* --- tasks that end otherwise --- */

Test(daemon, a_task_that_fails_is_reported_with_its_words)
{
    it.launcher.end.code = 3;
    (void)text_fit(it.launcher.end.tail, sizeof it.launcher.end.tail, "no such thing\n");
    it.launcher.end.tail_length = strlen(it.launcher.end.tail);
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(int, it.site.tasks[0].outcome, VISIT_ERROR));
    cr_expect(eq(str, it.site.tasks[0].stderr_tail, "no such thing\n"));
    cr_expect(eq(i64, volunteer_tally(&it, "errors"), 4));
}

/* Never the app's fault, whatever this machine lacks: no error is reported, and it runs later. */
static void expect_later(const char *words)
{
    volunteer_live(&it, 5 * HOUR);
    cr_expect(eq(i64, volunteer_tally(&it, "errors"), 0));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_REPORTED), 0));
    cr_expect(strstr(volunteer_text(&it, "why_idle"), words) != NULL, "%s",
              volunteer_text(&it, "why_idle"));
    cr_expect(eq(i64, it.site.asked_tasks, 0), "no more is asked for meanwhile");
}

static void expect_done_now(void)
{
    volunteer_live(&it, 3 * HOUR);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
    cr_expect(eq(i64, volunteer_tally(&it, "accepted"), 4));
    cr_expect(eq(i64, volunteer_tally(&it, "errors"), 0));
}

Test(daemon, a_machine_that_cannot_fork_runs_the_task_later_and_says_so)
{
    it.launcher.start_fails = STATUS_BUSY;
    expect_later("no process left");
    it.launcher.start_fails = STATUS_OK;
    expect_done_now();
}

Test(daemon, a_keeper_that_cannot_fork_is_not_the_apps_error)
{
    it.launcher.end =
        (struct run_outcome){.end = RUN_NOT_STARTED, .code = EAGAIN, .failed_step = "process"};
    it.launcher.duration_ms = 0;
    expect_later("could not start");
    it.launcher.end = (struct run_outcome){.end = RUN_EXITED};
    expect_done_now();
}

Test(daemon, want_of_memory_at_exec_is_not_the_apps_error)
{
    it.launcher.end =
        (struct run_outcome){.end = RUN_NOT_STARTED, .code = ENOMEM, .failed_step = "executable"};
    it.launcher.duration_ms = 0;
    expect_later("could not start");
    it.launcher.end = (struct run_outcome){.end = RUN_EXITED};
    expect_done_now();
}

Test(daemon, a_program_that_is_none_is_the_apps_error)
{
    it.launcher.end =
        (struct run_outcome){.end = RUN_NOT_STARTED, .code = ENOEXEC, .failed_step = "executable"};
    volunteer_live(&it, 3 * HOUR);
    cr_expect(eq(int, it.site.tasks[0].outcome, VISIT_ERROR));
    cr_expect(eq(i64, volunteer_tally(&it, "errors"), 4));
}

Test(daemon, a_spool_without_room_collects_the_outputs_later_and_says_so)
{
    it.launcher.collect_fails = STATUS_FULL;
    expect_later("no room");
    it.launcher.collect_fails = STATUS_OK;
    expect_done_now();
    cr_expect(eq(i64, it.launcher.started, 4), "nothing ran twice");
}

static char *nothing(void *context, const char *slot, const char *name)
{
    (void)context;
    (void)slot;
    (void)name;
    return NULL;
}

Test(daemon, a_missing_output_is_an_error)
{
    it.launcher.output = nothing;
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(int, it.site.tasks[0].outcome, VISIT_ERROR));
    cr_expect(eq(str, it.site.tasks[0].why, "output out is missing"));
}

Test(daemon, a_task_that_ran_when_the_client_died_runs_again)
{
    volunteer_live(&it, MINUTE / 2);
    cr_expect(eq(i64, it.launcher.started, 1));
    restart();
    cr_expect(eq(i64, it.launcher.killed, 1));
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(i64, it.launcher.started, 5));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

/* --- large outputs --- */

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
    restart();
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
    cr_expect(gt(i64, volunteer_number(&it, "asks_again_s"), 0));
}

Test(daemon, the_bulletin_is_looked_at_every_five_minutes_and_mostly_unchanged)
{
    volunteer_live(&it, 10 * HOUR);
    cr_expect(ge(i64, it.site.bulletins, 120));
    cr_expect(le(i64, it.site.bulletins, 155));
}
