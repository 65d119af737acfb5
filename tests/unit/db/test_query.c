/* db/query: what people and programs read. */
#include <stdio.h>
#include <string.h>

#include "tests/support/site_work.h"
#include "tests/unit/db/query_suite.h"

TestSuite(query, .init = set_up, .fini = tear_down);

static bool keep_batch(void *context, const struct batch_view *batch)
{
    *(struct batch_view *)context = *batch;
    rows++;
    return true;
}

Test(query, a_batch_is_counted_as_it_goes_on)
{
    struct batch_view view;

    MUST(store->query->batch(store, site.batch, keep_batch, &view, &err));
    cr_expect(eq(i64, view.waiting, 2));
    site_send(&site, 0, 0);
    MUST(store->query->batch(store, site.batch, keep_batch, &view, &err));
    cr_expect(eq(i64, view.waiting, 1));
    cr_expect(eq(i64, view.running, 1));
    cr_expect(eq(i64, view.by_state[TASK_SENT], 1));

    site_send(&site, 0, 1);
    site_report(&site, 0, 0, "42\n");
    site_report(&site, 0, 1, "42\n");
    site_accept(&site, 0);
    site_give_up(&site, 1, FAILURE_CANCELLED);
    MUST(store->query->batch(store, site.batch, keep_batch, &view, &err));
    cr_expect(eq(i64, view.waiting + view.running, 0));
    cr_expect(eq(i64, view.accepted, 1));
    cr_expect(eq(i64, view.cancelled, 1));
    cr_expect(eq(i64, view.tasks, 2));
    cr_expect(eq(i64, view.by_state[TASK_AGREED], 2));
    cr_expect(eq(i64, view.row.units, 2));
    cr_expect(eq(int, store->query->batch(store, 77, keep_batch, &view, &err), STATUS_NOT_FOUND));
}

/* The live one of a name comes before a newer one that was cancelled. */
Test(query, a_batch_is_found_by_name_and_id)
{
    const struct batch_filter none = {0}, named = {.name = "primes"}, other = {.name = "other"};
    struct batch_view view;
    int64_t batch = 0;

    MUST(store->query->batch_by_name(store, "primes", &batch, &err));
    cr_expect(eq(i64, batch, site.batch));
    MUST(store->query->batch_by_id(store, &site.batch_id, &batch, &err));
    cr_expect(eq(i64, batch, site.batch));
    cr_expect(eq(int, store->query->batch_by_name(store, "other", &batch, &err), STATUS_NOT_FOUND));
    cr_expect(eq(int,
                 store->query->batch_by_id(store, &(struct batch_id){.bytes = {1}}, &batch, &err),
                 STATUS_NOT_FOUND));

    MUST(store->query->batches(store, &none, 10, keep_batch, &view, &err));
    MUST(store->query->batches(store, &named, 10, keep_batch, &view, &err));
    MUST(store->query->batches(store, &other, 10, keep_batch, &view, &err));
    cr_expect(eq(int, rows, 2));
}

static bool keep_failure(void *context, const struct failure_group *group)
{
    const struct failure_group *expected = context;

    rows++;
    cr_expect(eq(int, group->cause, expected->cause));
    cr_expect(eq(i32, group->detail, expected->detail));
    cr_expect(eq(i64, group->count, expected->count));
    cr_expect(digest_equals(&group->example_unit, &expected->example_unit));
    cr_expect(eq(sz, group->stderr_tail.length, 14));
    cr_expect(zero(int, memcmp(group->stderr_tail.bytes, "no such input\n", 14)));
    return true;
}

