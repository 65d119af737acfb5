/* server/engine: what operators do with batches, and what batches do by themselves. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/support/village.h"

static struct village village;
static size_t ann, bob, eve;

static void set_up(void)
{
    village_open(&village, NULL);
    ann = village_join(&village);
    bob = village_join(&village);
    eve = village_join(&village);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(batches, .init = set_up, .fini = tear_down);

static int64_t state(void)
{
    return village_count(&village, "state FROM batch");
}

static void finish_one(void)
{
    int64_t anns = village_get(&village, ann), bobs = village_get(&village, bob);

    cr_assert(anns != 0 && bobs != 0);
    village_report(&village, ann, anns, "42\n");
    village_report(&village, bob, bobs, "42\n");
}

/* Held by the host: is it told to drop it? */
static enum drop_reason drop_of(size_t host, int64_t task)
{
    struct village_visit visit;
    enum drop_reason why;

    village_visit_begin(&village, &visit, host);
    village_visit_hold(&visit, task);
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    why = visit.reply.drop_count > 0 ? visit.reply.drops[0].why : 0;
    village_visit_clear(&visit);
    return why;
}

Test(batches, a_closed_batch_finishes_with_its_last_unit)
{
    village_add_units(&village, 1, NULL);
    cr_expect(eq(int, village_act(&village, ACTION_CLOSE), STATUS_OK));
    cr_expect(eq(i64, state(), BATCH_CLOSED));
    finish_one();
    cr_expect(eq(i64, state(), BATCH_FINISHED));
    cr_expect(eq(int, village_act(&village, ACTION_CLOSE), STATUS_OK), "a repeat");
    cr_expect(eq(int, village_act(&village, ACTION_HOLD), STATUS_GONE));
}

Test(batches, a_batch_of_no_units_finishes_when_it_is_closed)
{
    cr_expect(eq(int, village_act(&village, ACTION_CLOSE), STATUS_OK));
    cr_expect(eq(i64, state(), BATCH_FINISHED));
}

Test(batches, cancelling_ends_what_is_open_and_keeps_what_was_accepted)
{
    int64_t task;

    village_add_units(&village, 1, NULL);
    finish_one();
    village_add_units(&village, 400, NULL); /* more than one slice */
    task = village_get(&village, ann);
    cr_assert(task != 0);
    cr_expect(eq(int, village_act(&village, ACTION_CANCEL), STATUS_OK));
    village_pass(&village, 1);
    village_pass(&village, 1);
    cr_expect(eq(i64, village_count(&village, "count(*) FROM unit WHERE state = 4"), 1));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM unit WHERE state = 5 AND failure = 5"),
                 400));
    cr_expect(eq(i64, state(), BATCH_CANCELLED));
    cr_expect(eq(int, drop_of(ann, task), DROP_CANCELLED));
    cr_expect(eq(i64, village_get(&village, bob), 0));
    cr_expect(eq(int, village_act(&village, ACTION_CANCEL), STATUS_OK), "a repeat");
    cr_expect(eq(int, village_act(&village, ACTION_RELEASE), STATUS_GONE));
}

Test(batches, a_cancellation_goes_on_after_a_restart)
{
    village_add_units(&village, 300, NULL);
    cr_expect(eq(int, village_act(&village, ACTION_CANCEL), STATUS_OK));
    village_restart(&village);
    village_pass(&village, 1);
    village_pass(&village, 1);
    cr_expect(eq(i64, village_count(&village, "count(*) FROM unit WHERE state = 5"), 300));
}

