/* dugnad audit: what is computed again here, and what is said of those who agreed on another
 * result. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/env/real.h"
#include "operator/profile.h"
#include "tests/support/desk.h"
#include "tests/support/fake_launcher.h"
#include "tests/support/messages.h"
#include "tests/support/results.h"

static struct fake_launcher launcher;
static struct launcher interrupting; /* the fake one's table but for poll() */
static volatile sig_atomic_t is_interrupted;

static enum status open_fake(struct env *env, const struct launcher_options *options,
                             struct launcher **ret_launcher, struct error *err)
{
    (void)env, (void)options, (void)err;
    *ret_launcher = &launcher.base;
    return STATUS_OK;
}

/* Real programs need the real clock. */
static enum status open_real(struct env *env, const struct launcher_options *options,
                             struct launcher **ret_launcher, struct error *err)
{
    (void)env;
    return launcher_open_native(env_real(), options, ret_launcher, err);
}

static void set_up(void)
{
    desk_set_up();
    fake_launcher_init(&launcher, &desk_env.base);
    desk_session.open_launcher = open_fake;
    is_interrupted = 0;
    desk_session.is_interrupted = &is_interrupted;
}

TestSuite(audit, .init = set_up, .fini = desk_tear_down, .timeout = 120);

static bool says(const char *words)
{
    return strstr(desk_said, words) != NULL;
}

static bool prints(const char *words)
{
    return strstr(desk_out, words) != NULL;
}

/* Nothing of what ran, or was fetched for it, is left. */
static void expect_nothing_left(void)
{
    cr_expect(eq(i64, launcher.alive, 0));
    cr_expect(not(disk_has(desk_env.base.disk, at_home(".config/dugnad/default/audit"))));
}

static void three_results(const char *zero, const char *one, const char *two)
{
    submit_three();
    add_result(0, zero, true);
    add_result(1, one, true);
    add_result(2, two, true);
}

Test(audit, what_this_machine_gets_too_is_equal)
{
    three_results("42\n", "42\n", "42\n");
    cr_expect(eq(int, RUN("audit", "b"), EXIT_DONE), "%s", desk_said);
    cr_expect(says("3 of 3 accepted results") && says("3 equal, 0 different"), "%s", desk_said);
    cr_expect(eq(i64, launcher.started, 3));
    cr_expect(launcher.executable_was_there);
    expect_nothing_left();
}

Test(audit, those_who_agreed_on_another_result_are_named)
{
    three_results("42\n", "43\n", "42\n");
    cr_expect(eq(int, RUN("audit", "b"), EXIT_UNTRUSTED));
    cr_expect(prints("DIFFERENT") && prints("stdout"), "%s", desk_out);
    cr_expect(says("1-2: task 3, of host ") && says("1-2: task 4, of host "), "%s", desk_said);
    cr_expect(not(says("0-1: task")), "%s", desk_said);
    cr_expect(eq(int, RUN("audit", "b", "--json"), EXIT_UNTRUSTED));
    cr_expect(prints("\"different\":1") && prints("\"verdict\":\"DIFFERENT\""), "%s", desk_out);
    cr_expect(prints("\"here_size\":3"), "%s", desk_out);
    expect_nothing_left();
}

/* In whatever order the site lists them. */
Test(audit, a_seed_draws_the_same_results_again)
{
    CLEANUP(freep) char *first = NULL;
    const char *seed = "00112233445566778899aabbccddeeff";
    size_t differing = 0;

    three_results("42\n", "42\n", "42\n");
    cr_assert(eq(int, RUN("audit", "b", "--json", "--sample", "1", "--seed", seed), EXIT_DONE));
    cr_expect(prints(seed) && prints("\"sampled\":1"), "%s", desk_out);
    first = text_copy(strstr(desk_out, "\"units\""));
    texts_clear(&desk_site.results);
    for (size_t i = 3; i > 0; i--)
        add_result(i - 1, "42\n", true);
    cr_assert(eq(int, RUN("audit", "b", "--json", "--sample", "1", "--seed", seed), EXIT_DONE));
    cr_expect(eq(str, strstr(desk_out, "\"units\""), first));
    for (int i = 0; i < 20; i++) {
        cr_assert(eq(int, RUN("audit", "b", "--json", "--sample", "1"), EXIT_DONE));
        differing += strcmp(strstr(desk_out, "\"units\""), first) != 0;
    }
    cr_expect(differing > 0, "without a seed it is always the same one");
}

