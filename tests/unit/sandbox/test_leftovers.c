/* sandbox/launcher: nothing of a task outlives it, and suspending reaches all of it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/running.h"

TestSuite(leftovers, .init = running_set_up, .fini = running_tear_down, .timeout = 120);

static const char *const runaway =
    "(setsid sh -c '(setsid sh -c \"sleep 7531$$; :\" marker$$) & sleep 7531$$; :' &) "
    "; for i in 1 2 3 4 5; do (setsid sleep 7531$$ &) ; done; ";

/* Replaces $$ by this test's id, for the word must not be another test's. */
static const char *marked(const char *script, char *ret_text, size_t size)
{
    size_t at = 0;

    for (const char *c = script; *c != '\0' && at + 12 < size; c++) {
        if (c[0] != '$' || c[1] != '$') {
            ret_text[at++] = *c;
            continue;
        }
        at += (size_t)snprintf(ret_text + at, 12, "%d", (int)getpid());
        c++;
    }
    ret_text[at] = '\0';
    return ret_text;
}

Test(leftovers, what_the_app_left_behind_ends_with_it)
{
    char script[600], word[32];

    (void)snprintf(word, sizeof word, "7531%d", (int)getpid());
    for (int i = 0; i < 2; i++) {
        open_without(layers_left_out[i]);
        run(marked(runaway, script, sizeof script));
        cr_expect(eq(int, outcome.code, 0));
        cr_expect(eq(int, count_processes(word), 0));
    }
}

Test(leftovers, a_kill_leaves_nothing)
{
    char script[600], word[32];

    (void)snprintf(word, sizeof word, "7531%d", (int)getpid());
    for (int i = 0; i < 2; i++) {
        struct running_task *task;

        open_without(layers_left_out[i]);
        (void)marked(runaway, script, sizeof script);
        (void)strcat(script, "trap '' TERM HUP INT; sleep 1000");
        task = start_with(script, (struct run_spec){0});
        cr_assert(is_reached_within(word, true, 10000));
        env->sleep_ms(env, 200);
        cr_expect(ge(int, count_processes(word), 5));
        launcher->kill(task);
        cr_assert(ends_within(task, 10000));
        cr_expect(eq(int, count_processes(word), 0));
        expect_killed_for(RUN_LIMIT_NONE);
        launcher->release(task);
    }
}

/* Each process starts its successor in a session of its own and ends, for ever. */
Test(leftovers, a_kill_catches_who_never_stands_still)
{
    const char *const hare = "setsid sh hare.sh $1 & exit 0";
    char word[32], script[100];
    struct disk_path path;

    (void)snprintf(word, sizeof word, "hare%d", (int)getpid());
    (void)snprintf(script, sizeof script, "sh hare.sh %s; sleep 1000", word);
    cr_assert(eq(int, disk_join(&path, NULL, "%s/hare.sh", slot), STATUS_OK));
    cr_assert(zero(int, env->disk->write(env->disk, path.text, hare, strlen(hare), 0600, NULL)));
    for (int i = 0; i < 2; i++) {
        struct running_task *task;

        open_without(layers_left_out[i]);
        task = start_with(script, (struct run_spec){0});
        env->sleep_ms(env, 300);
        cr_expect(is_reached_within(word, true, 2000));
        launcher->kill(task);
        cr_assert(ends_within(task, 10000));
        cr_expect(eq(int, count_processes(word), 0));
        launcher->release(task);
    }
}

Test(leftovers, a_release_kills_and_waits)
{
    char script[600], word[32];

    (void)snprintf(word, sizeof word, "7531%d", (int)getpid());
    for (int i = 0; i < 2; i++) {
        struct running_task *task;

        open_without(layers_left_out[i]);
        (void)marked(runaway, script, sizeof script);
        (void)strcat(script, "sleep 1000");
        task = start_with(script, (struct run_spec){0});
        cr_assert(is_reached_within(word, true, 10000));
        launcher->release(task);
        cr_expect(eq(int, count_processes(word), 0));
    }
}

static void be_a_client(const char *script)
{
    struct running_task *task = start_with(script, (struct run_spec){0});

    for (int i = 0; i < 600; i++) {
        (void)launcher->poll(task, &outcome);
        env->sleep_ms(env, 100);
    }
    _exit(0);
}

Test(leftovers, nothing_survives_a_sudden_end_of_the_client)
{
    char script[600], word[32];

    (void)snprintf(word, sizeof word, "7531%d", (int)getpid());
    (void)marked(runaway, script, sizeof script);
    (void)strcat(script, "sleep 1000");
    for (int i = 0; i < 2; i++) {
        pid_t client;

        open_without(layers_left_out[i]);
        client = fork();
        if (client == 0)
            be_a_client(script);
        cr_assert(is_reached_within(word, true, 10000));
        env->sleep_ms(env, 300);
        cr_expect(ge(int, count_processes(word), 5));
        cr_assert(zero(int, kill(client, SIGKILL)));
        cr_assert(eq(int, waitpid(client, NULL, 0), client));
        cr_expect(is_reached_within(word, false, 5000), "left: %d", count_processes(word));
    }
}