Test(query, failures_are_grouped_by_cause_with_an_example)
{
    struct failure_group expected = {
        .cause = CAUSE_EXIT, .detail = 1, .count = 2, .example_unit = site.unit_digests[1]};
    struct supply supply;

    site_play(&site);
    site_send(&site, 1, 1);
    site_fail(&site, 1, 1, "no such input\n");
    MUST(store->query->failures(store, site.batch, keep_failure, &expected, &err));
    cr_expect(eq(int, rows, 1));

    MUST(store->query->supply(store, site.app_version, SITE_TIME_S, 0, &supply, &err));
    cr_expect(eq(i64, supply.hosts, 3));
    cr_expect(eq(i64, supply.volunteers, 3));
    cr_expect(eq(i64, supply.organisations, 3));
    MUST(store->query->supply(store, site.app_version, SITE_TIME_S + 1, 0, &supply, &err));
    cr_expect(zero(i64, supply.hosts));
}

/* Of three open units, each of two copies: one tried by three hosts, all differing. */
Test(query, a_batch_tells_how_its_open_units_stand)
{
    const struct supply all = {.hosts = 3, .volunteers = 3, .organisations = 3};
    const struct supply more = {.hosts = 4, .volunteers = 4, .organisations = 4};
    const struct supply nobody = {0};
    static const char *const outputs[] = {"one", "two", "three"};
    struct standing standing = {0};

    for (size_t host = 0; host < 3; host++)
        site_send(&site, 0, host);
    for (size_t host = 0; host < 3; host++)
        site_report(&site, 0, host, outputs[host]);
    site_want(&site, 0, 1);
    MUST(store->query->standing(store, site.batch, &all, 100, &standing, &err));
    cr_expect(eq(i64, standing.tried, 1));
    cr_expect(eq(i64, standing.differing, 1));
    cr_expect(eq(i64, standing.most_copies, 3));
    cr_expect(ge(i64, standing.looked_at, 1));
    MUST(store->query->standing(store, site.batch, &more, 100, &standing, &err));
    cr_expect(zero(i64, standing.tried));
    MUST(store->query->standing(store, site.batch, &nobody, 100, &standing, &err));
    cr_expect(eq(i64, standing.tried, 1)); /* regression: of those that nobody had, too */
}

static bool see_unit(void *context, const struct unit_view *view)
{
    (void)context;
    rows++;
    cr_expect(eq(str, (char *)view->name, "u1"));
    cr_expect(eq(sz, view->unit->task_count, 1));
    cr_expect(eq(int, view->unit->tasks[0].state, TASK_ERROR));
    cr_expect(eq(i32, view->reports[0].exit_status, 1));
    cr_expect(eq(i64, view->reports[0].visit, 2));
    cr_expect(eq(sz, view->reports[0].stderr_tail.length, 14));
    cr_expect(eq(i64, view->reports[1].visit, 0));
    return true;
}

Test(query, a_unit_is_shown_with_what_its_tasks_reported)
{
    const struct digest nobody = site_digest(99);

    site_play(&site);
    MUST(store->query->unit(store, &site.unit_digests[1], see_unit, NULL, &err));
    cr_expect(eq(int, rows, 1));
    cr_expect(eq(int, store->query->unit(store, &nobody, see_unit, NULL, &err), STATUS_NOT_FOUND));
}

static bool list_unit(void *context, const struct unit_line *unit)
{
    char *list = context;

    rows++;
    strcat(strcat(list, unit->name), " ");
    return rows < 3;
}

static bool list_task(void *context, const struct task_line *task)
{
    char *list = context;
    char line[128];

    rows++;
    (void)snprintf(line, sizeof line, "%lld/%s/%s ", (long long)task->id, task->unit_name,
                   task->volunteer_name);
    strcat(list, line);
    return true;
}

