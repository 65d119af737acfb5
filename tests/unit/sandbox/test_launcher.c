/* sandbox/launcher: what a task gets, and what is told of it. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/text.h"
#include "tests/support/running.h"

TestSuite(launcher, .init = running_set_up, .fini = running_tear_down, .timeout = 120);

/* ---- what it reports ---- */

Test(launcher, an_exit_status_is_passed_on)
{
    run("exit 7");
    cr_expect(eq(int, (int)outcome.end, RUN_EXITED));
    cr_expect(eq(int, outcome.code, 7));
    cr_expect(eq(int, (int)outcome.limit, RUN_LIMIT_NONE));
    run("exit 0");
    cr_expect(eq(int, outcome.code, 0));
}

Test(launcher, a_signal_is_passed_on)
{
    for (int i = 0; i < 2; i++) {
        open_without(layers_left_out[i]);
        run("kill -SEGV $$");
        cr_expect(eq(int, (int)outcome.end, RUN_SIGNALLED));
        cr_expect(eq(int, outcome.code, SIGSEGV));
    }
}

Test(launcher, a_program_that_cannot_run_is_named_as_such)
{
    run_with(NULL, (struct run_spec){.executable = "/nonexistent/program"});
    cr_expect(eq(int, (int)outcome.end, RUN_NOT_STARTED));
    cr_expect(eq(int, outcome.code, ENOENT));
    cr_expect(eq(str, outcome.failed_step, "executable"));
}

Test(launcher, a_wrong_spec_is_refused_in_words)
{
    const char *const arguments[] = {"true", NULL};
    const char *const broken[] = {"NO-EQUALS-SIGN", NULL};
    const struct run_spec specs[] = {
        {.slot = "relative", .executable = "/bin/true", .arguments = arguments},
        {.slot = slot, .executable = "true", .arguments = arguments},
        {.slot = slot, .executable = "/bin/true"},
        {.slot = slot, .executable = "/bin/true", .arguments = arguments, .environment = broken},
        {.slot = slot, .executable = "/bin/true", .arguments = arguments, .stdout_name = "../x"},
    };
    struct running_task *task = NULL;

    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        struct error err = {0};

        cr_expect(eq(int, launcher->start(launcher, &specs[i], &task, &err), STATUS_INVALID));
        cr_expect(lt(sz, 0, strlen(err.text)));
        cr_expect(task == NULL);
    }
}

Test(launcher, a_slot_that_is_not_there_is_not_found)
{
    const char *const arguments[] = {"true", NULL};
    const struct run_spec spec = {
        .slot = "/nonexistent", .executable = "/bin/true", .arguments = arguments};
    struct running_task *task = NULL;

    cr_expect(eq(int, launcher->start(launcher, &spec, &task, NULL), STATUS_NOT_FOUND));
}

Test(launcher, failing_starts_leave_no_descriptor_open)
{
    const char *const arguments[] = {"true", NULL};
    const struct run_spec spec = {
        .slot = "/nonexistent", .executable = "/bin/true", .arguments = arguments};
    struct running_task *task = NULL;
    int before = dup(0), after;

    for (int i = 0; i < 3; i++)
        (void)!launcher->start(launcher, &spec, &task, NULL);
    run("exit 0");
    after = dup(0);
    cr_expect(eq(int, after, before + 1));
}

Test(launcher, what_is_written_to_stdout_is_the_output)
{
    run_with("echo one; pwd; cat; echo two", (struct run_spec){.stdout_name = "out.txt"});
    cr_expect(text_starts_with(content_of("out.txt"), "one\n/tmp/dugnad-slot-"));
    cr_expect(strstr(content_of("out.txt"), "\ntwo\n") != NULL);
    cr_expect(eq(int, outcome.code, 0));
}

Test(launcher, stdout_never_goes_through_a_link_left_in_the_slot)
{
    struct disk_path precious, link_path;

    cr_assert(eq(int, disk_join(&precious, NULL, "%s.precious", slot), STATUS_OK));
    cr_assert(eq(int, disk_join(&link_path, NULL, "%s/out.txt", slot), STATUS_OK));
    cr_assert(eq(int, env->disk->write(env->disk, precious.text, "mine", 4, 0600, NULL), 0));
    cr_assert(zero(int, link(precious.text, link_path.text)));
    run_with("echo theirs", (struct run_spec){.stdout_name = "out.txt"});
    cr_expect(eq(str, (char *)content_of("out.txt"), "theirs\n"));
    cr_assert(zero(int, unlink(link_path.text)));
    cr_assert(zero(int, rename(precious.text, link_path.text)));
    cr_expect(eq(str, (char *)content_of("out.txt"), "mine"));
}

