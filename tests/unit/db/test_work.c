/* db/work: what a cycle loads and saves, written against struct store alone. */
#include "common/base/text.h"
#include "tests/unit/db/work_suite.h"

static struct work_set load_from(struct store *from, const struct work_request *request)
{
    struct work_set set = {0};

    cr_assert(eq(int, (int)from->work->load(from, request, &set, &err), STATUS_OK), "%s",
              err.detail);
    return set;
}

static struct work_set load(const struct work_request *request)
{
    return load_from(store, request);
}

static struct work_set load_unit(int64_t unit)
{
    return load(&(struct work_request){
        .units = &unit, .unit_count = 1, .hosts = site.hosts, .host_count = site.host_count});
}

static enum status save_to(struct store *to, struct work_set *set)
{
    CLEANUP(txn_end) struct txn txn = {0};
    enum status status;

    cr_assert(eq(int, (int)txn_begin(&txn, to, &err), STATUS_OK));
    status = to->work->save(to, set, &err);
    return status == STATUS_OK ? txn_commit(&txn, &err) : status;
}

static enum status save(struct work_set *set)
{
    return save_to(store, set);
}

#define SAVES(set) cr_assert(eq(int, (int)save(set), STATUS_OK), "%s", err.detail)

/* One more task of the unit, for the host of that index in the site. */
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
    cr_expect(eq(u32, unit->rule.copies, 2));
    cr_expect(eq(u32, unit->rule.max_failures, 5));
    cr_expect(eq(u32, unit->rule.max_tasks, 10));
    cr_expect(eq(int, (int)unit->rule.independence, INDEPENDENCE_VOLUNTEER));
    cr_expect(eq(u32, unit->copies_wanted, 2));
    cr_expect(eq(int, (int)unit->state, UNIT_OPEN));
    cr_expect(eq(i64, unit->batch, site.batch));
    cr_expect(eq(i64, unit->app_version, site.app_version));
    cr_expect(eq(i64, unit->deadline_span_s, 3600));
    cr_expect(eq(i64, unit->declared_ops, 1000));
    cr_expect(eq(str, unit->pinned_class, ""));
    cr_assert(ne(ptr, work_batch(&set, site.batch), NULL));
    cr_expect(eq(i64, work_batch(&set, site.batch)->units, 2));
    cr_expect(eq(str, work_batch(&set, site.batch)->name, "primes"));
}

Test(work, every_member_of_a_task_is_kept)
{
    CLEANUP(work_set_clear) struct work_set set = load_unit(site.units[0]);
    CLEANUP(work_set_clear) struct work_set again = {0};
    struct task *task = &set.units[0].tasks[0], *kept;

    send(&set.units[0], 0);
    SAVES(&set);
    task->state = TASK_AGREED;
    task->cause = CAUSE_LIMIT;
    task->cause_detail = LIMIT_MEMORY;
    task->deadline_up_s = 1;
    task->deadline_s = 2;
    task->reported_s = 3;
    task->cpu_ms = 4;
    task->credit = 5;
    task->is_asked = true;
    task->asked_up_s = 6;
    task->is_told = true;
    task->result = site_digest(7);
    task->output_count = 2;
    task->outputs = must_alloc(2, sizeof *task->outputs);
    task->outputs[0] =
        (struct output){.name = text_copy("a"), .digest = site_digest(8), .is_stored = true};
    task->outputs[1] = (struct output){
        .name = text_copy("b.txt"), .digest = site_digest(9), .size_bytes = INT64_C(1) << 40};
    task->is_changed = true;
    SAVES(&set);

    again = load_unit(site.units[0]);
    kept = &again.units[0].tasks[0];
    cr_expect(eq(int, (int)kept->state, TASK_AGREED));
    cr_expect(eq(int, (int)kept->cause, CAUSE_LIMIT));
    cr_expect(eq(i32, kept->cause_detail, LIMIT_MEMORY));
    cr_expect(eq(i64, kept->deadline_up_s, 1));
    cr_expect(eq(i64, kept->deadline_s, 2));
    cr_expect(eq(i64, kept->reported_s, 3));
    cr_expect(eq(i64, kept->cpu_ms, 4));
    cr_expect(eq(i64, kept->credit, 5));
    cr_expect(kept->is_asked && kept->is_told);
    cr_expect(eq(i64, kept->asked_up_s, 6));
    cr_expect(eq(i64, kept->visit, 1));
    cr_expect(eq(i64, kept->sent_s, SITE_TIME_S));
    cr_expect(digest_equals(&kept->result, &task->result));
    cr_assert(eq(sz, kept->output_count, 2));
    cr_expect(eq(str, kept->outputs[1].name, "b.txt"));
    cr_expect(eq(i64, kept->outputs[1].size_bytes, INT64_C(1) << 40));
    cr_expect(kept->outputs[0].is_stored && !kept->outputs[1].is_stored);
    cr_expect(digest_equals(&kept->outputs[1].digest, &task->outputs[1].digest));
}

