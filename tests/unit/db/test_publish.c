/* db/publish: what operators and volunteers make, written against struct store alone. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "tests/support/site_work.h"

static struct test_site site;
static struct store *store;
static const struct publish_ops *publish;
static struct txn txn;
static struct error err;
static bool is_new;

static void set_up(void)
{
    site_open(&site, NULL);
    store = site.store;
    publish = store->publish;
    cr_assert(eq(int, (int)txn_begin(&txn, store, &err), STATUS_OK));
}

static void tear_down(void)
{
    txn_end(&txn);
    site_close(&site);
}

TestSuite(publish, .init = set_up, .fini = tear_down);

#define MUST(call)            cr_assert(eq(int, (int)(call), STATUS_OK), "%s (%s)", err.text, err.detail)
#define FAILS(call, expected) cr_expect(eq(int, (int)(call), STATUS_##expected), "%s", err.text)

static struct span span_of(const char *text)
{
    return (struct span){.bytes = text, .length = strlen(text)};
}

Test(publish, a_site_remembers_its_facts)
{
    struct site facts;

    MUST(publish->site_load(store, &facts, &err));
    cr_expect(eq(str, facts.name, "Test site"));
    cr_expect(eq(i64, facts.server, 1));
    cr_expect(eq(i64, facts.incarnation, 1));
    facts.up_s = 77;
    facts.committed_s = 88;
    facts.is_clock_refused = true;
    facts.incarnation = 2;
    (void)text_fit(facts.name, sizeof facts.name, "Renamed");
    MUST(publish->site_save(store, &facts, &err));
    facts = (struct site){0};
    MUST(publish->site_load(store, &facts, &err));
    cr_expect(eq(str, facts.name, "Renamed"));
    cr_expect(eq(i64, facts.up_s, 77));
    cr_expect(eq(i64, facts.committed_s, 88));
    cr_expect(eq(i64, facts.created_s, SITE_TIME_S));
    cr_expect(eq(i64, facts.incarnation, 2));
    cr_expect(facts.is_clock_refused);
    cr_expect(digest_equals(&facts.project, &(struct digest){0}) == false);
}

Test(publish, a_database_without_a_site_says_so)
{
    char name[DATABASE_NAME_MAX];
    struct store *empty = NULL;
    struct site facts;

    database_name(name);
    MUST(store_open(name, &empty, &err));
    FAILS(empty->publish->site_load(empty, &facts, &err), NOT_FOUND);
    store_close(empty);
}

static enum status add_keyring(int64_t version, uint64_t digest, bool is_root_change)
{
    const struct keyring_record record = {.version = version,
                                          .digest = site_digest(digest),
                                          .is_root_change = is_root_change,
                                          .envelope = span_of("{}")};

    return publish->keyring_add(store, &record, &is_new, &err);
}

static bool list_keyring(void *context, const struct keyring_view *keyring)
{
    char *list = context;

    list[strlen(list)] = (char)('0' + keyring->version);
    return true;
}

Test(publish, keyrings_follow_each_other_and_the_chain_is_kept)
{
    char list[16] = "";
    struct site facts;

    FAILS(add_keyring(3, 103, false), CONFLICT);
    MUST(add_keyring(1, 1, true));
    cr_expect(not(is_new), "the same again");
    FAILS(add_keyring(1, 101, true), CONFLICT);
    MUST(add_keyring(2, 102, false));
    cr_expect(is_new);
    MUST(add_keyring(3, 103, true));
    MUST(add_keyring(4, 104, false));
    MUST(add_keyring(5, 105, false));
    MUST(store->query->keyrings(store, 0, list_keyring, list, &err));
    cr_expect(eq(str, list, "135"));
    MUST(store->query->keyrings(store, 4, list_keyring, list, &err));
    cr_expect(eq(str, list, "1354"));
    MUST(publish->site_load(store, &facts, &err));
    cr_expect(digest_equals(&facts.project, &(struct digest){0}) == false);
    cr_expect(digest_compare(&facts.project, &(const struct digest[]){site_digest(1)}[0]) == 0);
}

static enum status add_freshness(int64_t sequence, uint64_t digest)
{
    const struct freshness_record record = {
        .sequence = sequence, .digest = site_digest(digest), .envelope = span_of("{}")};

    return publish->freshness_add(store, &record, &is_new, &err);
}

static enum status add_first_freshness(int64_t sequence, uint64_t digest)
{
    const struct freshness_record record = {.sequence = sequence,
                                            .digest = site_digest(digest),
                                            .begins_anew = true,
                                            .envelope = span_of("{}")};

    return publish->freshness_add(store, &record, &is_new, &err);
}

static enum status add_notice(uint64_t digest, int64_t until_s)
{
    const struct notice_record record = {
        .digest = site_digest(digest), .until_s = until_s, .time_s = 1, .envelope = span_of("{}")};

    return publish->notice_add(store, &record, &is_new, &err);
}

static bool list_news(void *context, const struct news_view *news)
{
    char *list = context;
    char item[32];

    (void)snprintf(item, sizeof item, news->kind == NEWS_FRESHNESS ? "f%lld " : "n%lld ",
                   (long long)(news->kind == NEWS_FRESHNESS ? news->sequence : news->expires_s));
    strcat(list, item);
    return true;
}

/* Of a stolen key, say, that was revoked since. */
Test(publish, a_freshness_that_holds_no_more_is_in_nobodys_way)
{
    char list[256] = "";

    MUST(add_freshness(5, 200));
    MUST(add_freshness(9007199254740991, 201));
    FAILS(add_freshness(6, 202), CONFLICT);
    MUST(add_first_freshness(6, 202));
    cr_expect(is_new);
    MUST(store->query->news(store, 100, list_news, list, &err));
    cr_expect(eq(str, list, "f6 "));
}