Test(launcher, the_last_of_stderr_is_kept_and_no_more)
{
    run("i=0; while [ $i -lt 20000 ]; do echo line $i >&2; i=$((i+1)); done; exit 3");
    cr_expect(eq(int, outcome.code, 3));
    cr_expect(eq(sz, outcome.tail_length, RUN_STDERR_TAIL));
    cr_expect(outcome.tail_is_cut);
    cr_expect(eq(str, outcome.tail + RUN_STDERR_TAIL - 12, "\nline 19999\n"));
    run("echo short >&2");
    cr_expect(eq(str, outcome.tail, "short\n"));
    cr_expect(not(outcome.tail_is_cut));
}

/* It waits to be killed, for as long as it takes until its progress was looked at. */
Test(launcher, how_far_a_program_says_it_is_is_seen)
{
    struct running_task *task =
        start_with("echo 0.25 >dugnad-progress; exec sleep 100", (struct run_spec){0});
    int tries = 0;

    while (launcher->usage(task).progress_permille == 0 && tries++ < 600) {
        cr_assert(not(launcher->poll(task, &outcome)));
        env->sleep_ms(env, 100);
    }
    cr_expect(eq(int, launcher->usage(task).progress_permille, 250));
    launcher->release(task);
}

Test(launcher, processor_time_of_grandchildren_counts)
{
    const char *const script =
        "(i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done) & wait; "
        "sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'; times >&2";

    for (int i = 0; i < 2; i++) {
        open_without(layers_left_out[i]);
        run(script);
        cr_expect(ge(i64, outcome.usage.cpu_ms, 50), "only %lld ms",
                  (long long)outcome.usage.cpu_ms);
        cr_expect(ge(i64, outcome.usage.wall_ms + 20, outcome.usage.cpu_ms / 2));
    }
}

static atomic_bool is_over;

/* The allocator's lock is held, at most instants, by one of these. */
static void *allocate(void *nothing)
{
    void *kept[64] = {0};

    for (unsigned i = 0; !atomic_load(&is_over); i++) {
        free(kept[i % 64]);
        kept[i % 64] = malloc(1 + i % 5000);
    }
    for (unsigned i = 0; i < 64; i++)
        free(kept[i]);
    return nothing;
}

Test(launcher, locks_that_other_threads_hold_do_not_matter)
{
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        cr_assert(zero(int, pthread_create(&threads[i], NULL, allocate, NULL)));
    for (int i = 0; i < 50; i++) {
        run("exit 5");
        cr_assert(eq(int, outcome.code, 5));
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < 2; i++)
        (void)pthread_join(threads[i], NULL);
}

/* ---- what it gets ---- */

Test(launcher, the_environment_is_what_was_given_and_four_names)
{
    const char *const given[] = {"SEED=42", "LANG=nb_NO.UTF-8", NULL};
    const char *const arguments[] = {"env", NULL};
    char expected[400];

    cr_assert(zero(int, setenv("SECRET_OF_THE_CLIENT", "1", 1)));
    run_with(NULL, (struct run_spec){.executable = "/usr/bin/env",
                                     .arguments = arguments,
                                     .environment = given,
                                     .stdout_name = "env.txt"});
    (void)snprintf(expected, sizeof expected,
                   "SEED=42\nLANG=nb_NO.UTF-8\nPATH=/usr/bin:/bin\nHOME=%s\nTMPDIR=%s\n", slot,
                   slot);
    cr_expect(eq(str, (char *)content_of("env.txt"), expected));
}

Test(launcher, no_descriptor_is_inherited)
{
    int leaked = open("/etc/passwd", O_RDONLY); /* not close-on-exec */

    cr_assert(ge(int, leaked, 0));
    cr_assert(ge(int, dup2(leaked, 200), 0));
    for (int i = 0; i < 2; i++) {
        open_without(layers_left_out[i]);
        run_with("ls /proc/self/fd | tr '\\n' ' '", (struct run_spec){.stdout_name = "fd.txt"});
        cr_expect(eq(str, (char *)content_of("fd.txt"), "0 1 2 3 "));
    }
    open_without(LAYER_BIT(LAYER_DESCRIPTORS));
    run_with("ls /proc/self/fd | tr '\\n' ' '", (struct run_spec){.stdout_name = "fd.txt"});
    cr_expect(strstr(content_of("fd.txt"), "200") != NULL); /* so the above can fail */
}

