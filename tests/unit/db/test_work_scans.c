/* db/work: what an engine looks for among all units and tasks, in pages. */
#include "tests/unit/db/work_suite.h"

Test(work, granted_tasks_are_found_by_visit)
{
    int64_t tasks[4];
    size_t count = 99;

    site_send(&site, 0, 0);
    site_send(&site, 1, 0);
    cr_assert(eq(int, (int)store->work->granted_at(store, site.hosts[0], 2, tasks, 4, &count, &err),
                 STATUS_OK));
    cr_assert(eq(sz, count, 1));
    cr_expect(eq(i64, tasks[0], TASK_ID(site.units[1], 0)));
    cr_assert(eq(int, (int)store->work->granted_at(store, site.hosts[1], 1, tasks, 4, &count, &err),
                 STATUS_OK));
    cr_expect(zero(sz, count));
}

/* Pages of hints cover every unit once. */
Test(work, hints_come_in_pages_over_many_rows)
{
    static int64_t ids[500];
    struct ready_hint hints[64];
    struct sent_hint sent[4];
    int64_t after = 0, seen = 0;
    size_t count = 1;

    site_add_units(&site, site.batch, 1000, 500, NULL, ids);
    site_send(&site, 0, 0);
    site_send(&site, 0, 1);
    while (count > 0) {
        cr_assert(eq(int, (int)store->work->scan_ready(store, after, hints, 64, &count, &err),
                     STATUS_OK));
        for (size_t i = 0; i < count; i++) {
            cr_expect(lt(i64, after, hints[i].unit));
            after = hints[i].unit;
            seen++;
        }
    }
    cr_expect(eq(i64, seen, 501), "unit 0 wants no more copies");
    cr_expect(eq(i64, after, ids[499]));
    cr_expect(eq(u32, hints[0].copies_wanted, 2));

    cr_assert(eq(int, (int)store->work->scan_sent(store, 0, sent, 4, &count, &err), STATUS_OK));
    cr_assert(eq(sz, count, 2));
    cr_expect(eq(i64, sent[1].task, TASK_ID(site.units[0], 1)));
    cr_expect(eq(i64, sent[1].unit, site.units[0]));
    cr_expect(eq(i64, sent[1].deadline_up_s, 5000));
    cr_assert(eq(int, (int)store->work->scan_sent(store, sent[1].task, sent, 4, &count, &err),
                 STATUS_OK));
    cr_expect(zero(sz, count));
}

Test(work, units_beyond_their_validity_are_found_until_they_end)
{
    const int64_t end_s = SITE_TIME_S + 30 * 86400;
    int64_t units[4];
    size_t count;

    cr_assert(eq(int, (int)store->work->scan_expired(store, end_s - 1, units, 4, &count, &err),
                 STATUS_OK));
    cr_expect(zero(sz, count));
    cr_assert(
        eq(int, (int)store->work->scan_expired(store, end_s, units, 4, &count, &err), STATUS_OK));
    cr_assert(eq(sz, count, 1));
    cr_expect(eq(i64, units[0], site.units[0]));
    site_give_up(&site, 0, FAILURE_EXPIRED);
    cr_assert(
        eq(int, (int)store->work->scan_expired(store, end_s, units, 4, &count, &err), STATUS_OK));
    cr_expect(zero(sz, count));
}