Test(work, a_task_that_was_sent_is_loaded_by_its_host)
{
    CLEANUP(work_set_clear) struct work_set set = load_unit(site.units[0]);
    CLEANUP(work_set_clear) struct work_set again = {0};
    struct task *task = NULL;

    send(&set.units[0], 0);
    SAVES(&set);
    cr_expect(eq(i64, set.units[0].tasks[0].id, TASK_ID(site.units[0], 0)));

    again = load(&(struct work_request){
        .hosts = &site.hosts[0], .host_count = 1, .with_tasks_of_hosts = true});
    cr_assert(eq(sz, again.host_count, 1));
    cr_assert(ne(ptr, work_unit_of_task(&again, TASK_ID(site.units[0], 0), &task), NULL));
    cr_expect(eq(int, (int)task->state, TASK_SENT));
    cr_expect(eq(i64, task->now.volunteer, site.volunteers[0]));
    cr_expect(eq(i64, task->now.organisation, -site.volunteers[0]));
    cr_expect(digest_equals(&task->variant, &site.variant_digest));
    cr_expect(eq(str, task->prefix, "192.0.2.0/24"));
    cr_expect(eq(ptr, work_unit_of_task(&again, TASK_ID(site.units[0], 1), &task), NULL));
    cr_expect(eq(ptr, work_unit_of_task(&again, -1, &task), NULL));
}

/* As long as there is something to say about it: then no more, however long the host lives. */
Test(work, a_told_task_is_no_longer_its_hosts_business)
{
    const struct work_request by_host = {
        .hosts = &site.hosts[0], .host_count = 1, .with_tasks_of_hosts = true};
    CLEANUP(work_set_clear) struct work_set set = load_unit(site.units[0]);
    CLEANUP(work_set_clear) struct work_set told = {0};

    send(&set.units[0], 0);
    set.units[0].tasks[0].state = TASK_OVERDUE;
    SAVES(&set);
    told = load(&by_host);
    cr_expect(eq(sz, told.unit_count, 1));
    work_set_clear(&told);

    set.units[0].tasks[0].is_told = true;
    set.units[0].tasks[0].is_changed = true;
    SAVES(&set);
    told = load(&by_host);
    cr_expect(zero(sz, told.unit_count));
}

Test(work, identity_is_kept_as_it_was_and_told_as_it_is)
{
    CLEANUP(work_set_clear) struct work_set set = load_unit(site.units[0]);
    CLEANUP(work_set_clear) struct work_set again = {0};
    struct host *host = work_host(&set, site.hosts[0]);

    send(&set.units[0], 0);
    host->volunteer = site.volunteers[1];
    host->is_changed = true;
    SAVES(&set);

    again = load_unit(site.units[0]);
    cr_expect(eq(i64, again.units[0].tasks[0].at_dispatch.volunteer, site.volunteers[0]));
    cr_expect(eq(i64, again.units[0].tasks[0].now.volunteer, site.volunteers[1]));
    cr_expect(eq(i64, again.units[0].tasks[0].now.organisation, -site.volunteers[1]));
    cr_expect(eq(i64, work_host(&again, site.hosts[0])->organisation, -site.volunteers[1]));
}

Test(work, hosts_are_found_by_token_and_by_key)
{
    const struct digest tokens[] = {site_digest(5), site.tokens[2]};
    const struct public_key keys[] = {site.keys[0], site_key(999)};
    const int64_t hosts[] = {77, site.hosts[2]};
    CLEANUP(work_set_clear)
    struct work_set set = load(&(struct work_request){.tokens = tokens,
                                                      .token_count = 2,
                                                      .keys = keys,
                                                      .key_count = 2,
                                                      .hosts = hosts,
                                                      .host_count = 2});

    cr_assert(eq(sz, set.host_count, 2));
    cr_expect(eq(i64, work_host_by_token(&set, &tokens[1])->id, site.hosts[2]));
    cr_expect(eq(i64, work_host_by_key(&set, &keys[0])->id, site.hosts[0]));
    cr_expect(eq(ptr, work_host_by_key(&set, &keys[1]), NULL));
    cr_expect(eq(str, work_host_by_key(&set, &keys[0])->platform, "x86_64-linux"));
    cr_expect(eq(ptr, work_host(&set, 77), NULL));
}