Test(batches, a_report_after_the_cancellation_is_taken_without_harm)
{
    int64_t task;

    village_add_units(&village, 1, NULL);
    task = village_get(&village, ann);
    cr_expect(eq(int, village_act(&village, ACTION_CANCEL), STATUS_OK));
    village_pass(&village, 1);
    village_report(&village, ann, task, "42\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_FAILED));
    cr_expect(eq(i64, village_count(&village, "sum(credit) FROM host"), 0));
}

Test(batches, a_held_batch_sends_nothing_until_it_is_released)
{
    int64_t before;

    village_add_units(&village, 2, NULL);
    before = village_get(&village, ann);
    cr_assert(before != 0);
    cr_expect(eq(int, village_act(&village, ACTION_HOLD), STATUS_OK));
    cr_expect(eq(i64, village_get(&village, bob), 0));
    village_report(&village, ann, before, "42\n");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 2"), 1));
    cr_expect(eq(int, village_act(&village, ACTION_RELEASE), STATUS_OK));
    cr_expect(village_get(&village, bob) != 0);
}

Test(batches, a_held_batch_stays_held_over_a_restart)
{
    village_add_units(&village, 2, NULL);
    cr_expect(eq(int, village_act(&village, ACTION_HOLD), STATUS_OK));
    village_restart(&village);
    cr_expect(eq(i64, village_get(&village, bob), 0));
    cr_expect(eq(i64, state(), BATCH_HELD));
}

static void few_failures(struct work_unit *unit)
{
    unit->acceptance.max_failures = 0;
}

Test(batches, failed_units_are_tried_again_as_far_as_they_may)
{
    int64_t task;

    village_add_units(&village, 1, few_failures);
    task = village_get(&village, ann);
    village_fail(&village, ann, task);
    cr_expect(
        eq(i64, village_count(&village, "count(*) FROM unit WHERE state = 5 AND failure = 1"), 1));
    cr_expect(eq(int, village_act(&village, ACTION_CLOSE), STATUS_OK));
    cr_expect(eq(i64, state(), BATCH_FINISHED));

    cr_expect(eq(int, village_act(&village, ACTION_RETRY), STATUS_OK));
    village_pass(&village, 1);
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_OPEN));
    cr_expect(eq(i64, state(), BATCH_CLOSED));
    cr_expect(eq(i64, village_count(&village, "units_failed FROM batch"), 0));
    village_report(&village, eve, village_get(&village, eve), "42\n");
    village_report(&village, bob, village_get(&village, bob), "42\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
    cr_expect(eq(i64, state(), BATCH_FINISHED));
}

Test(batches, a_host_whose_error_a_retry_forgave_reports_again_without_harm)
{
    int64_t task;

    village_add_units(&village, 1, few_failures);
    task = village_get(&village, ann);
    village_fail(&village, ann, task);
    cr_expect(eq(int, village_act(&village, ACTION_RETRY), STATUS_OK));
    village_pass(&village, 1);
    cr_assert(eq(i64, village_count(&village, "state FROM unit"), UNIT_OPEN));
    village_report(&village, ann, task, "42\n");
    cr_expect(eq(i64, village_count(&village, "count(*) FROM report"), 1));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task WHERE state = 8"), 1));
}

/* So many units that failed of one error each. */
static void fail_units(int count)
{
    size_t host = ann;

    village_add_units(&village, (size_t)count, few_failures);
    village_change(&village, "UPDATE batch SET ended_tasks = 1000000"); /* it pauses not */
    for (int i = 0; i < count; i++) {
        int64_t task;

        while ((task = village_get(&village, host)) == 0)
            host = village_join(&village);
        village_fail(&village, host, task);
    }
    cr_assert(eq(i64, village_count(&village, "units_failed FROM batch"), count));
}

Test(batches, a_retry_goes_on_after_a_restart)
{
    fail_units(3);
    cr_expect(eq(int, village_act(&village, ACTION_RETRY), STATUS_OK));
    village_restart(&village);
    village_pass(&village, 1);
    cr_expect(eq(i64, village_count(&village, "count(*) FROM unit WHERE state = 1"), 3));
    cr_expect(eq(i64, village_count(&village, "units_failed FROM batch"), 0));
}

Test(batches, a_retry_that_is_through_does_not_begin_again)
{
    fail_units(1);
    cr_expect(eq(int, village_act(&village, ACTION_RETRY), STATUS_OK));
    village_pass(&village, 1);
    village_fail(&village, bob, village_get(&village, bob));
    cr_assert(eq(i64, village_count(&village, "units_failed FROM batch"), 1));
    village_restart(&village);
    village_pass(&village, 1);
    cr_expect(eq(i64, village_count(&village, "units_failed FROM batch"), 1));
}

Test(batches, a_retry_reopens_nothing_of_a_batch_that_was_cancelled_meanwhile)
{
    fail_units(1);
    cr_expect(eq(int, village_act(&village, ACTION_RETRY), STATUS_OK));
    cr_expect(eq(int, village_act(&village, ACTION_CANCEL), STATUS_OK));
    village_pass(&village, 1);
    cr_expect(eq(i64, village_count(&village, "count(*) FROM unit WHERE state = 5"), 1));
}

