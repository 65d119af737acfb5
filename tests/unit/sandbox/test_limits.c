/* sandbox/launcher: each limit ends a task, and is named. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/support/running.h"

TestSuite(limits, .init = running_set_up, .fini = running_tear_down, .timeout = 120);

Test(limits, too_much_processor_time_ends_a_task)
{
    const struct run_spec spec = {.limits = {.cpu_s = 1}};

    for (int i = 0; i < 2; i++) {
        open_without(layers_left_out[i]);
        run_with("while :; do :; done & while :; do :; done", spec);
        expect_killed_for(RUN_LIMIT_CPU);
        cr_expect(ge(i64, outcome.usage.cpu_ms, 1000));
        cr_expect(lt(i64, outcome.usage.cpu_ms, 6000));
    }
}

Test(limits, too_much_time_ends_a_task)
{
    run_with("sleep 60", (struct run_spec){.limits = {.wall_s = 1}});
    expect_killed_for(RUN_LIMIT_WALL);
    cr_expect(lt(i64, outcome.usage.wall_ms, 8000));
}

Test(limits, too_much_memory_in_all_ends_a_task)
{
    /* Each of the two is below the limit, both are not; tail keeps what has no line end. */
    const char *const script = "eat() { (head -c 60M /dev/zero; sleep 30) | tail; }; eat & eat";

    for (int i = 0; i < 2; i++) {
        open_without(layers_left_out[i]);
        run_with(script, (struct run_spec){.limits = {.memory_bytes = 80 << 20}});
        expect_killed_for(RUN_LIMIT_MEMORY);
        cr_expect(lt(i64, 80 << 20, outcome.usage.peak_memory_bytes));
    }
}

Test(limits, a_burst_of_memory_is_refused_by_the_kernel)
{
    run_with("head -c 900M /dev/zero | tail",
             (struct run_spec){.limits = {.memory_bytes = 64 << 20}});
    cr_expect(ne(int, (int)outcome.end, RUN_NOT_STARTED));
    cr_expect(lt(i64, outcome.usage.peak_memory_bytes, 200 << 20));
    cr_expect(eq(int, (int)outcome.limit, RUN_LIMIT_MEMORY));
}

/* vec() makes the text in one piece, so that nothing is copied. */
static void run_and_die_with(int mebibytes)
{
    CLEANUP(freep)
    char *script =
        text_format("exec perl -e 'vec($x, %d << 20, 8) = 1; kill SEGV, $$; sleep 9'", mebibytes);

    run_with(script, (struct run_spec){.limits = {.memory_bytes = 100 << 20}});
    cr_expect(eq(int, (int)outcome.end, RUN_SIGNALLED));
    cr_expect(eq(int, outcome.code, SIGSEGV));
}

Test(limits, an_app_that_dies_close_to_its_memory_limit_probably_dies_of_it)
{
    run_and_die_with(91);
    cr_expect(lt(i64, outcome.usage.peak_memory_bytes, 100 << 20));
    cr_expect(eq(int, (int)outcome.limit, RUN_LIMIT_MEMORY));
}

Test(limits, an_app_that_dies_far_below_its_memory_limit_dies_of_something_else)
{
    run_and_die_with(40);
    cr_expect(eq(int, (int)outcome.limit, RUN_LIMIT_NONE));
}

Test(limits, a_file_too_long_ends_a_task)
{
    run_with("exec head -c 5M /dev/zero > big",
             (struct run_spec){.limits = {.disk_bytes = 1 << 20}});
    cr_expect(eq(int, (int)outcome.end, RUN_SIGNALLED));
    cr_expect(eq(int, outcome.code, SIGXFSZ));
    cr_expect(eq(int, (int)outcome.limit, RUN_LIMIT_DISK));
}

Test(limits, too_many_files_together_end_a_task)
{
    run_with("mkdir d; for i in 1 2 3; do head -c 600K /dev/zero > d/$i; done; sleep 60",
             (struct run_spec){.limits = {.disk_bytes = 1 << 20}});
    expect_killed_for(RUN_LIMIT_DISK);
    cr_expect(lt(i64, 1 << 20, outcome.usage.disk_bytes));
}

/* The kernel refuses more to plain users; root is only measured. */
static void expect_too_many(void)
{
    if (outcome.end == RUN_KILLED)
        expect_killed_for(RUN_LIMIT_PROCESSES);
    else
        cr_expect(ne(int, outcome.code, 0));
    cr_expect(lt(i64, outcome.usage.wall_ms, 10000));
}

Test(limits, too_many_processes_end_a_task_or_are_refused)
{
    run_with("for i in 1 2 3 4 5 6 7 8 9 10; do sleep 30 & done; wait",
             (struct run_spec){.limits = {.processes = 5}});
    expect_too_many();
}

Test(limits, without_a_word_on_processes_there_is_still_a_limit)
{
    run("i=0; while [ $i -lt 150 ]; do sleep 30 & i=$((i+1)); done; wait");
    expect_too_many();
}

Test(limits, a_small_task_peaks_below_what_its_client_weighs)
{
    char *ballast = malloc(100 << 20);

    cr_assert(ballast != NULL);
    memset(ballast, 1, 100 << 20);
    run_with("exit 1", (struct run_spec){.limits = {.memory_bytes = 50 << 20}});
    cr_expect(eq(int, (int)outcome.end, RUN_EXITED));
    cr_expect(eq(int, (int)outcome.limit, RUN_LIMIT_NONE)); /* the copy before exec weighs 100 MB */
    cr_expect(lt(i64, outcome.usage.peak_memory_bytes, 50 << 20));
    free(ballast);
}