Test(work, a_new_host_is_given_an_id_once)
{
    CLEANUP(work_set_clear) struct work_set set = {0};
    CLEANUP(work_set_clear) struct work_set twin = {0};
    struct host *host = work_add_host(&set);

    *host = (struct host){.key = site_key(50),
                          .token = site_digest(51),
                          .kind = HOST_BROWSER,
                          .volunteer = site.volunteers[0],
                          .incarnation = 1};
    *work_add_host(&twin) = *host;
    SAVES(&set);
    cr_expect(lt(i64, site.hosts[2], set.hosts[0].id));
    cr_expect(eq(int, (int)save(&twin), STATUS_CONFLICT), "the key is taken");

    set.hosts[0].token = site_digest(52);
    set.hosts[0].is_changed = true;
    SAVES(&set);
    work_set_clear(&twin);
    twin = load(&(struct work_request){.keys = &set.hosts[0].key, .key_count = 1});
    cr_assert(eq(sz, twin.host_count, 1));
    cr_expect(digest_equals(&twin.hosts[0].token, &set.hosts[0].token));
    cr_expect(eq(int, (int)twin.hosts[0].kind, HOST_BROWSER));
}

Test(work, allowances_belong_to_their_host)
{
    CLEANUP(work_set_clear)
    struct work_set set = load(&(struct work_request){.hosts = site.hosts, .host_count = 3});
    CLEANUP(work_set_clear) struct work_set again = {0};
    struct allowance *allowance = work_allowance(&set, site.hosts[1], site.app_version);

    cr_expect(zero(i64, allowance->per_day));
    allowance->per_day = 8;
    allowance->day = 100;
    allowance->used = 3;
    allowance->pace = 5000000;
    allowance->usual_pace = 4000000;
    allowance->timed = 2;
    allowance->is_changed = true;
    SAVES(&set);
    again = load(&(struct work_request){.hosts = site.hosts, .host_count = 3});
    allowance = work_allowance(&again, site.hosts[1], site.app_version);
    cr_expect(eq(i64, allowance->per_day, 8));
    cr_expect(eq(i64, allowance->day, 100));
    cr_expect(eq(i64, allowance->used, 3));
    cr_expect(eq(i64, allowance->pace, 5000000));
    cr_expect(eq(i64, allowance->usual_pace, 4000000));
    cr_expect(eq(i64, allowance->timed, 2));
    cr_expect(eq(sz, again.allowance_count, 1));

    /* Its host's version guards it: the older copy can no longer be saved. */
    work_allowance(&again, site.hosts[1], site.app_version)->is_changed = true;
    SAVES(&again);
    work_allowance(&set, site.hosts[1], site.app_version)->is_changed = true;
    cr_expect(eq(int, (int)save(&set), STATUS_CONFLICT));
}

Test(work, batches_are_loaded_and_changed_by_themselves)
{
    const struct work_request request = {.batches = &site.batch, .batch_count = 1};
    CLEANUP(work_set_clear) struct work_set set = load(&request);
    CLEANUP(work_set_clear) struct work_set stale = load(&request);
    CLEANUP(work_set_clear) struct work_set again = {0};
    struct batch *batch = work_batch(&set, site.batch);

    cr_assert(ne(ptr, batch, NULL));
    batch->state = BATCH_PAUSED;
    batch->is_closed = true;
    free(batch->why);
    batch->why = text_copy("most tasks fail");
    batch->priority = -3;
    batch->ended_tasks = 20;
    batch->failed_tasks = 15;
    batch->ended_hosts[0] = site.hosts[2];
    batch->ended_hosts[1] = INT64_MAX;
    batch->is_changed = true;
    SAVES(&set);
    again = load(&request);
    cr_expect(eq(int, (int)again.batches[0].state, BATCH_PAUSED));
    cr_expect(again.batches[0].is_closed);
    cr_expect(eq(str, again.batches[0].why, "most tasks fail"));
    cr_expect(eq(i32, again.batches[0].priority, -3));
    cr_expect(eq(i64, again.batches[0].ended_tasks, 20));
    cr_expect(eq(i64, again.batches[0].failed_tasks, 15));
    cr_expect(eq(i64, again.batches[0].ended_hosts[0], site.hosts[2]));
    cr_expect(eq(i64, again.batches[0].ended_hosts[1], INT64_MAX));
    cr_expect(zero(i64, again.batches[0].ended_hosts[2]));

    stale.batches[0].is_changed = true;
    cr_expect(eq(int, (int)save(&stale), STATUS_CONFLICT));
}

/* Two servers, each with one report of a quorum of two: without the unit's version both would be
 * stored and neither would see an agreement. */
