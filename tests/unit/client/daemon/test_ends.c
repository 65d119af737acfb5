/* client/daemon: tasks that end otherwise than done. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
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

/* As `status` has it of the first task. */
static char *first_why(void)
{
    static char why[WHY_MAX + 1];
    json_t *status = volunteer_ask(&it, "status");
    json_t *project = json_array_get(json_object_get(status, "projects"), 0);
    json_t *task = json_array_get(json_object_get(project, "tasks"), 0);
    const char *value = json_string_value(json_object_get(task, "why"));

    (void)text_fit(why, sizeof why, value != NULL ? value : "(none)");
    json_decref(status);
    return why;
}

Test(daemon, status_says_why_a_task_failed)
{
    it.launcher.end.code = 3;
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(str, first_why(), "exit status 3"));
    cr_expect(eq(str, it.site.tasks[0].why, ""), "the server has a member for that");
}

Test(daemon, status_says_which_limit_ended_a_task)
{
    it.launcher.end = (struct run_outcome){.end = RUN_KILLED, .limit = RUN_LIMIT_CPU};
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(str, first_why(), "ended at its limit of cpu"));
}

Test(daemon, the_log_says_in_words_why_a_task_failed_and_what_became_of_it)
{
    FILE *log = tmpfile();
    char text[16384];
    size_t length;

    cr_assert(log != NULL);
    log_init(NULL, LOG_INFO, fileno(log));
    it.launcher.end.code = 3;
    volunteer_live(&it, 2 * HOUR);
    log_init(NULL, LOG_ERROR, 2);
    rewind(log);
    length = fread(text, 1, sizeof text - 1, log);
    text[length] = '\0';
    (void)fclose(log);
    cr_expect(strstr(text, "outcome=error why=\"exit status 3\"") != NULL, "%s", text);
    cr_expect(strstr(text, "event=task.acknowledged task=1 as=stored") != NULL, "%s", text);
}

/* The sample's limit of memory is 512 MiB. */
static void end_by_signal(enum run_limit limit, int64_t peak_mib)
{
    it.launcher.end = (struct run_outcome){.end = RUN_SIGNALLED, .code = SIGSEGV, .limit = limit};
    it.launcher.end.usage.peak_memory_bytes = peak_mib << 20;
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(int, it.site.tasks[0].outcome, VISIT_ERROR));
}

Test(daemon, what_probably_died_of_its_memory_limit_is_reported_in_these_words)
{
    end_by_signal(RUN_LIMIT_MEMORY, 500);
    cr_expect(eq(int, it.site.tasks[0].limit, LIMIT_MEMORY));
    cr_expect(eq(str, it.site.tasks[0].why,
                 "probably, for it died of SIGSEGV when it had used 500 of 512 MiB"));
}

Test(daemon, what_died_of_a_signal_is_reported_with_the_memory_it_used)
{
    end_by_signal(RUN_LIMIT_NONE, 3);
    cr_expect(eq(int, it.site.tasks[0].limit, LIMIT_NONE));
    cr_expect(eq(str, it.site.tasks[0].why, "SIGSEGV; it had used 3 of 512 MiB of memory"));
}

Test(daemon, what_was_stopped_at_its_memory_limit_is_reported_so)
{
    it.launcher.end = (struct run_outcome){.end = RUN_KILLED, .limit = RUN_LIMIT_MEMORY};
    it.launcher.end.usage.peak_memory_bytes = INT64_C(600) << 20;
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(int, it.site.tasks[0].limit, LIMIT_MEMORY));
    cr_expect(eq(str, it.site.tasks[0].why, "stopped when it had used 600 of 512 MiB"));
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
    it.launcher.proof_fails = EAGAIN;
    expect_later("no program can be run");
    it.launcher.end = (struct run_outcome){.end = RUN_EXITED};
    it.launcher.proof_fails = 0;
    expect_done_now();
}

Test(daemon, want_of_memory_at_exec_is_not_the_apps_error)
{
    it.launcher.end =
        (struct run_outcome){.end = RUN_NOT_STARTED, .code = ENOMEM, .failed_step = "executable"};
    it.launcher.duration_ms = 0;
    it.launcher.proof_fails = ENOMEM;
    expect_later("no program can be run");
    it.launcher.end = (struct run_outcome){.end = RUN_EXITED};
    it.launcher.proof_fails = 0;
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
    cr_expect(eq(str, it.site.tasks[0].why, "output out was not written"));
}