Test(query, units_and_tasks_are_listed_by_state_in_pages)
{
    char list[512] = "", expected[128];

    site_play(&site);
    site_give_up(&site, 1, FAILURE_ERRORS);
    MUST(store->query->units(store, site.batch, 0, 0, 10, list_unit, list, &err));
    MUST(store->query->units(store, site.batch, UNIT_FAILED, 0, 10, list_unit, list, &err));
    MUST(store->query->units(store, site.batch, UNIT_OPEN, 0, 10, list_unit, list, &err));
    MUST(store->query->units(store, site.batch, 0, site.units[0], 10, list_unit, list, &err));
    cr_expect(eq(str, list, "u0 u1 u1 u1 "));

    list[0] = '\0';
    MUST(store->query->tasks(store, site.batch, TASK_ERROR, 0, 10, list_task, list, &err));
    (void)snprintf(expected, sizeof expected, "%lld/u1/volunteer 3 ",
                   (long long)TASK_ID(site.units[1], 0));
    cr_expect(eq(str, list, expected));
    rows = 0;
    MUST(store->query->tasks(store, site.batch, 0, 0, 2, list_task, list, &err));
    MUST(store->query->tasks(store, site.batch, 0, TASK_ID(site.units[0], 1), 2, list_task, list,
                             &err));
    MUST(store->query->tasks(store, site.batch, TASK_AGREED, 0, 9, list_task, list, &err));
    cr_expect(eq(int, rows, 5));
}

struct seen_result {
    int64_t cursor;
    enum journal_kind kind;
    uint32_t revision;
    size_t tasks;
    enum unit_failure failure;
    char body[16];
};

static bool keep_result(void *context, const struct result_view *view)
{
    struct seen_result *seen = (struct seen_result *)context + rows++;

    *seen = (struct seen_result){.cursor = view->cursor,
                                 .kind = view->kind,
                                 .revision = view->revision,
                                 .tasks = view->task_count,
                                 .failure = view->failure};
    cr_expect(eq(sz, view->manifest.length, strlen("{\"unit\":true}")));
    for (size_t i = 0; i < view->task_count; i++) {
        cr_expect(eq(sz, view->tasks[i].statement.length, strlen("{\"visit\":true}")));
        cr_expect(public_key_equals(&view->tasks[i].key, &site.keys[i]));
        cr_expect(eq(i64, view->tasks[i].volunteer, site.volunteers[i]));
    }
    if (view->output_count > 0)
        memcpy(seen->body, view->outputs[0].body.bytes, view->outputs[0].body.length);
    return true;
}

Test(query, results_come_in_journal_order_and_resume)
{
    struct seen_result seen[8];

    site_play(&site);
    site_give_up(&site, 1, FAILURE_ERRORS);
    MUST(store->query->results(store, site.batch, 0, 10, keep_result, seen, &err));
    cr_assert(eq(int, rows, 2));
    cr_expect(eq(int, seen[0].kind, JOURNAL_UNIT_ACCEPTED));
    cr_expect(eq(u32, seen[0].revision, 1));
    cr_expect(eq(sz, seen[0].tasks, 2));
    cr_expect(eq(str, seen[0].body, "42\n"));
    cr_expect(eq(int, seen[1].kind, JOURNAL_UNIT_FAILED));
    cr_expect(eq(int, seen[1].failure, FAILURE_ERRORS));

    rows = 0;
    MUST(store->query->results(store, site.batch, seen[0].cursor, 10, keep_result, seen, &err));
    cr_expect(eq(int, rows, 1));
    rows = 0;
    MUST(store->query->results(store, site.batch, 0, 1, keep_result, seen, &err));
    cr_expect(eq(int, rows, 1));
}

/* The first acceptance no longer stands, and says nothing of outputs; the second does. */
Test(query, a_reopened_unit_comes_again)
{
    struct seen_result seen[8];

    site_play(&site);
    site_reopen(&site, 0);
    site_send(&site, 0, 2);
    site_report(&site, 0, 2, "43\n");
    MUST(store->query->results(store, site.batch, 0, 10, keep_result, seen, &err));
    cr_assert(eq(int, rows, 2));
    cr_expect(eq(int, seen[1].kind, JOURNAL_UNIT_REOPENED));
    cr_expect(zero(u32, seen[0].revision));
    cr_expect(zero(sz, seen[0].tasks));
}

static bool see_host(void *context, const struct host_line *line)
{
    char *list = context;
    char text[64];

    rows++;
    (void)snprintf(text, sizeof text, "%s:%lld:%lld ", line->volunteer_name,
                   (long long)line->running, (long long)line->host->credit);
    strcat(list, text);
    return true;
}

