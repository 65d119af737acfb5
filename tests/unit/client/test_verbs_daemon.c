/* The verbs of dugnad-client, whole: detach, pause and run, with and without a daemon. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/program.h"
#include "client/state/folder.h"
#include "common/base/disk.h"
#include "tests/support/terminal.h"

TestSuite(verbs, .init = terminal_set_up, .fini = terminal_tear_down, .timeout = 60);

/* --- detach --- */

Test(verbs, detach_removes_the_project_where_no_daemon_runs)
{
    cr_assert(eq(int, CLIENT("attach", terminal.link, "--yes"), 0));
    cr_expect(eq(int, CLIENT("detach", "Some other"), EXIT_FAILED));
    cr_expect(terminal_says("no attached project is called so"));
    cr_expect(eq(int, CLIENT("detach", "A sample"), 0), "%s", terminal.said);
    terminal_expect_not_attached();
    cr_expect(eq(int, CLIENT("detach", "A sample"), EXIT_FAILED));
}

Test(verbs, detach_removes_the_project_of_a_running_daemon)
{
    struct terminal_daemon it = terminal_daemon_start();

    cr_assert(eq(int, CLIENT("attach", terminal.link, "--yes"), 0));
    cr_expect(eq(int, CLIENT("detach", FAKE_SITE_URL, "--yes"), 0), "%s", terminal.said);
    terminal_expect_not_attached();
    cr_expect(eq(int, terminal_daemon_end(&it), 0));
    terminal_expect_not_attached();
}

static enum fake_fate loses_all_after_the_first_visit(void *context,
                                                      const struct fake_request *request)
{
    const struct fake_site *its = context;

    return its->visits > 0 && strcmp(request->path, "/v1/scheduler") == 0 ? FATE_LOST_REQUEST
                                                                          : FATE_DELIVERED;
}

Test(verbs, detach_asks_for_a_yes_where_finished_work_would_be_lost)
{
    struct terminal_daemon it;

    terminal.site.net.fate = loses_all_after_the_first_visit;
    it = terminal_daemon_start();
    cr_assert(eq(int, CLIENT("attach", terminal.link, "--yes"), 0));
    for (int i = 0; i < 100 && !terminal_says("finished,"); i++)
        cr_assert(eq(int, CLIENT("status"), 0));
    for (int i = 0; i < 100 && terminal_says(" 0 finished"); i++) {
        (void)usleep(50000);
        cr_assert(eq(int, CLIENT("status"), 0));
    }
    cr_expect(eq(int, CLIENT("detach", "A sample", "--wait", "1s"), EXIT_UNREACHABLE));
    cr_expect(terminal_says("have not reached the server"), "%s", terminal.said);
    cr_expect(terminal_says("--yes"));
    cr_expect(eq(int, CLIENT("status"), 0));
    cr_expect(terminal_says("leaving:"), "%s", terminal.said);
    cr_expect(eq(int, CLIENT("detach", "A sample", "--yes", "--wait", "1s"), 0), "%s",
              terminal.said);
    cr_expect(terminal_says("given up"), "%s", terminal.said);
    terminal_expect_not_attached();
    cr_expect(eq(int, terminal_daemon_end(&it), 0));
}

static void wait_for_computing(void)
{
    for (int i = 0; i < 200 && !terminal_says("1 computing"); i++) {
        (void)usleep(50000);
        cr_assert(eq(int, CLIENT("status"), 0));
    }
    cr_assert(terminal_says("1 computing"), "%s", terminal.said);
}

Test(verbs, detach_says_how_many_copies_a_server_waits_for_that_could_not_be_told)
{
    struct terminal_daemon it;

    terminal.site.net.fate = loses_all_after_the_first_visit;
    terminal.launcher.duration_ms = 1000 * 86400;
    it = terminal_daemon_start();
    cr_assert(eq(int, CLIENT("attach", terminal.link, "--yes"), 0));
    wait_for_computing();
    cr_expect(eq(int, CLIENT("detach", "A sample", "--wait", "1s"), 0), "%s", terminal.said);
    cr_expect(terminal_says("2 copies until their deadline"), "%s", terminal.said);
    terminal_expect_not_attached();
    cr_expect(eq(int, terminal_daemon_end(&it), 0));
}