Test(launcher, the_keeper_holds_none_of_the_clients_files)
{
    char path[64];
    struct running_task *task;
    struct stat own, theirs;
    int held = open("/etc/passwd", O_RDONLY), kept = 0;

    cr_assert(zero(int, fstat(held, &own)));
    task = start_with("echo $PPID; sleep 20", (struct run_spec){.stdout_name = "ppid.txt"});
    env->sleep_ms(env, 300);
    for (int i = 3; i < 64; i++) {
        FILE *children;
        int keeper = 0;

        (void)snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
        children = fopen(path, "r");
        cr_assert(children != NULL && fscanf(children, "%d", &keeper) == 1);
        (void)fclose(children);
        (void)snprintf(path, sizeof path, "/proc/%d/fd/%d", keeper, i);
        kept += stat(path, &theirs) == 0 && theirs.st_ino == own.st_ino;
    }
    cr_expect(eq(int, kept, 0));
    launcher->release(task);
}

Test(launcher, signals_and_mode_are_fresh)
{
    static const unsigned long ignored[8] = {1}; /* SIG_IGN */
    sigset_t term;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    (void)syscall(SYS_rt_sigaction, 32, ignored, NULL, (size_t)8); /* the C library would not */
    (void)sigemptyset(&term);
    (void)sigaddset(&term, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &term, NULL);
    run_with("grep -E '^Sig(Blk|Ign)' /proc/self/status; umask; touch f; awk '{print $6}' "
             "/proc/self/stat",
             (struct run_spec){.stdout_name = "out.txt"});
    cr_expect(text_starts_with(content_of("out.txt"), "SigBlk:\t0000000000000000\n"
                                                      "SigIgn:\t0000000000000000\n0077\n"),
              "%s", content_of("out.txt"));
    cr_expect(ne(int, atoi(strstr(content_of("out.txt"), "0077\n") + 5), (int)getsid(0)));
}

Test(launcher, a_task_is_idle_and_first_to_go)
{
    open_without(0);
    run_with("awk '{print $41, $19}' /proc/self/stat; cat /proc/self/oom_score_adj",
             (struct run_spec){.stdout_name = "out.txt"});
    cr_expect(eq(str, (char *)content_of("out.txt"), "5 19\n1000\n")); /* 5: SCHED_IDLE */
}

Test(launcher, a_task_has_no_capabilities_and_gets_none)
{
    for (int i = 0; i < 2; i++) {
        open_without(layers_left_out[i]);
        run_with("grep -E '^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs)' /proc/self/status",
                 (struct run_spec){.stdout_name = "out.txt"});
        cr_expect(eq(str, (char *)content_of("out.txt"),
                     "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\n"
                     "CapEff:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n"));
    }
}

static int listen_somewhere(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    cr_assert(zero(int, bind(listener, (struct sockaddr *)&address, length)));
    cr_assert(zero(int, listen(listener, 4)));
    cr_assert(zero(int, getsockname(listener, (struct sockaddr *)&address, &length)));
    *ret_port = ntohs(address.sin_port);
    return listener;
}

Test(launcher, the_network_is_out_of_reach)
{
    char script[100];
    const char *const arguments[] = {"bash", "-c", script, NULL};
    const struct run_spec connect = {.executable = "/bin/bash", .arguments = arguments};
    int port, listener = listen_somewhere(&port);

    if ((launcher_layers(launcher) & LAYER_BIT(LAYER_NETWORK_NAMESPACE)) == 0)
        cr_skip("no network namespace here");
    (void)snprintf(script, sizeof script, "exec 3<>/dev/tcp/127.0.0.1/%d", port);
    run_with(NULL, connect);
    cr_expect(ne(int, outcome.code, 0));
    open_without(LAYER_BIT(LAYER_NETWORK_NAMESPACE));
    run_with(NULL, connect);
    cr_expect(eq(int, outcome.code, 0)); /* so the above can fail */
    (void)close(listener);
}

Test(launcher, a_missing_layer_of_the_minimum_is_said)
{
    const struct launcher_options options = {.left_out = LAYER_BIT(LAYER_NETWORK_NAMESPACE),
                                             .minimum = LAYER_BIT(LAYER_NETWORK_NAMESPACE)};
    struct launcher *none = NULL;
    struct error err;

    cr_expect(eq(int, launcher_open_native(env, &options, &none, &err), STATUS_FORBIDDEN));
    cr_expect(strstr(err.text, "network-namespace") != NULL);
    cr_expect(none == NULL);
}

Test(launcher, layers_have_names_that_are_found_again)
{
    for (int i = 0; i < LAYER_COUNT; i++) {
        cr_expect(eq(int, (int)layer_from_name(layer_name((enum layer)i)), i));
        cr_expect(lt(sz, 0, strlen(layer_words((enum layer)i))));
    }
    cr_expect(eq(int, (int)layer_from_name("moat"), LAYER_COUNT));
}