Test(audit, a_result_that_nobody_signed_for_is_refused_and_not_run)
{
    three_results("42\n", "42\n", "42\n");
    {
        CLEANUP(freep) char *honest = desk_site.results.texts[1];

        desk_site.results.texts[1] = replaced(honest, "NDIK", "NDMK"); /* 43 under 42's digest */
    }
    cr_expect(eq(int, RUN("audit", "b"), EXIT_UNTRUSTED));
    cr_expect(prints("REFUSED") && prints("not of its digest"), "%s", desk_out);
    cr_expect(eq(i64, launcher.started, 2));
    expect_nothing_left();
}

/* What fails here may be this machine's fault: no word against those who agreed. */
Test(audit, what_does_not_come_to_its_end_here_is_not_recomputed)
{
    static const struct {
        struct run_outcome end;
        const char *says;
    } cases[] = {
        {{.end = RUN_EXITED, .code = 3, .tail = "a\nno such library\n", .tail_length = 18},
         "ended with code 3 here: no such library"},
        {{.end = RUN_SIGNALLED, .code = 11}, "signal 11"},
        {{.end = RUN_KILLED, .limit = RUN_LIMIT_CPU}, "its limit here: cpu"},
        {{.end = RUN_NOT_STARTED, .code = 2, .failed_step = "executable"},
         "could not be started here (executable: No such file or directory)"},
        {{.end = RUN_KILLED, .is_for_want_of_memory = true}, "memory was used up"},
    };

    submit_three();
    add_result(0, "42\n", true);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        launcher.end = cases[i].end;
        cr_expect(eq(int, RUN("audit", "b"), EXIT_NOT_ALL), "%s", cases[i].says);
        cr_expect(prints("not recomputed") && prints(cases[i].says), "%s", desk_out);
    }
    expect_nothing_left();
}

Test(audit, nothing_accepted_is_not_all)
{
    submit_three();
    cr_expect(eq(int, RUN("audit", "b"), EXIT_NOT_ALL));
    cr_expect(says("0 of 0 accepted results"), "%s", desk_said);
}

Test(audit, what_the_site_lacks_is_not_recomputed_and_other_bytes_are_refused)
{
    three_results("42\n", "42\n", "42\n");
    desk_site.bodies.texts[0][0] = '%'; /* the program */
    cr_expect(eq(int, RUN("audit", "b"), EXIT_UNTRUSTED));
    cr_expect(prints("not of their digest") || prints("not of its digest"), "%s", desk_out);
    texts_clear(&desk_site.files);
    texts_clear(&desk_site.bodies);
    cr_expect(eq(int, RUN("audit", "b"), EXIT_NOT_ALL));
    cr_expect(prints("lacks one of its files"), "%s", desk_out);
    cr_expect(eq(i64, launcher.started, 0));
    expect_nothing_left();
}

/* Programs of two platforms may honestly differ: a difference is evidence of nothing. */
Test(audit, of_an_app_of_several_classes_a_difference_is_not_told_apart)
{
    CLEANUP(freep) char *other = text_format("aarch64-linux-gnu=%s", at_home("program"));

    cr_assert(eq(int, RUN("app", "add", "app", at_home("program"), "--platform", other), EXIT_DONE),
              "%s", desk_said);
    three_results("42\n", "43\n", "42\n");
    cr_expect(eq(int, RUN("audit", "b"), EXIT_NOT_ALL));
    cr_expect(prints("honestly") && prints("aarch64-linux-gnu"), "%s", desk_out);
}