Test(publish, only_the_newest_freshness_counts_and_notices_end)
{
    char list[256] = "";

    MUST(store->query->news(store, 100, list_news, list, &err));
    cr_expect(eq(str, list, ""));
    MUST(add_freshness(5, 200));
    MUST(add_freshness(5, 200));
    cr_expect(not(is_new));
    FAILS(add_freshness(5, 201), CONFLICT);
    FAILS(add_freshness(4, 202), CONFLICT);
    MUST(add_freshness(9, 203));
    MUST(add_notice(300, 100));
    MUST(add_notice(301, 101));
    MUST(add_notice(301, 101));
    cr_expect(not(is_new));
    for (uint64_t i = 0; i < 20; i++)
        MUST(add_notice(400 + i, 90));
    MUST(store->query->news(store, 100, list_news, list, &err));
    cr_expect(eq(str, list, "f9 n101 "));
    list[0] = '\0';
    MUST(store->query->news(store, 0, list_news, list, &err));
    cr_expect(eq(sz, strlen(list), strlen("f9 ") + 16 * strlen("n90 ")), "at most 16 of them");
}

Test(publish, an_app_version_is_known_by_digest_and_its_name_is_taken)
{
    struct app_version_record record = {.digest = site.app_version_digest,
                                        .name = "count",
                                        .version = "1.0",
                                        .envelope = span_of("{}")};
    int64_t id = 0;

    MUST(publish->app_version_add(store, &record, &id, &is_new, &err));
    cr_expect(not(is_new));
    cr_expect(eq(i64, id, site.app_version));
    record.digest = site_digest(20);
    FAILS(publish->app_version_add(store, &record, &id, &is_new, &err), CONFLICT);
    record.version = "1.1";
    MUST(publish->app_version_add(store, &record, &id, &is_new, &err));
    cr_expect(is_new && id != site.app_version);
}

Test(publish, a_variant_needs_its_app_version_and_its_files)
{
    const struct digest files[] = {site_digest(4), site_digest(30)};
    const struct file_record file = {.digest = files[1], .size_bytes = 1, .time_s = 1};
    struct variant_record record = {.digest = site_digest(31),
                                    .app_version = 99,
                                    .platform = "aarch64-linux",
                                    .class_name = "c",
                                    .runner = "native",
                                    .files = files,
                                    .file_count = 2,
                                    .envelope = span_of("{}")};
    int64_t id = 0;

    FAILS(publish->variant_add(store, &record, &id, &is_new, &err), NOT_FOUND);
    record.app_version = site.app_version;
    FAILS(publish->variant_add(store, &record, &id, &is_new, &err), NOT_FOUND);
    cr_expect(ne(ptr, strstr(err.text, digest_format(&files[1]).text), NULL), "%s", err.text);
    txn_end(&txn); /* what a failure leaves is rolled back */
    MUST(txn_begin(&txn, store, &err));
    MUST(publish->file_add(store, &file, &is_new, &err));
    MUST(publish->variant_add(store, &record, &id, &is_new, &err));
    cr_expect(is_new);
    MUST(publish->variant_add(store, &record, &id, &is_new, &err));
    cr_expect(not(is_new));
}

static bool show_envelope(void *context, const struct digest *digest, struct span envelope)
{
    char *list = context;

    (void)digest;
    strncat(list, envelope.bytes, envelope.length);
    return true;
}

Test(publish, another_envelope_takes_the_place_of_an_app_versions_or_variants)
{
    const struct digest unknown = site_digest(99);
    const struct digest both[] = {site.app_version_digest, site.variant_digest};
    char list[64] = "";

    FAILS(publish->app_envelope_replace(store, &unknown, span_of("{}"), &err), NOT_FOUND);
    MUST(publish->app_envelope_replace(store, &both[0], span_of("{\"a\":1}"), &err));
    MUST(store->query->app_envelopes(store, &both[0], 1, show_envelope, list, &err));
    cr_expect(eq(str, list, "{\"a\":1}"));
    list[0] = '\0';
    MUST(publish->app_envelope_replace(store, &both[1], span_of("{\"v\":1}"), &err));
    MUST(store->query->app_envelopes(store, &both[1], 1, show_envelope, list, &err));
    cr_expect(eq(str, list, "{\"v\":1}"));
}

