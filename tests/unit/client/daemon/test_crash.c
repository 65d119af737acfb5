/* client/daemon: power cuts and full disks at every step of a task's life (I4, I5). */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/support/volunteer.h"

#define STEPS_MAX 400 /* more than one unit's life has */

static struct volunteer it;

static void expect_all_done(int step)
{
    cr_expect(eq(str, it.site.broken, ""), "step %d", step);
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), 1), "step %d", step);
    cr_expect(eq(int, it.site.tasks[0].outcome, VISIT_DONE), "step %d", step);
    cr_expect(eq(i64, volunteer_tally(&it, "accepted"), 1), "step %d", step);
    cr_expect(eq(i64, volunteer_tally(&it, "credit"), 1000000), "step %d", step);
    cr_expect(eq(sz, volunteer_phase(&it, "stored"), 1), "step %d", step);
}

/* Until the work is through, and some visits more; at most so long. */
static void live_until_done(int64_t most_ms)
{
    for (int64_t lived = 0; lived < most_ms; lived += 5 * MINUTE) {
        bool is_done = volunteer_phase(&it, "stored") == 1 && volunteer_tally(&it, "accepted") == 1;

        volunteer_live(&it, 5 * MINUTE);
        if (is_done)
            return;
    }
}

/* True: the life was shorter than that; nothing failed. */
static bool cut_power_at(int step)
{
    bool failed;

    volunteer_init(&it, 1);
    it.launcher.duration_ms = MINUTE / 10;
    failing_disk_arm(&it.disk, FAILING_POWER, step);
    volunteer_live(&it, 10 * MINUTE);
    volunteer_stop(&it);
    failed = failing_disk_repair(&it.disk);
    failing_disk_arm(&it.disk, FAILING_POWER, -1);
    cr_assert(volunteer_start(&it), "step %d", step);
    live_until_done(HOUR);
    expect_all_done(step);
    volunteer_clear(&it);
    return !failed;
}

Test(crash, a_power_cut_at_any_step_loses_no_work_and_counts_it_once, .timeout = 120)
{
    int step = 0;

    while (step < STEPS_MAX && !cut_power_at(step))
        step++;
    cr_expect(lt(int, 20, step), "the disk was hardly used");
    cr_expect(lt(int, step, STEPS_MAX));
}

static bool fill_disk_at(int step)
{
    bool failed;

    volunteer_init(&it, 1);
    it.launcher.duration_ms = MINUTE / 10;
    failing_disk_arm(&it.disk, FAILING_ROOM, step);
    volunteer_live(&it, 10 * MINUTE);
    failed = failing_disk_repair(&it.disk);
    failing_disk_arm(&it.disk, FAILING_ROOM, -1);
    live_until_done(2 * HOUR);
    expect_all_done(step);
    volunteer_clear(&it);
    return !failed;
}

Test(crash, a_disk_that_is_full_for_a_while_delays_and_loses_nothing, .timeout = 120)
{
    int step = 0;

    while (step < STEPS_MAX && !fill_disk_at(step))
        step++;
    cr_expect(lt(int, 10, step), "the disk was hardly used");
    cr_expect(lt(int, step, STEPS_MAX));
}