Test(audit, a_revoked_app_is_not_run)
{
    CLEANUP(envelope_clear) struct envelope app = {0};
    const char *text = desk_site.app_versions.texts[0];

    three_results("42\n", "42\n", "42\n");
    cr_assert(
        eq(int, envelope_decode(text, strlen(text), ENVELOPE_PAYLOAD_MAX, &app, NULL), STATUS_OK));
    cr_assert(eq(int, RUN("key", "revoke", digest_format(&app.digest).text), EXIT_DONE));
    cr_expect(eq(int, RUN("audit", "b"), EXIT_NOT_ALL));
    cr_expect(prints("revoked"), "%s", desk_out);
    cr_expect(eq(i64, launcher.started, 0));
}

Test(audit, one_at_a_time)
{
    CLEANUP(disk_file_closep) struct disk_file *other = NULL;
    struct disk *disk = desk_env.base.disk;

    three_results("42\n", "42\n", "42\n");
    cr_assert(eq(int, disk->lock(disk, at_home(".config/dugnad/default/audit.lock"), &other, NULL),
                 STATUS_OK));
    cr_expect(eq(int, RUN("audit", "b"), EXIT_HELD), "%s", desk_said);
    cr_expect(eq(i64, launcher.started, 0));
}

/* --- several at a time --- */

#define MIB (INT64_C(1) << 20)

static int64_t audit_ms(const char *const *words)
{
    int64_t begin_ms = desk_env.now_mono_ms;

    cr_assert(eq(int, run_words(words), EXIT_DONE), "%s", desk_said);
    return desk_env.now_mono_ms - begin_ms;
}
#define AUDIT_MS(...) audit_ms((const char *const[]){"dugnad", "audit", "b", __VA_ARGS__, NULL})

/* One after the other they took three minutes, whatever the machine. */
Test(audit, as_many_units_run_at_a_time_as_there_are_cores)
{
    three_results("42\n", "42\n", "42\n");
    desk_session.cores = 3;
    cr_expect(lt(i64, AUDIT_MS("--sample", "3"), 70000));
    cr_expect(eq(i64, launcher.most_alive, 3));
    launcher.most_alive = 0;
    cr_expect(lt(i64, 119999, AUDIT_MS("--jobs", "2")));
    cr_expect(eq(i64, launcher.most_alive, 2));
    launcher.most_alive = 0;
    cr_expect(lt(i64, 179999, AUDIT_MS("--jobs", "1")));
    cr_expect(eq(i64, launcher.most_alive, 1));
    expect_nothing_left();
}

/* Each may use 512 MiB: the app's ceiling. */
Test(audit, no_more_units_run_at_a_time_than_memory_holds)
{
    three_results("42\n", "42\n", "42\n");
    desk_session.cores = 8;
    launcher.memory_bytes = 1100 * MIB;
    cr_expect(lt(i64, AUDIT_MS("--sample", "3"), 130000));
    cr_expect(eq(i64, launcher.most_alive, 2));
    launcher.most_alive = 0;
    launcher.memory_bytes = INT64_MAX;
    desk_session.memory_bytes = 600 * MIB; /* the machine has no more, whatever its groups allow */
    cr_expect(lt(i64, 179999, AUDIT_MS("--jobs", "3")));
    cr_expect(eq(i64, launcher.most_alive, 1));
    launcher.memory_bytes = 100 * MIB; /* too little for any: it runs alone, and shows whether */
    cr_expect(lt(i64, 179999, AUDIT_MS("--jobs", "3")));
    cr_expect(eq(i64, launcher.most_alive, 1));
}

Test(audit, results_are_shown_in_the_order_drawn_whichever_ends_first)
{
    const char *seed = "00112233445566778899aabbccddeeff";
    CLEANUP(freep) char *table = NULL;

    three_results("42\n", "43\n", "42\n");
    cr_expect(eq(int, RUN("audit", "b", "--seed", seed, "--jobs", "1"), EXIT_UNTRUSTED));
    table = text_copy(desk_out);
    launcher.started = 0;
    launcher.shorter_ms = 20000;
    launcher.most_alive = 0;
    cr_expect(eq(int, RUN("audit", "b", "--seed", seed, "--jobs", "3"), EXIT_UNTRUSTED));
    cr_expect(eq(i64, launcher.most_alive, 3));
    cr_expect(eq(str, desk_out, table));
}