Test(verbs, detach_lets_what_runs_finish_only_where_a_daemon_runs)
{
    cr_assert(eq(int, CLIENT("attach", terminal.link, "--yes"), 0));
    cr_expect(eq(int, CLIENT("detach", "A sample", "--finish"), EXIT_FAILED));
    cr_expect(terminal_says("dugnad-client run"), "%s", terminal.said);
    cr_expect(eq(int, CLIENT("status"), 0));
    cr_expect(terminal_says("A sample"), "it is still attached");
}

/* Regression: it said that the tasks run to their end, which they do not while it is paused. */
Test(verbs, detach_that_lets_what_runs_finish_says_that_what_is_paused_does_not)
{
    struct terminal_daemon it;

    terminal.launcher.duration_ms = 1000 * 86400;
    it = terminal_daemon_start();
    cr_assert(eq(int, CLIENT("attach", terminal.link, "--yes"), 0));
    wait_for_computing();
    cr_assert(eq(int, CLIENT("pause"), 0), "%s", terminal.said);
    cr_expect(eq(int, CLIENT("detach", "A sample", "--finish"), 0), "%s", terminal.said);
    cr_expect(not(terminal_says("run to their end; then")), "%s", terminal.said);
    cr_expect(terminal_says("paused") && terminal_says("dugnad-client resume"), "%s",
              terminal.said);
    cr_assert(eq(int, CLIENT("resume"), 0), "%s", terminal.said);
    cr_expect(eq(int, CLIENT("detach", "A sample", "--finish"), 0), "%s", terminal.said);
    cr_expect(terminal_says("run to their end; then"), "%s", terminal.said);
    cr_expect(eq(int, terminal_daemon_end(&it), 0));
}

Test(verbs, detach_takes_one_project_or_all_of_them)
{
    cr_expect(eq(int, CLIENT("detach"), OPTIONS_EXIT_USAGE));
    cr_expect(eq(int, CLIENT("detach", "A sample", "--all"), OPTIONS_EXIT_USAGE));
    cr_expect(eq(int, CLIENT("detach", "--all"), 0), "nothing is attached: %s", terminal.said);
    cr_assert(eq(int, CLIENT("attach", terminal.link, "--yes"), 0));
    cr_expect(eq(int, CLIENT("detach", "--all"), 0), "%s", terminal.said);
    cr_expect(terminal_says("A sample"));
    terminal_expect_not_attached();
}

/* Regression: "a bug", and the client was aborted. */
Test(verbs, detach_of_a_name_that_is_not_utf8_finds_nothing)
{
    cr_assert(eq(int, CLIENT("attach", terminal.link, "--yes"), 0));
    cr_expect(eq(int, CLIENT("detach", "A sampl\xe9"), OPTIONS_EXIT_USAGE));
    cr_expect(terminal_says("UTF-8"), "%s", terminal.said);
    cr_expect(eq(int, CLIENT("status"), 0));
    cr_expect(terminal_says("A sample"), "it is still attached");
}

/* --- pause --- */

static bool is_paused(void)
{
    cr_assert(eq(int, CLIENT("status"), 0));
    return terminal_says("Paused.");
}

Test(verbs, a_pause_survives_the_daemon_and_ends_with_resume)
{
    struct terminal_daemon it = terminal_daemon_start();

    cr_expect(not(is_paused()));
    cr_expect(eq(int, CLIENT("pause"), 0));
    cr_expect(is_paused());
    cr_expect(eq(int, terminal_daemon_end(&it), 0));
    cr_expect(is_paused());
    it = terminal_daemon_start();
    cr_expect(is_paused());
    cr_expect(eq(int, CLIENT("resume"), 0));
    cr_expect(not(is_paused()));
    cr_expect(eq(int, terminal_daemon_end(&it), 0));
    cr_expect(not(is_paused()));
}