static enum status unreferenced(int64_t before_s, struct digest *ret_files, size_t *ret_count)
{
    static const struct digest none;
    const struct file_graces graces = {.files_before_s = before_s, .outputs_before_s = before_s};
    struct digest last;
    enum status status =
        publish->files_unreferenced(store, &none, &graces, ret_files, 8, ret_count, &last, &err);

    cr_expect(digest_is_none(&last), "that are all");
    return status;
}

/* Both passes, in steps as small as they can be. */
static enum status collect_bodies(int64_t before_s, int64_t *ret_count)
{
    struct digest last = {0};
    int64_t unit = 0, count = 0;

    do
        TRY(publish->bodies_mark(store, unit, 1, &unit, &err));
    while (unit != 0);
    *ret_count = 0;
    do {
        TRY(publish->bodies_sweep(store, &last, before_s, 1, &count, &last, &err));
        *ret_count += count;
    } while (!digest_is_none(&last));
    return STATUS_OK;
}

Test(publish, a_file_is_collected_when_nothing_needs_it_and_its_grace_is_over)
{
    const struct file_record file = {.digest = site_digest(40), .size_bytes = 7, .time_s = 50};
    const struct file_graces graces = {.files_before_s = 51, .outputs_before_s = 51};
    struct digest files[8], last;
    size_t count = 0;

    MUST(publish->file_add(store, &file, &is_new, &err));
    cr_expect(is_new);
    MUST(unreferenced(50, files, &count));
    cr_expect(zero(sz, count), "within its grace");
    MUST(publish->file_refer(store, &file.digest, FILE_REPORT, 16, &err));
    MUST(publish->file_refer(store, &file.digest, FILE_REPORT, 16, &err));
    MUST(unreferenced(51, files, &count));
    cr_expect(zero(sz, count), "needed");
    MUST(publish->file_release(store, FILE_REPORT, 16, &err));
    MUST(unreferenced(51, files, &count));
    cr_assert(eq(sz, count, 1));
    cr_expect(digest_equals(&files[0], &file.digest));
    MUST(publish->files_unreferenced(store, &file.digest, &graces, files, 8, &count, &last, &err));
    cr_expect(zero(sz, count), "the page after it");
}

Test(publish, a_file_that_is_needed_again_is_not_forgotten)
{
    const struct file_record file = {.digest = site_digest(40), .size_bytes = 7, .time_s = 50};
    const struct digest both[] = {file.digest, site_digest(4)};
    struct digest forgotten[2];
    struct metrics metrics;
    size_t count = 0;

    MUST(publish->file_add(store, &file, &is_new, &err));
    MUST(publish->files_forget(store, both, 2, forgotten, &count, &err));
    cr_assert(eq(sz, count, 1), "the app needs the other");
    cr_expect(digest_equals(&forgotten[0], &file.digest));
    MUST(store->query->metrics(store, &metrics, &err));
    cr_expect(eq(i64, metrics.files, 1));
    cr_expect(eq(i64, metrics.file_bytes, 1234));
}

Test(publish, a_file_that_comes_again_begins_its_grace_anew)
{
    struct file_record file = {.digest = site_digest(40), .size_bytes = 7, .time_s = 50};
    struct digest files[8];
    size_t count = 9;

    MUST(publish->file_add(store, &file, &is_new, &err));
    file.time_s = 90;
    MUST(publish->file_add(store, &file, &is_new, &err));
    cr_expect(not(is_new));
    MUST(unreferenced(80, files, &count));
    cr_expect(zero(sz, count));
}

/* Inline bodies: kept while the unit may still be decided, and for ever once it is accepted. */
Test(publish, bodies_are_collected_when_their_unit_ended_otherwise)
{
    int64_t count = 9;

    txn_end(&txn);
    site_send(&site, 0, 0);
    site_send(&site, 0, 1);
    site_send(&site, 0, 2);
    site_send(&site, 1, 0);
    site_report(&site, 0, 0, "right");
    site_report(&site, 0, 1, "right");
    site_report(&site, 1, 0, "undecided");
    site_accept(&site, 0);
    MUST(txn_begin(&txn, store, &err));
    MUST(collect_bodies(INT64_MAX, &count));
    cr_expect(zero(i64, count));
    MUST(txn_commit(&txn, &err));

    site_give_up(&site, 1, FAILURE_ERRORS);
    MUST(txn_begin(&txn, store, &err));
    MUST(collect_bodies(INT64_MAX, &count));
    cr_expect(zero(i64, count), "it may be retried");
    txn_end(&txn);
}