Test(daemon, a_task_that_ran_when_the_client_died_runs_again)
{
    volunteer_live(&it, MINUTE / 2);
    cr_expect(eq(i64, it.launcher.started, 1));
    volunteer_restart(&it);
    cr_expect(eq(i64, it.launcher.killed, 1));
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(i64, it.launcher.started, 5));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 4));
}

/* --- the machine is proved --- */

/* Regression: on a folder mounted noexec 38 of 38 tasks failed, and two batches paused themselves.
 */
Test(daemon, on_a_machine_that_runs_nothing_no_work_is_asked_for)
{
    it.launcher.proof_fails = EACCES;
    volunteer_live(&it, 5 * HOUR);
    cr_expect(eq(i64, it.launcher.started, 0));
    cr_expect(eq(i64, volunteer_tally(&it, "errors"), 0));
    cr_expect(strstr(volunteer_text(&it, "why_idle"), "noexec") != NULL, "%s",
              volunteer_text(&it, "why_idle"));
    cr_expect(lt(i64, it.launcher.proofs, 30), "it is tried less and less often");
    it.launcher.proof_fails = 0;
    expect_done_now();
}

Test(daemon, a_machine_that_ceases_to_run_programs_charges_no_unit)
{
    it.launcher.end =
        (struct run_outcome){.end = RUN_NOT_STARTED, .code = EACCES, .failed_step = "executable"};
    it.launcher.duration_ms = 0;
    volunteer_live(&it, 0);
    cr_expect(eq(i64, it.launcher.proofs, 1));
    it.launcher.proof_fails = EACCES;
    volunteer_live(&it, 5 * HOUR);
    cr_expect(eq(i64, volunteer_tally(&it, "errors"), 0));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_REPORTED), 0));
    it.launcher.end = (struct run_outcome){.end = RUN_EXITED};
    it.launcher.proof_fails = 0;
    expect_done_now();
}

/* One that fails on this machine alone is given back; others go on meanwhile. */
Test(daemon, a_task_that_never_starts_here_is_abandoned_without_stopping_others)
{
    it.launcher.end =
        (struct run_outcome){.end = RUN_NOT_STARTED, .code = EAGAIN, .failed_step = "process"};
    it.launcher.duration_ms = 0;
    volunteer_live(&it, 24 * HOUR);
    cr_expect(eq(int, it.site.tasks[0].outcome, VISIT_ABANDONED));
}

/* --- the control group's memory --- */

Test(daemon, a_kill_for_want_of_the_groups_memory_is_named_and_charged_to_nobody)
{
    json_auto_t *status = NULL;
    CLEANUP(freep) char *said = NULL;

    it.launcher.end =
        (struct run_outcome){.end = RUN_SIGNALLED, .code = SIGKILL, .is_for_want_of_memory = true};
    volunteer_live(&it, HOUR / 12);
    cr_expect(eq(i64, volunteer_tally(&it, "errors"), 0));
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_REPORTED), 0));
    status = volunteer_ask(&it, "status");
    said = json_dumps(status, JSON_COMPACT);
    cr_expect(strstr(said, "memory of this client's control group") != NULL, "%s", said);
    it.launcher.end = (struct run_outcome){.end = RUN_EXITED};
    expect_done_now();
}

Test(daemon, a_kill_at_its_own_limit_is_the_tasks_though_the_group_ran_out)
{
    json_auto_t *status = NULL;
    CLEANUP(freep) char *said = NULL;

    it.launcher.end = (struct run_outcome){.end = RUN_SIGNALLED,
                                           .code = SIGKILL,
                                           .limit = RUN_LIMIT_MEMORY,
                                           .is_for_want_of_memory = true};
    volunteer_live(&it, 2 * HOUR);
    cr_expect(eq(int, it.site.tasks[0].outcome, VISIT_ERROR));
    cr_expect(eq(int, it.site.tasks[0].limit, LIMIT_MEMORY));
}

/* The sample's limit of memory is 512 MiB. */
Test(daemon, memory_that_the_group_does_not_allow_is_not_offered)
{
    it.launcher.memory_bytes = 100 << 20;
    volunteer_live(&it, HOUR);
    cr_expect(eq(i64, it.site.asked_memory, 100 << 20));
    cr_expect(eq(i64, it.launcher.started, 0));
}