Test(work, of_two_writers_with_half_a_quorum_each_one_must_conflict)
{
    struct store *other = site_connect(&site);
    struct work_set set, theirs;

    site_send(&site, 0, 0);
    site_send(&site, 0, 1);
    set = load_unit(site.units[0]);
    theirs = load_from(other, &(struct work_request){.units = &site.units[0], .unit_count = 1});
    set.units[0].tasks[0].state = TASK_REPORTED;
    set.units[0].tasks[0].is_changed = true;
    theirs.units[0].tasks[1].state = TASK_REPORTED;
    theirs.units[0].tasks[1].is_changed = true;

    cr_expect(eq(int, (int)save(&set), STATUS_OK));
    cr_expect(eq(int, (int)save_to(other, &theirs), STATUS_CONFLICT));
    work_set_clear(&set);
    work_set_clear(&theirs);

    set = load_unit(site.units[0]);
    cr_expect(eq(int, (int)set.units[0].tasks[0].state, TASK_REPORTED));
    cr_expect(eq(int, (int)set.units[0].tasks[1].state, TASK_SENT), "nothing of it was stored");
    work_set_clear(&set);
    store_close(other);
}

/* The second task of the same place is another writer's: the unit's version tells. */
Test(work, of_two_writers_that_send_the_same_copy_one_must_conflict)
{
    struct store *other = site_connect(&site);
    struct work_set set = load_unit(site.units[0]);
    struct work_set theirs =
        load_from(other, &(struct work_request){.units = &site.units[0], .unit_count = 1});

    send(&set.units[0], 0);
    send(&theirs.units[0], 1);
    cr_expect(eq(int, (int)save_to(other, &theirs), STATUS_OK));
    cr_expect(eq(int, (int)save(&set), STATUS_CONFLICT));
    work_set_clear(&set);
    work_set_clear(&theirs);
    store_close(other);
}

Test(work, a_set_that_was_saved_can_be_saved_again)
{
    CLEANUP(work_set_clear) struct work_set set = load_unit(site.units[0]);
    struct host *host = work_host(&set, site.hosts[0]);

    send(&set.units[0], 0);
    host->is_changed = true;
    SAVES(&set);
    work_add_journal(&set, (struct journal_entry){.time_s = 1,
                                                  .kind = JOURNAL_TASK_SENT,
                                                  .subject = set.units[0].tasks[0].id,
                                                  .detail = host->id});
    SAVES(&set);
    send(&set.units[0], 1);
    host->visit = 9;
    host->is_changed = true;
    SAVES(&set);
    cr_expect(zero(sz, set.journal_count));
    cr_expect(eq(i64, set.units[0].tasks[1].id, TASK_ID(site.units[0], 1)));
}

Test(work, a_transaction_that_leaves_scope_stores_nothing)
{
    CLEANUP(work_set_clear) struct work_set set = load_unit(site.units[0]);
    CLEANUP(work_set_clear) struct work_set again = {0};

    {
        CLEANUP(txn_end) struct txn txn = {0};

        cr_assert(eq(int, (int)txn_begin(&txn, store, &err), STATUS_OK));
        send(&set.units[0], 0);
        cr_assert(eq(int, (int)store->work->save(store, &set, &err), STATUS_OK));
    }
    again = load_unit(site.units[0]);
    cr_expect(zero(sz, again.units[0].task_count));
    cr_expect(eq(i64, again.units[0].version, 1));
}

Test(work, a_report_is_stored_once)
{
    CLEANUP(work_set_clear) struct work_set set = {0};

    site_send(&site, 0, 0);
    site_report(&site, 0, 0, "42\n");
    set = load_unit(site.units[0]);
    work_add_report(&set, (struct report_record){.task = TASK_ID(site.units[0], 0), .why = ""});
    cr_expect(eq(int, (int)save(&set), STATUS_CONFLICT));
}

/* One host's tasks are bounded, whatever went before. */
Test(work, a_host_brings_at_most_512_tasks)
{
    static int64_t ids[520];
    CLEANUP(work_set_clear) struct work_set set = {0};
    CLEANUP(work_set_clear) struct work_set again = {0};

    site_add_units(&site, site.batch, 1000, 520, NULL, ids);
    set = load(&(struct work_request){.units = ids, .unit_count = 520});
    for (size_t i = 0; i < set.unit_count; i++)
        send(&set.units[i], 0);
    SAVES(&set);
    again = load(
        &(struct work_request){.hosts = site.hosts, .host_count = 1, .with_tasks_of_hosts = true});
    cr_expect(eq(sz, again.unit_count, 512));
}