static bool see_file(void *context, const struct file_view *view)
{
    *(struct file_view *)context = *view;
    return true;
}

static void deliver(int64_t task, const struct digest *file)
{
    const struct file_record record = {.digest = *file, .size_bytes = 5, .time_s = 1};

    MUST(txn_begin(&txn, store, &err));
    MUST(publish->file_add(store, &record, &is_new, &err));
    MUST(publish->file_refer(store, file, FILE_REPORT, task, &err));
    MUST(txn_commit(&txn, &err));
}

static void ask(size_t unit, size_t task)
{
    CLEANUP(work_set_clear) struct work_set set = {0};
    const struct work_request request = {.units = &site.units[unit], .unit_count = 1};

    MUST(txn_begin(&txn, store, &err));
    MUST(store->work->load(store, &request, &set, &err));
    set.units[0].tasks[task].is_asked = true;
    set.units[0].tasks[task].is_changed = true;
    MUST(store->work->save(store, &set, &err));
    MUST(txn_commit(&txn, &err));
}

/* Two hosts agreed and were asked for the body; one delivered another. */
Test(publish, files_of_a_decided_unit_are_kept_by_its_acceptance_alone)
{
    const struct digest right = digest_of("right", 5), wrong = digest_of("wrong", 5);
    struct file_view view;
    struct digest files[8];
    size_t count = 9;

    txn_end(&txn);
    site_send(&site, 0, 0);
    site_send(&site, 0, 1);
    site_report(&site, 0, 0, "right");
    site_report(&site, 0, 1, "right");
    ask(0, 0);
    ask(0, 1);
    deliver(TASK_ID(site.units[0], 0), &right);
    deliver(TASK_ID(site.units[0], 1), &wrong);
    MUST(unreferenced(9, files, &count));
    cr_expect(zero(sz, count), "undecided");
    site_accept(&site, 0);
    MUST(unreferenced(9, files, &count));
    cr_assert(eq(sz, count, 1));
    cr_expect(digest_equals(&files[0], &wrong));

    site_reopen(&site, 0);
    MUST(unreferenced(9, files, &count));
    cr_expect(eq(sz, count, 1), "it may be accepted again");
    MUST(store->query->file(store, &right, see_file, &view, &err));
    cr_expect(not(view.is_accepted));
    site_give_up(&site, 0, FAILURE_CANCELLED);
    MUST(unreferenced(9, files, &count));
    cr_expect(eq(sz, count, 2));
}

Test(publish, bodies_of_cancelled_units_go_after_their_time)
{
    int64_t count = 9;

    txn_end(&txn);
    site_send(&site, 1, 0);
    site_report(&site, 1, 0, "lost");
    site_give_up(&site, 1, FAILURE_CANCELLED);
    MUST(txn_begin(&txn, store, &err));
    MUST(collect_bodies(SITE_TIME_S, &count));
    cr_expect(zero(i64, count), "too new");
    MUST(collect_bodies(INT64_MAX, &count));
    cr_expect(eq(i64, count, 1));
}

Test(publish, a_batch_is_made_once)
{
    struct batch_record record = {.public_id = site.batch_id,
                                  .name = "primes",
                                  .app_version = site.app_version,
                                  .priority = 5};
    int64_t id = 0;

    MUST(publish->batch_create(store, &record, &id, &is_new, &err));
    cr_expect(eq(i64, id, site.batch));
    cr_expect(not(is_new));
    record.name = "other";
    FAILS(publish->batch_create(store, &record, &id, &is_new, &err), CONFLICT);
    record.public_id.bytes[0]++;
    record.name = "primes";
    FAILS(publish->batch_create(store, &record, &id, &is_new, &err), CONFLICT);
    record.name = "other";
    record.app_version = 99;
    FAILS(publish->batch_create(store, &record, &id, &is_new, &err), NOT_FOUND);
    record.app_version = site.app_version;
    MUST(publish->batch_create(store, &record, &id, &is_new, &err));
    cr_expect(is_new);
}

static void set_batch_state(enum batch_state state, bool is_closed)
{
    CLEANUP(work_set_clear) struct work_set set = {0};
    const struct work_request request = {.batches = &site.batch, .batch_count = 1};

    MUST(store->work->load(store, &request, &set, &err));
    set.batches[0].state = state;
    set.batches[0].is_closed = is_closed;
    set.batches[0].is_changed = true;
    MUST(store->work->save(store, &set, &err));
}

