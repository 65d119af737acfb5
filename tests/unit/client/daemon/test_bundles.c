/* client/daemon: many small inputs come together, and nothing is worse for it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/support/volunteer.h"

static struct volunteer it;

static void set_up(void)
{
    volunteer_init(&it, 1);
}

static void tear_down(void)
{
    volunteer_end(&it);
}

TestSuite(bundles, .init = set_up, .fini = tear_down, .timeout = 120);

static void restart(void)
{
    volunteer_stop(&it);
    cr_assert(volunteer_start(&it));
}

/* Step until its program was started. */
static void live_until_started(void)
{
    for (int i = 0; i < 3000 && it.launcher.started == 0; i++)
        volunteer_live(&it, 100);
    cr_assert(eq(i64, it.launcher.started, 1));
}

/* Of one unit with so many small inputs, from attaching on to its start. */
struct cost {
    int64_t requests, syncs, renames;
};

static struct cost cost_of(size_t inputs)
{
    struct cost before, cost;

    fake_site_add_small(&it.site, inputs, 0);
    before = (struct cost){it.site.net.served, it.disk.syncs, it.disk.renames};
    live_until_started();
    cost = (struct cost){it.site.net.served - before.requests, it.disk.syncs - before.syncs,
                         it.disk.renames - before.renames};
    volunteer_end(&it);
    volunteer_init(&it, 1);
    return cost;
}

/* They were 100 requests, 200 syncs and 100 renames more. */
Test(bundles, a_hundred_small_inputs_cost_one_request_and_no_sync_nor_rename)
{
    struct cost none = cost_of(0), hundred = cost_of(100);

    cr_expect(le(i64, hundred.requests, none.requests + 1));
    cr_expect(le(i64, hundred.syncs, none.syncs));
    cr_expect(le(i64, hundred.renames, none.renames));
}

static void expect_done(size_t units)
{
    cr_expect(eq(sz, fake_site_count(&it.site, FAKE_STORED), units));
    for (size_t i = 0; i < units; i++)
        cr_expect(eq(int, it.site.tasks[i].outcome, VISIT_DONE));
}

Test(bundles, more_files_than_a_bundle_holds_come_in_several)
{
    fake_site_add_small(&it.site, 300, 0);
    volunteer_live(&it, HOUR);
    expect_done(1);
    cr_expect(eq(i64, it.site.bundles, 3));
    cr_expect(eq(i64, it.site.files_served, 302), "each once");
}

Test(bundles, tasks_that_need_few_files_each_share_a_bundle)
{
    volunteer_end(&it);
    volunteer_init(&it, 20);
    fake_site_add_small(&it.site, 2, 2);
    volunteer_live(&it, 4 * HOUR);
    expect_done(20);
    cr_expect(lt(i64, it.site.bundles, 3), "one for each visit that brought tasks");
    cr_expect(eq(i64, it.site.files_served, 42), "each once");
}

/* --- what a bundle does not bring --- */

Test(bundles, what_was_left_out_comes_one_by_one)
{
    it.site.bundle_holds = 5;
    fake_site_add_small(&it.site, 20, 0);
    volunteer_live(&it, HOUR);
    expect_done(1);
    cr_expect(eq(i64, it.site.bundles, 1));
    cr_expect(eq(i64, it.site.files_served, 22), "each once");
}

Test(bundles, a_site_that_refuses_bundles_is_asked_for_one_by_one_and_seldom_for_a_bundle)
{
    it.site.bundle_fails_with = STATUS_FORBIDDEN;
    fake_site_add_small(&it.site, 20, 0);
    volunteer_live(&it, HOUR);
    expect_done(1);
    cr_expect(eq(i64, it.site.bundles, 1));
}

static enum fake_fate bundles_get_lost(void *context, const struct fake_request *request)
{
    (void)context;
    return strcmp(request->path, "/v1/files/bundle") == 0 ? FATE_LOST_REPLY : FATE_DELIVERED;
}

Test(bundles, bundles_that_get_lost_are_a_delay)
{
    it.site.net.fate = bundles_get_lost;
    fake_site_add_small(&it.site, 20, 0);
    volunteer_live(&it, 4 * HOUR);
    expect_done(1);
}

/* I1: wrong bytes are refused as they are when they come alone, and nothing of them is kept. */
Test(bundles, bytes_that_were_not_signed_are_refused)
{
    it.site.mark = 'S';
    fake_site_add_small(&it.site, 20, 0);
    volunteer_live(&it, DAY);
    cr_expect(eq(i64, it.launcher.started, 0));
    cr_expect(eq(int, it.site.tasks[0].outcome, VISIT_REFUSED));
    cr_expect(eq(int, it.site.tasks[0].refusal, REFUSAL_CHANGED_INPUT));
    cr_expect(lt(i64, it.site.bundles, 12), "it is not asked again and again");
}