Test(audit, jobs_are_a_number_that_makes_sense)
{
    three_results("42\n", "42\n", "42\n");
    cr_expect(eq(int, RUN("audit", "b", "--jobs", "0"), EXIT_USAGE));
    cr_expect(says("--jobs is a number 1..256"), "%s", desk_said);
    cr_expect(eq(int, RUN("audit", "b", "--jobs", "257"), EXIT_USAGE));
}

/* Too large for the manifests, so that they are fetched. */
static void submit_two_inputs(void)
{
    char large[100001] = {0};
    CLEANUP(freep) char *one = text_copy(at_home("one.txt"));
    CLEANUP(freep) char *two = text_copy(at_home("two.txt"));

    memset(large, '1', sizeof large - 1);
    write_at_home("one.txt", large);
    large[0] = '2';
    write_at_home("two.txt", large);
    cr_assert(eq(int, RUN("submit", "app", one, two, "--name", "b"), EXIT_DONE), "%s", desk_said);
}

/* As long as a long input takes. */
static void hang_on(void)
{
    fake_env_pass(&desk_env, 1000);
    is_interrupted = launcher.alive == 1 && launcher.polls >= 5;
    cr_assert(lt(i64, desk_env.now_mono_ms, 5000000), "nobody looks at what runs");
}

/* Its limits are held by looking. */
Test(audit, what_runs_is_looked_at_while_inputs_of_the_next_are_fetched)
{
    submit_two_inputs();
    add_result(0, "42\n", true);
    add_result(1, "42\n", true);
    desk_session.cores = 2;
    launcher.duration_ms = INT64_MAX;
    desk_site.while_waiting = hang_on;
    desk_site.hangs_on = '2';
    cr_expect(eq(int, RUN("audit", "b"), EXIT_INTERRUPTED), "%s", desk_said);
    cr_expect(eq(i64, launcher.killed, 1));
    expect_nothing_left();
}

/* --- interrupts --- */

static bool poll_and_interrupt(struct running_task *task, struct run_outcome *ret_outcome)
{
    (void)task, (void)ret_outcome;
    is_interrupted = 1;
    return false;
}

static enum status open_interrupting(struct env *env, const struct launcher_options *options,
                                     struct launcher **ret_launcher, struct error *err)
{
    (void)env, (void)options, (void)err;
    *ret_launcher = &launcher.base;
    launcher.base.poll = poll_and_interrupt;
    return STATUS_OK;
}

Test(audit, an_interrupt_ends_what_runs_and_leaves_nothing)
{
    three_results("42\n", "42\n", "42\n");
    interrupting = launcher.base;
    desk_session.open_launcher = open_interrupting;
    cr_expect(eq(int, RUN("audit", "b"), EXIT_INTERRUPTED));
    cr_expect(eq(i64, launcher.started, 1));
    cr_expect(eq(i64, launcher.killed, 1));
    expect_nothing_left();
    launcher.base = interrupting;
    is_interrupted = 0;
    desk_session.open_launcher = open_fake;
    cr_expect(eq(int, RUN("audit", "b"), EXIT_DONE), "%s", desk_said);
}

Test(audit, an_interrupt_ends_all_that_run)
{
    three_results("42\n", "42\n", "42\n");
    desk_session.cores = 3;
    desk_session.open_launcher = open_interrupting;
    cr_expect(eq(int, RUN("audit", "b"), EXIT_INTERRUPTED));
    cr_expect(eq(i64, launcher.started, 3));
    cr_expect(eq(i64, launcher.killed, 3));
    expect_nothing_left();
}

static char *interrupt_after(void *context, const char *slot, const char *name)
{
    (void)context, (void)slot, (void)name;
    is_interrupted = launcher.started == 2;
    return text_copy("43\n");
}

Test(audit, what_is_known_at_an_interrupt_is_shown)
{
    three_results("42\n", "42\n", "42\n");
    launcher.output = interrupt_after;
    cr_expect(eq(int, RUN("audit", "b"), EXIT_INTERRUPTED));
    cr_expect(says("2 of 3 accepted results looked at") && says("2 different"), "%s", desk_said);
    expect_nothing_left();
}