Test(publish, a_name_is_free_again_when_its_batch_ended)
{
    const struct batch_record record = {
        .public_id = {.bytes = {1}}, .name = "primes", .app_version = site.app_version};
    int64_t id = 0, found = 0;

    set_batch_state(BATCH_FINISHED, true);
    MUST(store->query->batch_by_name(store, "primes", &found, &err));
    cr_expect(eq(i64, found, site.batch), "the newest of the name");
    MUST(publish->batch_create(store, &record, &id, &is_new, &err));
    cr_expect(is_new);
    MUST(store->query->batch_by_name(store, "primes", &found, &err));
    cr_expect(eq(i64, found, id));
}

/* A unit of the batch with that index and digest. */
static enum status add_unit(int64_t index, uint64_t digest, const struct digest *input,
                            struct unit_record *ret_record)
{
    const struct unit unit = {
        .digest = site_digest(digest),
        .index = index,
        .rule = {.quorum = 1, .copies = 1, .max_tasks = 1, .independence = INDEPENDENCE_HOST}};
    static char name[32];
    size_t added = 0;
    enum status status;

    (void)snprintf(name, sizeof name, "n%lld", (long long)index);
    *ret_record = (struct unit_record){.unit = &unit,
                                       .name = name,
                                       .envelope = span_of("{}"),
                                       .inputs = input,
                                       .input_count = input != NULL};
    status = publish->units_add(store, site.batch, ret_record, 1, &added, &err);
    ret_record->unit = NULL;
    if (status == STATUS_OK)
        cr_expect(eq(sz, added, !ret_record->ret_is_known));
    return status;
}

Test(publish, units_are_added_once_and_indexes_are_taken)
{
    struct unit_record record;
    int64_t id;
    CLEANUP(work_set_clear) struct work_set set = {0};

    MUST(add_unit(50, 600, NULL, &record));
    cr_expect(not(record.ret_is_known));
    id = record.ret_id;
    MUST(add_unit(50, 600, NULL, &record));
    cr_expect(record.ret_is_known);
    cr_expect(eq(i64, record.ret_id, id));
    FAILS(add_unit(50, 601, NULL, &record), CONFLICT);
    cr_expect(ne(ptr, strstr(err.text, "index 50"), NULL), "%s", err.text);

    MUST(store->work->load(store, &(struct work_request){.units = &id, .unit_count = 1}, &set,
                           &err));
    cr_expect(eq(i64, work_batch(&set, site.batch)->units, 3));
}

/* A slice of `count` units "s0", "s1" … with digests from `digest` on and indexes from 70 on. */
struct test_slice {
    struct unit units[8];
    char names[8][24];
    struct unit_record records[8];
};

static void fill_slice(struct test_slice *slice, size_t count, uint64_t digest)
{
    for (size_t i = 0; i < count; i++) {
        slice->units[i] = (struct unit){.digest = site_digest(digest + i),
                                        .index = 70 + (int64_t)i,
                                        .not_after_s = SITE_TIME_S};
        slice->units[i].rule.copies = 2;
        (void)snprintf(slice->names[i], sizeof slice->names[i], "s%zu", i);
        slice->records[i] = (struct unit_record){
            .unit = &slice->units[i], .name = slice->names[i], .envelope = span_of("{}")};
    }
}

Test(publish, a_slice_passes_over_known_units_and_twins)
{
    struct test_slice slice;
    size_t added = 0;

    fill_slice(&slice, 3, 700);
    MUST(publish->units_add(store, site.batch, slice.records, 1, &added, &err));
    slice.records[2].unit = &slice.units[1];
    MUST(publish->units_add(store, site.batch, slice.records, 3, &added, &err));
    cr_expect(eq(sz, added, 1));
    cr_expect(slice.records[0].ret_is_known);
    cr_expect(not(slice.records[1].ret_is_known));
    cr_expect(slice.records[2].ret_is_known, "it is in the slice twice");
    cr_expect(eq(i64, slice.records[2].ret_id, slice.records[1].ret_id));
}

Test(publish, a_known_unit_is_passed_over_though_it_was_revoked_since)
{
    const struct revocation revoked = {.kind = REVOKED_UNIT, .subject = site_digest(700)};
    struct test_slice slice;
    size_t added = 0;

    fill_slice(&slice, 2, 700);
    MUST(publish->units_add(store, site.batch, slice.records, 1, &added, &err));
    MUST(publish->revoke(store, &revoked, 1, SITE_TIME_S, &err));
    MUST(publish->units_add(store, site.batch, slice.records, 2, &added, &err));
    cr_expect(eq(sz, added, 1));
}