static enum fake_fate slow_bundles(void *context, const struct fake_request *request)
{
    (void)context;
    return strcmp(request->path, "/v1/files/bundle") == 0 ? FATE_SLOW : FATE_DELIVERED;
}

static void live_until_a_bundle_comes(void)
{
    it.site.net.fate = slow_bundles;
    for (int i = 0; i < 1000 && it.site.net.slow == 0; i++)
        volunteer_live(&it, 1000);
    cr_assert(eq(i64, it.site.net.slow, 1));
}

Test(bundles, a_client_that_stops_while_a_bundle_comes_asks_again)
{
    fake_site_add_small(&it.site, 20, 0);
    live_until_a_bundle_comes();
    restart();
    volunteer_live(&it, 4 * HOUR);
    expect_done(1);
}

/* --- the cache's cap and its durability --- */

static int64_t bytes_in_cache(void)
{
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    struct disk *disk = it.disk.real;
    struct disk_path path;
    struct disk_entry entry;
    int64_t bytes = 0;

    cr_assert(eq(int, disk_join(&path, NULL, "%s/cache", it.path), STATUS_OK));
    cr_assert(eq(int, disk->list(disk, path.text, &names, NULL), STATUS_OK));
    for (size_t i = 0; i < names.count; i++) {
        cr_assert(disk_join(&path, NULL, "%s/cache/%s", it.path, names.names[i]) == STATUS_OK);
        cr_assert(eq(int, disk->look(disk, path.text, &entry, NULL), STATUS_OK));
        bytes += entry.size_bytes;
    }
    return bytes;
}

/* One task needs more than it may hold. */
Test(bundles, the_cap_of_the_cache_holds)
{
    it.config.cache = 100;
    restart();
    fake_site_add_small(&it.site, 20, 0);
    volunteer_live(&it, HOUR);
    cr_expect(eq(i64, it.launcher.started, 0));
    cr_expect(le(i64, bytes_in_cache(), 100));
    it.config.cache = 1000;
    restart();
    volunteer_live(&it, 4 * HOUR);
    expect_done(1);
}

static void empty_some(size_t count)
{
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    struct disk *disk = it.disk.real;
    struct disk_path path;

    cr_assert(eq(int, disk_join(&path, NULL, "%s/cache", it.path), STATUS_OK));
    cr_assert(eq(int, disk->list(disk, path.text, &names, NULL), STATUS_OK));
    cr_assert(ge(sz, names.count, count));
    for (size_t i = 0; i < count; i++) {
        cr_assert(
            eq(int, disk_join(&path, NULL, "%s/cache/%s", it.path, names.names[i]), STATUS_OK));
        if (i % 2 == 0)
            cr_assert(eq(int, disk->write(disk, path.text, "", 0, 0600, NULL), STATUS_OK));
        else
            cr_assert(eq(int, disk->remove(disk, path.text, NULL), STATUS_OK));
    }
}

/* One damaged file was found by each filling of the slot, and one that was gone by none: the task
 * went from fetching to ready and back for ever. */
Test(bundles, files_torn_and_gone_are_found_together_and_fetched_again)
{
    fake_site_add_small(&it.site, 20, 0);
    live_until_a_bundle_comes();
    json_decref(volunteer_ask(&it, "pause")); /* it is fetched, and not started */
    volunteer_live(&it, 10 * MINUTE);
    cr_assert(eq(i64, it.site.files_served, 22));
    cr_assert(eq(i64, it.launcher.started, 0));
    empty_some(10);
    json_decref(volunteer_ask(&it, "resume"));
    volunteer_live(&it, 4 * HOUR);
    expect_done(1);
    cr_expect(eq(i64, it.site.files_served, 32));
    cr_expect(le(i64, it.site.bundles, 2));
}

/* True: the life was shorter than that; nothing failed. */
static bool cut_power_at(int step)
{
    bool failed;

    volunteer_init(&it, 1);
    fake_site_add_small(&it.site, 8, 0);
    it.launcher.duration_ms = MINUTE / 10;
    failing_disk_arm(&it.disk, FAILING_POWER, step);
    volunteer_live(&it, 5 * MINUTE);
    volunteer_stop(&it);
    failed = failing_disk_repair(&it.disk);
    failing_disk_arm(&it.disk, FAILING_POWER, -1);
    cr_assert(volunteer_start(&it), "step %d", step);
    for (int i = 0; i < 12 && fake_site_count(&it.site, FAKE_STORED) == 0; i++)
        volunteer_live(&it, 5 * MINUTE);
    expect_done(1);
    volunteer_end(&it);
    return !failed;
}

Test(bundles, a_power_cut_at_any_step_costs_only_files_to_be_fetched_again)
{
    int step = 0;

    volunteer_end(&it);
    while (step < 400 && !cut_power_at(step))
        step++;
    cr_expect(lt(int, 30, step), "the disk was hardly used");
    cr_expect(lt(int, step, 400));
    volunteer_init(&it, 1);
}