/* What failed before it was revoked is revoked all the same. Retries, and expects the unit left. */
static void expect_left_as_revoked(void)
{
    cr_expect(eq(int, village_act(&village, ACTION_RETRY), STATUS_OK));
    village_pass(&village, 1);
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_FAILED));
    cr_expect(eq(i64, village_count(&village, "units_failed FROM batch"), 1));
    cr_expect(eq(i64, village_count(&village, "retry_revoked FROM batch"), 1));
    cr_expect(eq(i64, village_count(&village, "retry_reopened FROM batch"), 0));
}

Test(batches, a_retry_leaves_a_unit_that_was_revoked_after_it_failed)
{
    struct freshness *freshness = &village.sample.freshness;
    CLEANUP(envelope_clear) struct envelope unit = {0};

    fail_units(1);
    unit = sample_seal_unit(&village.sample);
    freshness->units = must_alloc(1, sizeof *freshness->units);
    freshness->units[freshness->unit_count++] = unit.digest;
    village_publish_freshness(&village);
    expect_left_as_revoked();
}

Test(batches, a_retry_leaves_a_unit_whose_app_version_was_revoked_after_it_failed)
{
    struct freshness *freshness = &village.sample.freshness;

    fail_units(1);
    freshness->app_versions = must_alloc(1, sizeof *freshness->app_versions);
    freshness->app_versions[freshness->app_version_count++] = village.sample.app_digest;
    village_publish_freshness(&village);
    expect_left_as_revoked();
}

Test(batches, a_retry_leaves_a_unit_whose_work_key_was_revoked_after_it_failed)
{
    CLEANUP(envelope_clear) struct envelope keyring = {0};
    struct command command = {.kind = COMMAND_KEYRING, .publish = {.envelope = &keyring}};

    fail_units(1);
    sample_revoke_key(&village.sample, &village.sample.work, 201);
    keyring = sample_seal_keyring(&village.sample);
    cr_assert(eq(int, village_run(&village, &command), STATUS_OK));
    expect_left_as_revoked();
}

static void one_try(struct work_unit *unit)
{
    unit->acceptance.max_failures = 0;
    unit->acceptance.max_tasks = 2;
}

Test(batches, a_unit_without_tasks_left_stays_failed)
{
    village_add_units(&village, 1, one_try);
    (void)village_get(&village, bob);
    village_fail(&village, ann, village_get(&village, ann));
    cr_assert(eq(i64, village_count(&village, "state FROM unit"), UNIT_FAILED));
    cr_expect(eq(int, village_act(&village, ACTION_RETRY), STATUS_OK));
    village_pass(&village, 1);
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_FAILED));
    cr_expect(eq(i64, village_count(&village, "units_failed FROM batch"), 1));
}

Test(batches, a_batch_whose_tasks_mostly_fail_pauses_itself)
{
    size_t hosts[5];

    village_add_units(&village, 40, NULL);
    for (size_t i = 0; i < 5; i++)
        hosts[i] = village_join(&village);
    for (int i = 0; i < 20; i++) {
        int64_t task = village_get(&village, hosts[i % 5]);

        cr_assert(task != 0);
        cr_expect(eq(i64, state(), BATCH_OPEN));
        village_fail(&village, hosts[i % 5], task);
    }
    cr_expect(eq(i64, state(), BATCH_PAUSED));
    cr_expect(eq(i64, village_count(&village, "why LIKE '%20 of 20%' FROM batch"), 1));
    cr_expect(eq(i64, village_get(&village, ann), 0));
    cr_expect(eq(int, village_act(&village, ACTION_RELEASE), STATUS_OK));
    cr_expect(village_get(&village, ann) != 0);
}

static void strict_split(struct work_unit *unit)
{
    unit->acceptance.quorum = 2;
    unit->acceptance.copies = 4;
}

/* Two of four copies report one output and two another, all in one cycle. */
static void split_one(void)
{
    size_t dan = village_join(&village);
    const size_t hosts[4] = {ann, bob, eve, dan};
    struct village_visit visits[4];
    struct command commands[4], *list[4];
    static char statements[4] = {'a', 'b', 'c', 'd'};

    village_add_units(&village, 1, strict_split);
    for (size_t i = 0; i < 4; i++) {
        int64_t task = village_get(&village, hosts[i]);

        cr_assert(task != 0);
        village_visit_begin(&village, &visits[i], hosts[i]);
        village_visit_done(&village, &visits[i], task, i < 2 ? "1\n" : "2\n", true);
        commands[i] = (struct command){.kind = COMMAND_VISIT,
                                       .visit = {.host = village.hosts[hosts[i]].id,
                                                 .prefix = "192.0.2.0/24",
                                                 .request = &visits[i].request,
                                                 .statement = &statements[i],
                                                 .statement_length = 1,
                                                 .request_digest = digest_of(&statements[i], 1),
                                                 .reply = &visits[i].reply}};
        list[i] = &commands[i];
    }
    engine_run(village.engine, list, 4);
    for (size_t i = 0; i < 4; i++) {
        cr_expect(eq(int, commands[i].status, STATUS_OK));
        village_visit_clear(&visits[i]);
    }
}