Test(verbs, pause_and_resume_work_without_a_daemon)
{
    cr_expect(eq(int, CLIENT("pause"), 0));
    cr_expect(is_paused());
    cr_expect(eq(int, CLIENT("resume"), 0));
    cr_expect(not(is_paused()));
    cr_expect(eq(int, CLIENT("resume"), 0), "twice is fine");
}

/* --- several --- */

Test(verbs, a_second_daemon_is_refused_with_its_own_exit_code)
{
    struct terminal_daemon it = terminal_daemon_start();

    cr_expect(eq(int, CLIENT("run"), EXIT_BUSY));
    cr_expect(terminal_says("another dugnad-client"));
    cr_expect(terminal_daemon_answers(), "the first goes on");
    cr_expect(eq(int, terminal_daemon_end(&it), 0));
}

/* A daemon that reads its records on a slow disk has the lock and does not listen yet. */
static struct data_folder taken;
static int waits_left;

static void wait_for_the_other(struct env *env, int64_t ms)
{
    fake_env_pass(&terminal.env, ms);
    if (waits_left > 0 && --waits_left == 0)
        data_folder_close(&taken);
    (void)env;
}

static void take_folder(void)
{
    struct disk_path path;
    struct error err = {0};

    cr_assert(
        eq(int, disk_join(&path, &err, "%s/.local/share/dugnad-client", terminal.path), STATUS_OK));
    cr_assert(eq(int, data_folder_open(&terminal.env.base, path.text, &taken, &err), STATUS_OK),
              "%s", err.text);
}

static void take_folder_for(int waits)
{
    cr_assert(eq(int, CLIENT("pause"), 0), "it is there");
    take_folder();
    waits_left = waits;
    terminal.env.base.sleep_ms = wait_for_the_other;
}

Test(verbs, a_verb_waits_for_a_daemon_that_starts_slowly)
{
    take_folder_for(100);
    cr_expect(eq(int, CLIENT("resume"), 0), "%s", terminal.said);
    cr_expect(not(is_paused()));
}

Test(verbs, a_verb_does_not_wait_for_ever)
{
    take_folder_for(100000);
    cr_expect(eq(int, CLIENT("resume"), EXIT_BUSY), "%s", terminal.said);
    data_folder_close(&taken);
}

/* Another process, for a lock is a process's. */
static pid_t hold_folder_for(useconds_t us)
{
    int ends[2];
    char held = 0;
    pid_t holder;

    cr_assert(pipe(ends) == 0);
    holder = fork();
    cr_assert(holder >= 0);
    if (holder == 0) {
        take_folder();
        held = write(ends[1], "y", 1) == 1;
        (void)usleep(us);
        _exit(held == 1 ? 0 : 1);
    }
    cr_assert(read(ends[0], &held, 1) == 1);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return holder;
}

/* For longer than once; on a slow machine the daemon comes when it is free already. */
Test(verbs, a_daemon_waits_for_a_verb_that_takes_its_time)
{
    struct terminal_daemon it;
    int status = 1;
    pid_t holder;

    cr_assert(eq(int, CLIENT("pause"), 0), "it is there");
    holder = hold_folder_for(3000000);
    it = terminal_daemon_start_unwatched();
    cr_assert(waitpid(holder, &status, 0) == holder && status == 0);
    terminal_await_daemon();
    cr_expect(terminal_daemon_answers(), "%s", terminal.said);
    cr_expect(eq(int, terminal_daemon_end(&it), 0));
}