Test(publish, a_refused_slice_names_the_unit_that_is_at_fault)
{
    const struct digest nowhere = site_digest(61);
    struct test_slice slice;
    size_t added;

    fill_slice(&slice, 4, 700);
    slice.units[2].index = 1; /* of u1 */
    FAILS(publish->units_add(store, site.batch, slice.records, 4, &added, &err), CONFLICT);
    cr_expect(ne(ptr, strstr(err.text, "unit s2: index 1 "), NULL), "%s", err.text);
    txn_end(&txn);

    MUST(txn_begin(&txn, store, &err));
    fill_slice(&slice, 4, 700);
    slice.records[3].name = "u1";
    FAILS(publish->units_add(store, site.batch, slice.records, 4, &added, &err), CONFLICT);
    cr_expect(ne(ptr, strstr(err.text, "unit u1: another unit"), NULL), "%s", err.text);
    txn_end(&txn);

    MUST(txn_begin(&txn, store, &err));
    fill_slice(&slice, 4, 700);
    slice.records[1].inputs = &nowhere;
    slice.records[1].input_count = 1;
    FAILS(publish->units_add(store, site.batch, slice.records, 4, &added, &err), NOT_FOUND);
    cr_expect(ne(ptr, strstr(err.text, "s1 needs a file"), NULL), "%s", err.text);
}

Test(publish, two_units_of_a_batch_have_two_names)
{
    const struct batch_record second = {
        .public_id = {.bytes = {1}}, .name = "second", .app_version = site.app_version};
    const struct unit unit = {.digest = site_digest(600), .index = 50};
    struct unit_record twin = {.unit = &unit, .name = "u0", .envelope = span_of("{}")};
    size_t added = 9;
    int64_t id = 0;

    FAILS(publish->units_add(store, site.batch, &twin, 1, &added, &err), CONFLICT);
    cr_expect(ne(ptr, strstr(err.text, "u0: another unit"), NULL), "%s", err.text);
    txn_end(&txn);
    MUST(txn_begin(&txn, store, &err));
    MUST(publish->batch_create(store, &second, &id, &is_new, &err));
    MUST(publish->units_add(store, id, &twin, 1, &added, &err));
    cr_expect(eq(sz, added, 1), "of another batch");
}

Test(publish, a_unit_of_another_batch_is_refused)
{
    const struct batch_record record = {
        .public_id = {.bytes = {1}}, .name = "second", .app_version = site.app_version};
    const struct unit unit = {.digest = site.unit_digests[0], .index = 0};
    struct unit_record twin = {.unit = &unit, .name = "u0"};
    int64_t id = 0;
    size_t added;

    MUST(publish->batch_create(store, &record, &id, &is_new, &err));
    FAILS(publish->units_add(store, id, &twin, 1, &added, &err), CONFLICT);
    FAILS(publish->units_add(store, 999, &twin, 1, &added, &err), NOT_FOUND);
}

Test(publish, a_unit_needs_its_inputs_and_its_batch_keeps_them)
{
    const struct file_record file = {.digest = site_digest(60), .size_bytes = 9, .time_s = 1};
    struct unit_record record;
    struct digest files[8];
    size_t count = 9;

    FAILS(add_unit(50, 600, &file.digest, &record), NOT_FOUND);
    txn_end(&txn);
    MUST(txn_begin(&txn, store, &err));
    MUST(publish->file_add(store, &file, &is_new, &err));
    MUST(add_unit(50, 600, &file.digest, &record));
    MUST(unreferenced(INT64_MAX, files, &count));
    cr_expect(zero(sz, count));
    MUST(publish->file_release(store, FILE_INPUT, site.batch, &err));
    MUST(unreferenced(INT64_MAX, files, &count));
    cr_expect(eq(sz, count, 1));
}

static void refer_inputs(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct file_record file = {
            .digest = site_digest(40 + i), .size_bytes = 7, .time_s = 50};

        MUST(publish->file_add(store, &file, &is_new, &err));
        MUST(publish->file_refer(store, &file.digest, FILE_INPUT, site.batch, &err));
    }
}

/* The batch whose inputs go, some of two at most; *ret_count of them. */
static int64_t release(int64_t now_s, size_t *ret_count)
{
    int64_t batch = 0;

    MUST(publish->inputs_release(store, 0, now_s, 2, &batch, ret_count, &err));
    return batch;
}

static void end_units(enum unit_failure first, enum unit_failure second)
{
    MUST(txn_commit(&txn, &err));
    site_give_up(&site, 0, first);
    site_give_up(&site, 1, second);
    MUST(txn_begin(&txn, store, &err));
}

Test(publish, a_cancelled_batch_lets_go_of_its_inputs_once_all_its_units_ended)
{
    struct digest files[8];
    size_t count = 9;

    refer_inputs(3);
    set_batch_state(BATCH_CANCELLED, true);
    cr_expect(zero(i64, release(60, &count)), "units have not ended");
    end_units(FAILURE_ERRORS, FAILURE_CANCELLED);
    cr_expect(eq(i64, release(60, &count), site.batch));
    cr_expect(eq(sz, count, 2), "no more at once");
    cr_expect(eq(i64, release(60, &count), site.batch));
    cr_expect(eq(sz, count, 1));
    cr_expect(zero(i64, release(60, &count)));
    MUST(unreferenced(60, files, &count));
    cr_expect(zero(sz, count), "their grace began");
    MUST(unreferenced(61, files, &count));
    cr_expect(eq(sz, count, 3));
}

