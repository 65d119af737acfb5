#include "bench/process.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <unistd.h>

#include "common/env/real.h"

Test(process, ticks_are_counted_from_behind_the_name_whatever_it_holds)
{
    cr_expect(
        eq(i64, process_ticks("12 (a) b (x) S 1 2 3 4 5 6 7 8 9 10 70 30 0 0 20 0 1 0 5 6"), 100));
    cr_expect(eq(i64, process_ticks("12 (cut) S 1 2"), 0));
    cr_expect(eq(i64, process_ticks(""), 0));
}

Test(process, a_number_is_found_by_its_key_at_a_lines_beginning)
{
    static const char text[] = "Name: VmRSS: 1\nVmHWM:\t  2048 kB\nVmRSS: 77 kB\n";

    cr_expect(eq(i64, process_number(text, "VmHWM:"), 2048));
    cr_expect(eq(i64, process_number(text, "VmRSS:"), 77));
    cr_expect(eq(i64, process_number(text, "VmSwap:"), 0));
}

Test(process, our_own_use_is_found)
{
    struct process_use before, after;
    int64_t ticks_per_s = sysconf(_SC_CLK_TCK);
    volatile uint64_t sum = 0;

    cr_assert(eq(int, process_look(disk_real(), getpid(), ticks_per_s, &before, NULL), STATUS_OK));
    for (uint64_t i = 0; i < UINT64_C(300000000); i++)
        sum += i;
    cr_assert(eq(int, process_look(disk_real(), getpid(), ticks_per_s, &after, NULL), STATUS_OK));
    cr_expect(after.cpu_us > before.cpu_us);
    cr_expect(after.rss_bytes > 100000 && after.peak_bytes >= after.rss_bytes);
}

Test(process, a_process_that_is_not_there_is_not_found)
{
    struct process_use use;

    cr_expect(eq(int, process_look(disk_real(), INT32_MAX, 100, &use, NULL), STATUS_NOT_FOUND));
}