static void interrupt_now(void)
{
    is_interrupted = 1;
}

/* A server that hangs held the command until its time-out, whatever was pressed. */
Test(audit, an_interrupt_breaks_off_what_only_reads)
{
    static const char *const verbs[] = {"audit", "fetch", "watch", "status", "tasks"};

    three_results("42\n", "42\n", "42\n");
    desk_site.while_waiting = interrupt_now;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        is_interrupted = 0;
        cr_expect(eq(int, RUN(verbs[i], "b"), EXIT_INTERRUPTED), "%s: %s", verbs[i], desk_said);
    }
    desk_site.while_waiting = NULL;
    is_interrupted = 0;
    cr_expect(eq(int, RUN("audit", "b"), EXIT_DONE), "%s", desk_said);
}

/* Everything that is said begins a line: nothing stands behind what was drawn. */
static void expect_own_lines(const char *verb)
{
    for (const char *at = desk_said; (at = strstr(at, "dugnad: ")) != NULL; at++)
        cr_expect(at == desk_said || at[-1] == '\n', "%s: %s", verb, desk_said);
    cr_expect(desk_said[0] == '\0' || desk_said[strlen(desk_said) - 1] == '\n', "%s: %s", verb,
              desk_said);
}

/* "3 of 7 units sentdugnad: the connection broke": the shell's prompt came behind it, too. */
Test(audit, what_goes_wrong_is_said_below_the_progress_and_not_behind_it)
{
    static const char *const verbs[] = {"audit", "fetch", "watch"};
    CLEANUP(freep) char *into = text_copy(at_home("out"));

    three_results("42\n", "42\n", "42\n");
    desk_session.is_terminal = true;
    desk_site.cut = CUT_REQUEST;
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        for (int64_t cut = 1; cut < 5; cut++) {
            desk_site.cut_after = desk_site.requests + cut;
            (void)(i == 1 ? RUN("fetch", "b", "--into", into) : RUN(verbs[i], "b"));
            expect_own_lines(verbs[i]);
        }
    }
    desk_site.cut = CUT_NEVER;
    cr_expect(eq(int, RUN("audit", "b", "--json"), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(str, desk_said, (char *)""));
}

/* A page of many was shown as all there is, with 0. */
Test(audit, a_list_that_is_not_whole_is_no_success)
{
    three_results("42\n", "42\n", "42\n");
    is_interrupted = 1;
    cr_expect(eq(int, RUN("status"), EXIT_INTERRUPTED), "%s", desk_said);
    cr_expect(eq(int, RUN("hosts"), EXIT_INTERRUPTED), "%s", desk_said);
    cr_expect(eq(int, RUN("tasks", "b"), EXIT_INTERRUPTED), "%s", desk_said);
}

/* --- real programs --- */

static void submit_with_input(void)
{
    write_at_home("program", "#!/bin/sh\nread line <words.txt\necho \"$line $1 $DUGNAD_CORES\"\n");
    write_at_home("words.txt", "well said\n");
    cr_assert(eq(int, RUN("app", "add", "app", at_home("program")), EXIT_DONE), "%s", desk_said);
    cr_assert(
        eq(int, RUN("submit", "app", at_home("words.txt"), "--name", "b", "--", "now"), EXIT_DONE),
        "%s", desk_said);
}

Test(audit, the_signed_program_runs_with_its_inputs_and_arguments)
{
    desk_session.open_launcher = open_real;
    submit_with_input();
    add_result(0, "well said now 1\n", true);
    cr_expect(eq(int, RUN("audit", "b"), EXIT_DONE), "%s%s", desk_out, desk_said);
    cr_expect(says("1 equal"), "%s", desk_said);
    expect_nothing_left();
}

Test(audit, a_lie_about_a_real_program_is_found)
{
    desk_session.open_launcher = open_real;
    submit_with_input();
    add_result(0, "well said now 2\n", true);
    cr_expect(eq(int, RUN("audit", "b"), EXIT_UNTRUSTED), "%s%s", desk_out, desk_said);
}