Test(publish, a_finished_batch_keeps_its_inputs_while_a_unit_may_be_retried)
{
    size_t count = 9;

    refer_inputs(1);
    end_units(FAILURE_ERRORS, FAILURE_EXPIRED);
    cr_expect(zero(i64, release(60, &count)), "the batch goes on");
    set_batch_state(BATCH_FINISHED, true);
    cr_expect(zero(i64, release(60, &count)), "there is one to retry");
    cr_expect(eq(i64, release(INT64_MAX, &count), site.batch), "no longer");
    cr_expect(eq(sz, count, 1));
}

Test(publish, a_finished_batch_without_failures_lets_go_of_its_inputs)
{
    size_t count = 9;

    refer_inputs(1);
    end_units(FAILURE_EXPIRED, FAILURE_REVOKED);
    set_batch_state(BATCH_FINISHED, true);
    cr_expect(eq(i64, release(60, &count), site.batch));
}

Test(publish, a_batch_that_is_closed_or_over_takes_no_units)
{
    struct unit_record record;

    set_batch_state(BATCH_HELD, false);
    MUST(add_unit(50, 600, NULL, &record));
    set_batch_state(BATCH_HELD, true);
    FAILS(add_unit(51, 601, NULL, &record), GONE);
    set_batch_state(BATCH_CANCELLED, false);
    FAILS(add_unit(51, 601, NULL, &record), GONE);
}

static void revoke(enum revoked_kind kind, struct digest subject)
{
    MUST(
        publish->revoke(store, &(struct revocation){.kind = kind, .subject = subject}, 1, 1, &err));
}

static size_t revoked_after(int64_t after)
{
    int64_t units[8];
    size_t count = 0;

    MUST(publish->revoked_units(store, after, units, 8, &count, &err));
    return count;
}

Test(publish, what_is_revoked_is_found_and_not_taken)
{
    struct digest batch = {0};
    struct unit_record record;

    cr_expect(zero(sz, revoked_after(0)));
    revoke(REVOKED_UNIT, site.unit_digests[1]);
    revoke(REVOKED_UNIT, site_digest(600));
    revoke(REVOKED_UNIT, site_digest(600));
    cr_expect(eq(sz, revoked_after(0), 1));
    cr_expect(zero(sz, revoked_after(site.units[1])));
    FAILS(add_unit(50, 600, NULL, &record), UNTRUSTED);
    MUST(add_unit(51, 601, NULL, &record));

    memcpy(batch.bytes, site.batch_id.bytes, sizeof site.batch_id);
    revoke(REVOKED_BATCH, batch);
    cr_expect(eq(sz, revoked_after(0), 3));
    FAILS(add_unit(52, 602, NULL, &record), UNTRUSTED);
}

Test(publish, all_units_of_a_revoked_app_version_are_found_until_they_end)
{
    struct unit_record record;

    revoke(REVOKED_APP_VERSION, site.app_version_digest);
    cr_expect(eq(sz, revoked_after(0), 2));
    FAILS(add_unit(50, 600, NULL, &record), UNTRUSTED);
    MUST(txn_commit(&txn, &err));
    site_give_up(&site, 0, FAILURE_REVOKED);
    cr_expect(eq(sz, revoked_after(0), 1));
}

Test(publish, units_of_a_batch_come_in_slices_by_scope)
{
    int64_t units[64], first[2];
    size_t count = 0;

    txn_end(&txn);
    site_add_units(&site, site.batch, 10, 5, NULL, NULL);
    site_give_up(&site, 0, FAILURE_DISSENT);
    site_give_up(&site, 1, FAILURE_CANCELLED);
    MUST(publish->units_of_batch(store, site.batch, UNITS_FAILED, 0, units, 64, &count, &err));
    cr_assert(eq(sz, count, 1));
    cr_expect(eq(i64, units[0], site.units[0]));
    MUST(publish->units_of_batch(store, site.batch, UNITS_NOT_ENDED, 0, first, 2, &count, &err));
    cr_assert(eq(sz, count, 2));
    MUST(publish->units_of_batch(store, site.batch, UNITS_NOT_ENDED, first[1], units, 64, &count,
                                 &err));
    cr_expect(eq(sz, count, 3));
}