Test(batches, two_outputs_with_a_quorum_each_split_the_unit)
{
    split_one();
    cr_expect(
        eq(i64, village_count(&village, "count(*) FROM unit WHERE state = 5 AND failure = 3"), 1));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM acceptance"), 0));
}

Test(batches, reports_that_split_a_unit_do_not_count_when_it_is_tried_again)
{
    size_t fay, gil;
    int64_t fays, gils;

    split_one();
    cr_assert(eq(int, village_act(&village, ACTION_RETRY), STATUS_OK));
    village_pass(&village, 1);
    cr_assert(eq(i64, village_count(&village, "state FROM unit"), UNIT_OPEN));
    fay = village_join(&village);
    gil = village_join(&village);
    fays = village_get(&village, fay);
    gils = village_get(&village, gil);
    cr_assert(0 != fays && 0 != gils);
    village_report(&village, fay, fays, "2\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_OPEN));
    village_report(&village, gil, gils, "2\n");
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM acceptance_task"), 2));
}

Test(batches, a_closed_batch_takes_no_more_units)
{
    CLEANUP(work_unit_clear) struct work_unit unit = {0};
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    struct command_unit added = {.unit = &unit, .envelope = "{}", .envelope_length = 2};
    struct command command = {.kind = COMMAND_UNITS,
                              .units = {.batch = village.batch, .units = &added, .count = 1}};

    cr_expect(eq(int, village_act(&village, ACTION_CLOSE), STATUS_OK));
    village.sample.unit.batch = village.batch;
    envelope = sample_seal_unit(&village.sample);
    cr_assert(eq(int,
                 published_check_unit(engine_published(village.engine), &village.sample.app_digest,
                                      &envelope, village.env.now_s, &unit, &added.signers, NULL),
                 STATUS_OK));
    added.digest = envelope.digest;
    cr_expect(eq(int, village_run(&village, &command), STATUS_GONE));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM unit"), 0));
}

/* Regression: it was taken, and sent to everybody. */
Test(batches, a_unit_for_an_organisation_alone_is_refused)
{
    CLEANUP(work_unit_clear) struct work_unit unit = {0};
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    struct command_unit added = {.unit = &unit, .envelope = "{}", .envelope_length = 2};
    struct command command = {.kind = COMMAND_UNITS,
                              .units = {.batch = village.batch, .units = &added, .count = 1}};

    village.sample.unit.batch = village.batch;
    texts_add(&village.sample.unit.only.organisations, "An organisation");
    envelope = sample_seal_unit(&village.sample);
    cr_assert(eq(int,
                 published_check_unit(engine_published(village.engine), &village.sample.app_digest,
                                      &envelope, village.env.now_s, &unit, &added.signers, NULL),
                 STATUS_OK));
    added.digest = envelope.digest;
    cr_expect(eq(int, village_run(&village, &command), STATUS_INVALID));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM unit"), 0));
}

Test(batches, priority_decides_whose_unit_is_sent)
{
    struct command command = {
        .kind = COMMAND_BATCH_ACTION,
        .action = {.batch = village.batch, .action = ACTION_PRIORITY, .priority = -10}};
    int64_t first = 0;

    village_add_units(&village, 50, NULL);
    cr_expect(eq(int, village_run(&village, &command), STATUS_OK));
    cr_expect(eq(i64, village_count(&village, "priority FROM batch"), -10));
    village_open_batch(&village, "second", 10);
    village_add_units(&village, 50, NULL);
    for (int i = 0; i < 40; i++) {
        size_t host = village_join(&village);

        first += village_get(&village, host) / UNIT_TASKS_MAX <= 50;
    }
    cr_expect(first <= 2, "%lld of 40 for the batch of low priority", (long long)first);
}

Test(batches, an_unknown_batch_is_not_found)
{
    village.batch.bytes[0] ^= 1;
    cr_expect(eq(int, village_act(&village, ACTION_HOLD), STATUS_NOT_FOUND));
}
