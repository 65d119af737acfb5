/* db/publish: which files and bodies are needed, by what, and until when. */
#include "tests/unit/db/publish_suite.h"

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