/* The first child this process has; the keeper where there is one task. */
static pid_t keeper_of(pid_t client)
{
    char path[64];
    int keeper = 0;
    FILE *children;

    (void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)client, (int)client);
    children = fopen(path, "r");
    cr_assert(children != NULL && fscanf(children, "%d", &keeper) == 1);
    (void)fclose(children);
    return keeper;
}

static bool keeper_is_init(void)
{
    return (launcher_layers(launcher) & LAYER_BIT(LAYER_PID_NAMESPACE)) != 0;
}

Test(leftovers, a_keeper_that_hangs_is_killed_with_all_of_its_task)
{
    char script[600], word[32];
    struct running_task *task;

    if (!keeper_is_init())
        cr_skip("no PID namespace here");
    (void)snprintf(word, sizeof word, "7531%d", (int)getpid());
    (void)marked(runaway, script, sizeof script);
    (void)strcat(script, "sleep 1000");
    task = start_with(script, (struct run_spec){0});
    cr_assert(is_reached_within(word, true, 10000));
    cr_assert(zero(int, kill(keeper_of(getpid()), SIGSTOP)));
    launcher->kill(task);
    cr_assert(ends_within(task, 6000));
    cr_expect(eq(int, count_processes(word), 0));
    expect_killed_for(RUN_LIMIT_NONE);
    launcher->release(task);
}

Test(leftovers, a_hanging_keeper_ends_with_its_client)
{
    char script[600], word[32];
    pid_t client;

    if (!keeper_is_init())
        cr_skip("no PID namespace here");
    (void)snprintf(word, sizeof word, "7531%d", (int)getpid());
    (void)marked(runaway, script, sizeof script);
    (void)strcat(script, "sleep 1000");
    client = fork();
    if (client == 0)
        be_a_client(script);
    cr_assert(is_reached_within(word, true, 10000));
    cr_assert(zero(int, kill(keeper_of(client), SIGSTOP)));
    cr_assert(zero(int, kill(client, SIGKILL)));
    cr_assert(eq(int, waitpid(client, NULL, 0), client));
    cr_expect(is_reached_within(word, false, 5000), "left: %d", count_processes(word));
}

Test(leftovers, a_keeper_killed_by_others_is_a_lost_task)
{
    struct running_task *task = start_with("sleep 1000", (struct run_spec){0});

    env->sleep_ms(env, 200);
    cr_assert(zero(int, kill(keeper_of(getpid()), SIGKILL)));
    cr_assert(ends_within(task, 10000));
    cr_expect(eq(int, (int)outcome.end, RUN_LOST));
    launcher->release(task);
}

/* ---- suspending ---- */

static bool uses_within(struct running_task *task, int64_t cpu_ms, int64_t ms)
{
    int64_t until = env->now_mono_ms(env) + ms;

    while (launcher->usage(task).cpu_ms <= cpu_ms) {
        if (env->now_mono_ms(env) > until || ends_within(task, 100))
            return false;
    }
    return true;
}

/* A machine may be busy and the order late: but then there is a second in which nothing is used. */
static bool stands_still_within(struct running_task *task, int seconds)
{
    for (int i = 0; i < seconds; i++) {
        int64_t then = launcher->usage(task).cpu_ms;

        if (ends_within(task, 1000))
            return false;
        if (launcher->usage(task).cpu_ms == then)
            return true;
    }
    return false;
}

Test(leftovers, a_suspended_task_uses_no_processor_time)
{
    const char *const script = "(setsid sh -c 'while :; do :; done' &); while :; do :; done";

    for (int i = 0; i < 2; i++) {
        struct running_task *task;
        int64_t wall_ms;

        open_without(layers_left_out[i]);
        task = start_with(script, (struct run_spec){0});
        cr_assert(uses_within(task, 100, 10000));
        launcher->suspend(task);
        wall_ms = launcher->usage(task).wall_ms;
        cr_assert(stands_still_within(task, 10));
        cr_expect(lt(i64, launcher->usage(task).wall_ms, wall_ms + 500));
        launcher->resume(task);
        cr_expect(uses_within(task, launcher->usage(task).cpu_ms + 100, 10000));
        launcher->release(task);
    }
}

Test(leftovers, a_suspended_task_can_be_killed)
{
    struct running_task *task = start_with("sleep 1000", (struct run_spec){0});

    launcher->suspend(task);
    env->sleep_ms(env, 100);
    launcher->kill(task);
    cr_assert(ends_within(task, 10000));
    expect_killed_for(RUN_LIMIT_NONE);
    launcher->kill(task);
    launcher->resume(task);
    cr_expect(launcher->poll(task, &outcome));
    launcher->release(task);
}