Test(query, hosts_are_listed_with_what_runs_there)
{
    char list[256] = "";

    site_play(&site);
    site_send(&site, 1, 0);
    MUST(store->query->hosts(store, 0, 2, see_host, list, &err));
    cr_expect(eq(str, list, "volunteer 1:1:1000 volunteer 2:0:1000 "));
    MUST(store->query->hosts(store, site.hosts[1], 2, see_host, list, &err));
    cr_expect(eq(int, rows, 3));
}

static bool see_app(void *context, const struct app_version_view *view)
{
    rows++;
    cr_expect(eq(str, (char *)view->name, "count"));
    *(bool *)context = view->is_revoked;
    return true;
}

static bool see_variant(void *context, const struct variant_view *view)
{
    (void)context;
    rows++;
    cr_expect(eq(str, (char *)view->class_name, "native-x86_64"));
    return true;
}

static bool see_unit_envelope(void *context, int64_t id, struct span envelope)
{
    (void)id;
    (void)context;
    rows++;
    return envelope.length == strlen("{\"unit\":true}");
}

static bool see_app_envelope(void *context, const struct digest *digest, struct span envelope)
{
    (void)digest;
    (void)envelope;
    (void)context;
    rows++;
    return true;
}

Test(query, apps_and_envelopes_are_found)
{
    const int64_t units[] = {site.units[1], site.units[0], 999, site.units[1]};
    const struct digest digests[] = {site.variant_digest, site_digest(99), site.app_version_digest};
    bool is_revoked = true;
    int64_t id = 0;

    MUST(store->query->app_versions(store, 0, 10, see_app, &is_revoked, &err));
    cr_expect(not(is_revoked));
    MUST(store->query->app_versions(store, site.app_version, 10, see_app, &is_revoked, &err));
    cr_expect(eq(int, rows, 1));
    MUST(store->query->variants(store, 0, 0, 10, see_variant, NULL, &err));
    MUST(store->query->variants(store, site.app_version, 0, 10, see_variant, NULL, &err));
    MUST(store->query->variants(store, 99, 0, 10, see_variant, NULL, &err));
    MUST(store->query->variants(store, 0, site.variant, 10, see_variant, NULL, &err));
    cr_expect(eq(int, rows, 3));
    MUST(store->query->app_version_by_digest(store, &site.app_version_digest, &id, &err));
    cr_expect(eq(i64, id, site.app_version));
    rows = 0;
    MUST(store->query->unit_envelopes(store, units, 4, see_unit_envelope, NULL, &err));
    cr_expect(eq(int, rows, 2));
    rows = 0;
    MUST(store->query->app_envelopes(store, digests, 3, see_app_envelope, NULL, &err));
    cr_expect(eq(int, rows, 2));
}

static bool see_file(void *context, const struct file_view *view)
{
    *(struct file_view *)context = *view;
    return true;
}

Test(query, who_may_have_a_file_follows_from_what_needs_it)
{
    const struct digest app_file = site_digest(4), body = digest_of("42\n", 3);
    const struct digest asked[] = {app_file, body};
    struct file_view view = {0};
    bool is_missing[2];

    MUST(store->query->file(store, &app_file, see_file, &view, &err));
    cr_expect(view.is_public && !view.is_accepted && !view.has_body);
    cr_expect(eq(i64, view.size_bytes, 1234));
    cr_expect(eq(int, store->query->file(store, &body, see_file, &view, &err), STATUS_NOT_FOUND));

    site_send(&site, 0, 0);
    site_report(&site, 0, 0, "42\n");
    MUST(store->query->file(store, &body, see_file, &view, &err));
    cr_expect(not(view.is_accepted), "digests of open units are shown to nobody");
    site_send(&site, 0, 1);
    site_report(&site, 0, 1, "42\n");
    site_accept(&site, 0);
    MUST(store->query->file(store, &body, see_file, &view, &err));
    cr_expect(view.is_accepted && !view.is_public && view.has_body);
    cr_expect(eq(i64, view.size_bytes, 3));
    site_reopen(&site, 0);
    MUST(store->query->file(store, &body, see_file, &view, &err));
    cr_expect(not(view.is_accepted));

    MUST(store->query->files_missing(store, asked, 2, is_missing, &err));
    cr_expect(is_missing[1] && !is_missing[0], "an inline body is no file");
}