Test(publish, an_address_prefix_is_one_volunteer)
{
    struct volunteer volunteer;
    int64_t a = 0, b = 0, c = 0;

    MUST(publish->volunteer_of_prefix(store, "192.0.2.0/24", 5, &a, &err));
    MUST(publish->volunteer_of_prefix(store, "192.0.2.0/24", 6, &b, &err));
    MUST(publish->volunteer_of_prefix(store, "2001:db8::/56", 6, &c, &err));
    cr_expect(eq(i64, a, b));
    cr_expect(ne(i64, a, c));
    MUST(publish->volunteer_load(store, a, &volunteer, &err));
    cr_expect(eq(int, (int)volunteer.kind, VOLUNTEER_PREFIX));
    cr_expect(eq(i64, volunteer.created_s, 5));
    MUST(publish->volunteer_load(store, site.volunteers[1], &volunteer, &err));
    cr_expect(eq(str, volunteer.name, "volunteer 2"));
    FAILS(publish->volunteer_load(store, 999, &volunteer, &err), NOT_FOUND);
}

Test(publish, tokens_are_found_by_hash_and_revoked_once)
{
    const struct credential account = {.kind = CREDENTIAL_ACCOUNT,
                                       .hash = site_digest(70),
                                       .volunteer = site.volunteers[0],
                                       .created_s = 1};
    struct credential operator_token = {.kind = CREDENTIAL_OPERATOR,
                                        .role = ROLE_READER,
                                        .hash = site_digest(71),
                                        .label = "laptop",
                                        .expires_s = 9};
    struct credential found, list[4];
    int64_t id = 0;
    size_t count = 0;

    MUST(publish->credential_add(store, &account, &id, &err));
    MUST(publish->credential_add(store, &operator_token, &id, &err));
    FAILS(publish->credential_find(store, &(struct digest){.bytes = {1}}, &found, &err), NOT_FOUND);
    MUST(publish->credential_find(store, &operator_token.hash, &found, &err));
    cr_expect(eq(i64, found.id, id));
    cr_expect(eq(int, (int)found.role, ROLE_READER));
    cr_expect(eq(str, found.label, "laptop"));
    cr_expect(eq(i64, found.expires_s, 9));
    MUST(publish->credential_find(store, &account.hash, &found, &err));
    cr_expect(eq(i64, found.volunteer, site.volunteers[0]));

    MUST(publish->credentials(store, CREDENTIAL_OPERATOR, 0, list, 4, &count, &err));
    cr_expect(eq(sz, count, 1));
    MUST(publish->credentials(store, CREDENTIAL_OPERATOR, id, list, 4, &count, &err));
    cr_expect(zero(sz, count));
    MUST(publish->credential_revoke(store, id, 55, &err));
    MUST(publish->credential_revoke(store, id, 66, &err));
    MUST(publish->credential_find(store, &operator_token.hash, &found, &err));
    cr_expect(eq(i64, found.revoked_s, 55));
    FAILS(publish->credential_revoke(store, 999, 66, &err), NOT_FOUND);
    MUST(publish->credential_find(store, &account.hash, &found, &err));
    FAILS(publish->credential_revoke(store, found.id, 66, &err), NOT_FOUND); /* is no token */
    FAILS(publish->credential_add(store, &account, &id, &err), CONFLICT);
}

static bool see_stderr(void *context, const struct unit_view *view)
{
    *(size_t *)context += view->reports[0].stderr_tail.length;
    return true;
}

/* Of the second unit, whose one task failed. */
static size_t stderr_length(void)
{
    size_t length = 0;

    MUST(store->query->unit(store, &site.unit_digests[1], see_stderr, &length, &err));
    return length;
}

static size_t prefixes_of(size_t unit)
{
    CLEANUP(work_set_clear) struct work_set set = {0};
    CLEANUP(txn_end) struct txn own = {0};
    const struct work_request request = {.units = &site.units[unit], .unit_count = 1};
    size_t count = 0;

    MUST(txn_begin(&own, store, &err));
    MUST(store->work->load(store, &request, &set, &err));
    for (size_t i = 0; i < set.units[0].task_count; i++)
        count += *set.units[0].tasks[i].prefix != '\0';
    return count;
}

/* In steps as small as they can be. */
static int64_t forget_details(int64_t before_s)
{
    int64_t last = 0, count = 0, sum = 0;

    do {
        MUST(publish->details_forget(store, last, before_s, 1, &count, &last, &err));
        sum += count;
    } while (last != 0);
    return sum;
}

Test(publish, old_tasks_tell_nothing_of_a_machine_that_no_open_unit_needs)
{
    txn_end(&txn);
    site_play(&site);
    cr_expect(zero(i64, forget_details(SITE_TIME_S + 100)), "nothing is old");
    cr_expect(eq(sz, stderr_length(), strlen("no such input\n")));
    cr_expect(eq(sz, prefixes_of(0), 2));
    cr_expect(eq(i64, forget_details(SITE_TIME_S + 101), 3));
    cr_expect(zero(sz, stderr_length()));
    cr_expect(zero(sz, prefixes_of(0)), "decided");
    cr_expect(eq(sz, prefixes_of(1), 1), "its next copy goes elsewhere");
    cr_expect(zero(i64, forget_details(SITE_TIME_S + 101)), "once");
}
