/* db/publish: batches, the units that are added to them, and what is revoked. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/db/publish_suite.h"

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
    cr_assert(eq(sz, count, 2));
    cr_expect(eq(i64, units[0], site.units[0]));
    cr_expect(eq(i64, units[1], site.units[1]));
    MUST(publish->units_of_batch(store, site.batch, UNITS_NOT_ENDED, 0, first, 2, &count, &err));
    cr_assert(eq(sz, count, 2));
    MUST(publish->units_of_batch(store, site.batch, UNITS_NOT_ENDED, first[1], units, 64, &count,
                                 &err));
    cr_expect(eq(sz, count, 3));
}

struct met_sets {
    size_t count;
    struct signer_set last;
};

static bool meet_set(void *context, const struct signer_set *signers)
{
    struct met_sets *met = context;

    met->count++;
    met->last = *signers;
    return true;
}

Test(publish, who_signed_together_is_put_whole_and_once)
{
    struct signer_set signers = {0};
    struct met_sets met = {0};

    for (int64_t i = 0; i < ENVELOPE_SIGNATURES_MAX; i++)
        signer_set_add(&signers, INT64_MAX - i);
    MUST(publish->signers_put(store, &signers, &err));
    MUST(publish->signers_put(store, &signers, &err));
    MUST(store->query->signer_sets(store, meet_set, &met, &err));
    cr_assert(eq(sz, met.count, 1));
    cr_assert(eq(sz, met.last.count, ENVELOPE_SIGNATURES_MAX));
    cr_expect(eq(i64, signer_set_number(&met.last), signer_set_number(&signers)));
}
