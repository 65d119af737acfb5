/* db/work: what a cycle loads and saves, written against struct store alone. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "db/store.h"
#include "db/work.h"
#include "tests/support/site.h"

static struct test_site site;
static struct store *store;
static struct error err;

static void set_up(void)
{
    site_open(&site, NULL);
    store = site.store;
}

static void tear_down(void)
{
    site_close(&site);
}

TestSuite(work, .init = set_up, .fini = tear_down);

static struct work_set load(const struct work_request *request)
{
    struct work_set set = {0};

    cr_assert(eq(int, store->work->load(store, request, &set, &err), STATUS_OK), "%s", err.detail);
    return set;
}

static struct work_set load_unit(int64_t unit)
{
    return load(&(struct work_request){.units = &unit, .unit_count = 1});
}

static enum status save(struct work_set *set)
{
    CLEANUP(txn_end) struct txn txn = {0};
    enum status status;

    cr_assert(eq(int, txn_begin(&txn, store, &err), STATUS_OK));
    status = store->work->save(store, set, &err);
    return status == STATUS_OK ? txn_commit(&txn, &err) : status;
}

static void send(struct unit *unit, size_t host)
{
    unit->tasks[unit->task_count++] = (struct task){
        .state = TASK_SENT,
        .at_dispatch = {.host = site.hosts[host],
                        .volunteer = site.volunteers[host],
                        .organisation = -site.volunteers[host]},
        .prefix = text_copy("192.0.2.0/24"),
        .visit = 1,
        .variant = site.variant_digest,
        .sent_s = SITE_TIME_S,
        .deadline_up_s = 5000,
        .deadline_s = SITE_TIME_S + 5000,
        .is_changed = true,
    };
    unit->copies_wanted--;
    unit->is_changed = true;
}

Test(work, a_unit_is_loaded_as_it_was_added)
{
    CLEANUP(work_set_clear) struct work_set set = load_unit(site.units[1]);
    struct unit *unit = work_unit(&set, site.units[1]);

    cr_assert(ne(ptr, unit, NULL));
    cr_expect(eq(sz, set.unit_count, 1));
    cr_expect(digest_equals(&unit->digest, &site.unit_digests[1]));
    cr_expect(eq(i64, unit->index, 1));
    cr_expect(eq(u32, unit->rule.quorum, 2));
    cr_expect(eq(u32, unit->copies_wanted, 2));
    cr_expect(eq(int, unit->state, UNIT_OPEN));
    cr_expect(eq(i64, unit->batch, site.batch));
    cr_expect(eq(str, unit->pinned_class, ""));
    cr_assert(ne(ptr, work_batch(&set, site.batch), NULL));
    cr_expect(eq(i64, work_batch(&set, site.batch)->units, 2));
    cr_expect(eq(str, work_batch(&set, site.batch)->name, "primes"));
}

Test(work, a_task_that_was_sent_is_loaded_by_its_host)
{
    CLEANUP(work_set_clear) struct work_set set = load_unit(site.units[0]);
    CLEANUP(work_set_clear) struct work_set again = {0};
    struct task *task = NULL;

    send(&set.units[0], 0);
    cr_assert(eq(int, save(&set), STATUS_OK), "%s", err.detail);
    cr_expect(eq(i64, set.units[0].tasks[0].id, TASK_ID(site.units[0], 0)));

    again = load(&(struct work_request){
        .hosts = &site.hosts[0], .host_count = 1, .with_tasks_of_hosts = true});
    cr_assert(eq(sz, again.host_count, 1));
    cr_assert(ne(ptr, work_unit_of_task(&again, TASK_ID(site.units[0], 0), &task), NULL));
    cr_expect(eq(int, task->state, TASK_SENT));
    cr_expect(eq(i64, task->now.volunteer, site.volunteers[0]));
    cr_expect(eq(i64, task->now.organisation, -site.volunteers[0]));
    cr_expect(digest_equals(&task->variant, &site.variant_digest));
    cr_expect(eq(str, task->prefix, "192.0.2.0/24"));
}