/* Regression: it did not hear SIGTERM for as long as it waited, up to half a minute. */
Test(verbs, a_daemon_that_waits_for_the_folder_stops_when_told_to)
{
    struct terminal_daemon it;
    pid_t holder;

    cr_assert(eq(int, CLIENT("pause"), 0), "it is there");
    holder = hold_folder_for(600000000);
    it = terminal_daemon_start_unwatched();
    cr_expect(eq(int, terminal_daemon_end(&it), 0), "not that the folder is busy");
    cr_expect(waitpid(holder, NULL, WNOHANG) == 0, "it still is");
    cr_assert(kill(holder, SIGKILL) == 0 && waitpid(holder, NULL, 0) == holder);
}

/* The site shows another project from now on. */
static void change_project(void)
{
    struct envelope *keyring = &terminal.site.keyring;

    terminal.site.sample.keyring.expires_s -= 1;
    envelope_clear(keyring);
    *keyring = sample_seal_keyring(&terminal.site.sample);
    terminal.site.sample.project = keyring->digest;
    terminal.site.sample.freshness.project = keyring->digest;
    terminal.site.sample.freshness.keyring = keyring->digest;
    envelope_clear(&terminal.site.freshness);
    terminal.site.freshness = sample_seal_freshness(&terminal.site.sample);
    terminal_set_link();
}

Test(verbs, several_projects_are_kept_apart_by_id_name_and_url)
{
    char first[sizeof terminal.link];

    (void)strcpy(first, terminal.link);
    cr_assert(eq(int, CLIENT("attach", first, "--yes"), 0), "%s", terminal.said);
    change_project();
    cr_assert(eq(int, CLIENT("attach", terminal.link, "--yes"), 0), "%s", terminal.said);
    cr_expect(eq(int, CLIENT("status"), 0));
    cr_expect(eq(sz, terminal_count_said(FAKE_SITE_URL), 2));
    cr_expect(eq(int, CLIENT("detach", "A sample"), EXIT_FAILED));
    cr_expect(terminal_says("name its id"));
    cr_assert(eq(int, CLIENT("attach", terminal.link, "--yes", "--name", "Other"), 0));
    cr_expect(eq(int, CLIENT("detach", "Other"), 0), "%s", terminal.said);
    cr_expect(eq(int, CLIENT("status"), 0));
    cr_expect(eq(sz, terminal_count_said("A sample"), 1), "the first is left");
    cr_expect(eq(int, CLIENT("detach", strchr(first, '#') + 1), 0), "by its id: %s", terminal.said);
    terminal_expect_not_attached();
}

/* Another process has the folder's lock for half a second from now on. */
static pid_t hold_folder(void)
{
    struct disk_path lock;
    int ends[2];
    char told;
    pid_t holder;

    cr_assert(eq(int, disk_join(&lock, NULL, "%s/.local/share/dugnad-client/lock", terminal.path),
                 STATUS_OK));
    cr_assert(pipe(ends) == 0);
    holder = fork();
    cr_assert(holder >= 0);
    if (holder == 0) {
        struct disk_file *held = NULL;
        bool is_held = terminal.env.base.disk->lock(terminal.env.base.disk, lock.text, &held,
                                                    NULL) == STATUS_OK;

        is_held = is_held && write(ends[1], "!", 1) == 1;
        (void)usleep(500000);
        _exit(is_held ? 0 : 1);
    }
    cr_assert(read(ends[0], &told, 1) == 1);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return holder;
}

/* A status at the moment a daemon started held the lock, and the daemon gave up. */
Test(verbs, a_daemon_waits_for_a_verb_that_holds_the_folder)
{
    struct terminal_daemon it;
    pid_t holder;
    int status = 1;

    cr_assert(eq(int, CLIENT("status"), 0));
    holder = hold_folder();
    it = terminal_daemon_start_unwatched();
    cr_assert(waitpid(holder, &status, 0) == holder);
    cr_expect(eq(int, status, 0));
    terminal_await_daemon();
    cr_expect(eq(int, terminal_daemon_end(&it), 0));
}