Test(query, metrics_add_up)
{
    struct metrics metrics;

    site_play(&site);
    MUST(store->query->metrics(store, &metrics, &err));
    cr_expect(eq(i64, metrics.units[UNIT_ACCEPTED], 1));
    cr_expect(eq(i64, metrics.units[UNIT_OPEN], 1));
    cr_expect(eq(i64, metrics.tasks[TASK_AGREED], 2));
    cr_expect(eq(i64, metrics.tasks[TASK_ERROR], 1));
    cr_expect(eq(i64, metrics.batches[BATCH_OPEN], 1));
    cr_expect(eq(i64, metrics.hosts, 3));
    cr_expect(eq(i64, metrics.volunteers, 3));
    cr_expect(eq(i64, metrics.files, 1));
    cr_expect(eq(i64, metrics.file_bytes, 1234));
    cr_expect(eq(i64, metrics.journal_seq, 11));
    cr_expect(lt(i64, 0, metrics.database_bytes));
}

struct endings {
    size_t count;
    struct ending_group groups[4];
};

static bool keep_ending(void *context, const struct ending_group *group)
{
    struct endings *endings = context;

    endings->groups[endings->count++] = *group;
    return endings->count < 4;
}

Test(query, failed_units_are_grouped_and_no_more_are_looked_at_than_asked)
{
    struct endings all = {0}, few = {0};

    site_close(&site);
    site_open(&site, &(struct site_plan){.units = 5});
    store = site.store;
    for (size_t i = 0; i < 4; i++)
        site_give_up(&site, i, i == 1 ? FAILURE_EXPIRED : FAILURE_CANCELLED);
    MUST(store->query->endings(store, site.batch, 100, keep_ending, &all, &err));
    cr_assert(eq(sz, all.count, 2));
    cr_expect(eq(int, all.groups[0].failure, FAILURE_CANCELLED));
    cr_expect(eq(i64, all.groups[0].count, 3));
    cr_expect(digest_equals(&all.groups[0].example_unit, &site.unit_digests[0]));
    cr_expect(eq(int, all.groups[1].failure, FAILURE_EXPIRED));
    cr_expect(eq(i64, all.groups[1].count, 1));

    MUST(store->query->endings(store, site.batch, 1, keep_ending, &few, &err));
    cr_assert(eq(sz, few.count, 1));
    cr_expect(eq(i64, few.groups[0].count, 1));
}

/* --- listings that are stopped --- */

/* `context`: how many rows it still wants. */
static bool take_news(void *context, const struct news_view *news)
{
    int *left = context;

    (void)news;
    rows++;
    return --*left > 0;
}

static int news_shown(int wanted)
{
    int left = wanted;

    rows = 0;
    MUST(store->query->news(store, 100, take_news, &left, &err));
    return rows;
}

Test(query, a_listing_of_news_ends_where_its_reader_has_enough)
{
    const struct freshness_record freshness = {
        .sequence = 1, .digest = site_digest(200), .envelope = {.bytes = "{}", .length = 2}};
    bool is_new;

    MUST(store->publish->freshness_add(store, &freshness, &is_new, &err));
    for (uint64_t i = 0; i < 3; i++) {
        const struct notice_record notice = {.digest = site_digest(300 + i),
                                             .until_s = 200,
                                             .time_s = 1,
                                             .envelope = {.bytes = "{}", .length = 2}};

        MUST(store->publish->notice_add(store, &notice, &is_new, &err));
    }
    for (int wanted = 1; wanted <= 4; wanted++)
        cr_expect(eq(int, news_shown(wanted), wanted));
    cr_expect(eq(int, news_shown(5), 4));
}
