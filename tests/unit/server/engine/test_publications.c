/* server/engine: what operators publish, what it revokes, and what everybody may read of it. */
#define _GNU_SOURCE 1 /* O_TMPFILE */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "common/env/real.h"
#include "server/engine/state.h"
#include "tests/support/messages.h"
#include "tests/support/village.h"

static struct village village;
static size_t ann, bob;

static void set_up(void)
{
    village_open(&village, NULL);
    ann = village_join(&village);
    bob = village_join(&village);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(publications, .init = set_up, .fini = tear_down);

static enum status publish(enum command_kind kind, struct envelope envelope, bool *ret_is_new)
{
    struct command command = {.kind = kind, .publish = {.envelope = &envelope}};
    enum status status = village_run(&village, &command);

    *ret_is_new = command.publish.is_new;
    envelope_clear(&envelope);
    return status;
}

Test(publications, publishing_again_changes_nothing)
{
    bool is_new = true;
    int64_t journal = village_count(&village, "count(*) FROM journal");

    cr_expect(eq(int, publish(COMMAND_KEYRING, sample_seal_keyring(&village.sample), &is_new),
                 STATUS_OK));
    cr_expect(zero(int, is_new));
    cr_expect(eq(int, publish(COMMAND_FRESHNESS, sample_seal_freshness(&village.sample), &is_new),
                 STATUS_OK));
    cr_expect(zero(int, is_new));
    cr_expect(eq(int,
                 publish(COMMAND_APP_VERSION, sample_seal_app_version(&village.sample), &is_new),
                 STATUS_OK));
    cr_expect(zero(int, is_new));
    cr_expect(eq(int, publish(COMMAND_VARIANT, sample_seal_variant(&village.sample), &is_new),
                 STATUS_OK));
    cr_expect(zero(int, is_new));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM journal"), journal));
}

Test(publications, what_no_key_of_the_project_signed_is_refused)
{
    struct private_key work = village.sample.work;
    bool is_new;

    village.sample.notice.text[0] = 't';
    village.sample.work = village.sample.stranger;
    cr_expect(eq(int, publish(COMMAND_NOTICE, sample_seal_notice(&village.sample), &is_new),
                 STATUS_UNTRUSTED));
    village.sample.work = work;
    cr_expect(
        eq(int, publish(COMMAND_NOTICE, sample_seal_notice(&village.sample), &is_new), STATUS_OK));
    cr_expect(is_new);
}

Test(publications, a_keyring_is_known_by_its_content_even_after_the_next)
{
    struct envelope first = sample_seal_keyring(&village.sample);
    struct project_parts parts = {0};
    bool is_new;

    village.sample.keyring.version = 2;
    village.sample.keyring.expires_s++;
    cr_assert(eq(int, publish(COMMAND_KEYRING, sample_seal_keyring(&village.sample), &is_new),
                 STATUS_OK));
    cr_expect(is_new);
    cr_expect(eq(int, publish(COMMAND_KEYRING, first, &is_new), STATUS_OK), "a repeat");
    cr_expect(zero(int, is_new));
    published_project(engine_published(village.engine), &parts);
    cr_expect(eq(i64, parts.keyring_version, 2));
    cr_expect(strstr(parts.keyrings, ",") != NULL, "the first and the newest are listed");
    project_parts_clear(&parts);

    village.sample.keyring.expires_s++;
    cr_expect(eq(int, publish(COMMAND_KEYRING, sample_seal_keyring(&village.sample), &is_new),
                 STATUS_UNTRUSTED),
              "another keyring of version 2");
}

Test(publications, a_variant_of_an_unknown_app_or_with_a_missing_file_is_not_found)
{
    bool is_new;

    village.sample.variant.files[0].digest = digest_of("missing", 7);
    cr_expect(eq(int, publish(COMMAND_VARIANT, sample_seal_variant(&village.sample), &is_new),
                 STATUS_NOT_FOUND));
    village.sample.variant.app_version.bytes[0] ^= 1;
    cr_expect(eq(int, publish(COMMAND_VARIANT, sample_seal_variant(&village.sample), &is_new),
                 STATUS_NOT_FOUND));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM variant"), 1));
}

Test(publications, a_new_variant_is_used_at_once)
{
    bool is_new;
    struct village_visit visit;

    village_add_units(&village, 2, NULL);
    (void)village_get(&village, ann);
    village_visit_begin(&village, &visit, bob);
    village_visit_want(&visit, 1);
    texts_clear(&visit.request.host.platforms);
    texts_add(&visit.request.host.platforms, "aarch64-linux-gnu");
    cr_assert(eq(int, village_visit_make(&village, &visit, bob), STATUS_OK));
    cr_assert(eq(sz, visit.reply.grant_count, 0));

    (void)text_fit(village.sample.variant.platform.text, WORD_MAX, "aarch64-linux-gnu");
    cr_assert(eq(int, publish(COMMAND_VARIANT, sample_seal_variant(&village.sample), &is_new),
                 STATUS_OK));
    village.hosts[bob].visit = ++visit.request.visit.number;
    cr_assert(eq(int, village_visit_make(&village, &visit, bob), STATUS_OK));
    cr_expect(eq(sz, visit.reply.grant_count, 1), "%s", visit.reply.why);
    village_visit_clear(&visit);
}

/* ------------------------------------------------------------------------------------ revocation
 */

static void expect_revoked(int64_t task)
{
    struct village_visit visit;

    cr_expect(eq(i64, village_get(&village, bob), 0));
    village_pass(&village, 1);
    cr_expect(
        eq(i64, village_count(&village, "count(*) FROM unit WHERE state = 5 AND failure = 6"), 1));
    village_visit_begin(&village, &visit, ann);
    village_visit_hold(&visit, task);
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    cr_assert(eq(sz, visit.reply.drop_count, 1));
    cr_expect(eq(int, visit.reply.drops[0].why, DROP_FAILED));
    village_visit_clear(&visit);
}

static int64_t send_one(void)
{
    int64_t task;

    village_add_units(&village, 1, NULL);
    task = village_get(&village, ann);
    cr_assert(task != 0);
    return task;
}

Test(publications, a_revoked_app_version_ends_its_units_and_is_dropped)
{
    struct freshness *freshness = &village.sample.freshness;
    int64_t task = send_one();

    freshness->app_versions = must_alloc(1, sizeof *freshness->app_versions);
    freshness->app_versions[freshness->app_version_count++] = village.sample.app_digest;
    village_publish_freshness(&village);
    expect_revoked(task);
}

Test(publications, a_revoked_batch_ends_its_units_and_is_dropped)
{
    struct freshness *freshness = &village.sample.freshness;
    int64_t task = send_one();

    freshness->batches = must_alloc(1, sizeof *freshness->batches);
    freshness->batches[freshness->batch_count++] = village.batch;
    village_publish_freshness(&village);
    expect_revoked(task);
}

Test(publications, a_revoked_unit_ends_and_is_dropped)
{
    struct freshness *freshness = &village.sample.freshness;
    int64_t task = send_one();
    CLEANUP(envelope_clear) struct envelope unit = sample_seal_unit(&village.sample);

    freshness->units = must_alloc(1, sizeof *freshness->units);
    freshness->units[freshness->unit_count++] = unit.digest;
    village_publish_freshness(&village);
    expect_revoked(task);
}

Test(publications, a_revocation_goes_on_after_a_restart)
{
    struct freshness *freshness = &village.sample.freshness;
    int64_t task = send_one();

    freshness->batches = must_alloc(1, sizeof *freshness->batches);
    freshness->batches[freshness->batch_count++] = village.batch;
    village_publish_freshness(&village);
    village_restart(&village);
    expect_revoked(task);
}

/* The fresh key was stolen: the operator replaces it, and what it signed counts for nothing. */
static void revoke_fresh_key(unsigned next_seed)
{
    bool is_new;

    sample_revoke_key(&village.sample, &village.sample.fresh, next_seed);
    cr_assert(eq(int, publish(COMMAND_KEYRING, sample_seal_keyring(&village.sample), &is_new),
                 STATUS_OK));
}

Test(publications, after_a_revoked_fresh_key_a_freshness_may_begin_anew)
{
    struct freshness *freshness = &village.sample.freshness;
    CLEANUP(envelope_clear) struct envelope keyring = {0};
    bool is_new = false;

    village_add_units(&village, 1, NULL);
    freshness->sequence = 1000; /* as high as a thief likes */
    cr_assert(eq(int, publish(COMMAND_FRESHNESS, sample_seal_freshness(&village.sample), &is_new),
                 STATUS_OK));
    revoke_fresh_key(200);
    village_restart(&village); /* that it starts at all is part of it */
    cr_expect(eq(i64, village_get(&village, ann), 0));
    keyring = sample_seal_keyring(&village.sample);
    *freshness = (struct freshness){.project = village.sample.project,
                                    .sequence = 3,
                                    .issued_s = SAMPLE_NOW_S - 1,
                                    .expires_s = freshness->expires_s,
                                    .keyring_version = village.sample.keyring.version,
                                    .keyring = keyring.digest};
    cr_expect(eq(int, publish(COMMAND_FRESHNESS, sample_seal_freshness(&village.sample), &is_new),
                 STATUS_OK));
    cr_expect(is_new);
    village_restart(&village);
    cr_expect(ne(i64, village_get(&village, ann), 0));
}

Test(publications, an_older_freshness_is_refused)
{
    struct envelope old = sample_seal_freshness(&village.sample);
    bool is_new;

    village_publish_freshness(&village);
    cr_expect(eq(int, publish(COMMAND_FRESHNESS, old, &is_new), STATUS_UNTRUSTED));
}

/* ------------------------------------------------------------------------------ what is published
 */

Test(publications, a_restart_publishes_the_same)
{
    struct project_parts before = {0}, after = {0};
    bool is_new;

    cr_assert(
        eq(int, publish(COMMAND_NOTICE, sample_seal_notice(&village.sample), &is_new), STATUS_OK));
    published_project(engine_published(village.engine), &before);
    village_restart(&village);
    published_project(engine_published(village.engine), &after);
    cr_expect(eq(str, before.keyrings, after.keyrings));
    cr_expect(eq(str, before.freshness, after.freshness));
    cr_expect(eq(str, before.notices, after.notices));
    cr_expect(strstr(after.notices, "payload") != NULL);
    cr_expect(digest_equals(&before.project, &after.project));
    project_parts_clear(&before);
    project_parts_clear(&after);
}

Test(publications, a_notice_that_is_over_is_no_longer_listed)
{
    struct project_parts parts = {0};
    bool is_new;

    cr_assert(
        eq(int, publish(COMMAND_NOTICE, sample_seal_notice(&village.sample), &is_new), STATUS_OK));
    village_pass(&village, DAY_S + 1);
    published_project(engine_published(village.engine), &parts);
    cr_expect(eq(str, parts.notices, "[]"));
    project_parts_clear(&parts);
}

/* Regression: whatever was published next in doubt of the clock took all notices off the list, and
 * nothing put them back. */
Test(publications, in_doubt_of_the_clock_no_notice_is_over)
{
    struct project_parts parts = {0};
    bool is_new;

    cr_assert(
        eq(int, publish(COMMAND_NOTICE, sample_seal_notice(&village.sample), &is_new), STATUS_OK));
    village.env.now_s += 365 * DAY_S;
    village_pass(&village, 1);
    village_publish_freshness(&village);
    published_project(engine_published(village.engine), &parts);
    cr_expect(strstr(parts.notices, "payload") != NULL, "%s", parts.notices);
    project_parts_clear(&parts);
    village_restart(&village);
    published_project(engine_published(village.engine), &parts);
    cr_expect(strstr(parts.notices, "payload") != NULL, "%s", parts.notices);
    project_parts_clear(&parts);
}

Test(publications, the_same_batch_again_is_no_new_one_and_another_of_its_id_is_a_conflict)
{
    struct command command = {.kind = COMMAND_BATCH,
                              .batch = {.batch = village.batch,
                                        .name = "first",
                                        .app_version = village.sample.app_digest}};

    cr_expect(eq(int, village_run(&village, &command), STATUS_OK));
    cr_expect(zero(int, command.batch.is_new));
    command.batch.name = "other";
    cr_expect(eq(int, village_run(&village, &command), STATUS_CONFLICT));
    command.batch.name = "first";
    command.batch.batch.bytes[0] ^= 1;
    cr_expect(eq(int, village_run(&village, &command), STATUS_CONFLICT), "the name is taken");
    command.batch.app_version.bytes[0] ^= 1;
    cr_expect(eq(int, village_run(&village, &command), STATUS_NOT_FOUND));
}

Test(publications, known_units_are_counted_and_left_alone)
{
    village_add_units(&village, 1, NULL);
    village.next_index = 0;
    village_add_units(&village, 1, NULL);
    cr_expect(eq(i64, village_count(&village, "count(*) FROM unit"), 1));
    cr_expect(eq(i64, village_count(&village, "units FROM batch"), 1));
}

Test(publications, a_failing_step_publishes_nothing)
{
    bool is_new;
    int step = 1;

    for (; step < 20; step++) {
        enum status status;

        village.store.steps_to_failure = step;
        status = publish(COMMAND_NOTICE, sample_seal_notice(&village.sample), &is_new);
        if (status == STATUS_OK)
            break;
        cr_expect(eq(int, status, STATUS_STORAGE));
        cr_expect(eq(i64, village_count(&village, "count(*) FROM notice"), 0));
        cr_expect(eq(i64, village_count(&village, "count(*) FROM journal WHERE kind = 44"), 0));
    }
    cr_expect(step > 4);
    cr_expect(eq(i64, village_count(&village, "count(*) FROM notice"), 1));
}

/* Regression: copies were sent, computed and agreed on, and every upload of them was refused. */
Test(publications, units_are_not_sent_whose_outputs_the_site_takes_no_more)
{
    int64_t least = village.sample.app_version.outputs[0].max_bytes;
    size_t host = village_join(&village);

    village_add_units(&village, 2, NULL);
    cr_expect(ne(i64, village_get(&village, host), 0));
    cr_expect(lt(i64, 0, village_count(&village, "max(cores) FROM host")), "what it offers");
    village.engine->config.upload_max = least - 1;
    host = village_join(&village);
    cr_expect(zero(i64, village_get(&village, host)));
    village.engine->config.upload_max = least;
    cr_expect(ne(i64, village_get(&village, host), 0));
}

/* Regression: the site started without a word. */
Test(publications, what_the_site_takes_no_more_is_said_when_it_starts)
{
    CLEANUP(buffer_clear) struct buffer said = {.max = 1 << 16};
    int kept = dup(STDERR_FILENO), to;

    village.config.upload_max = village.sample.app_version.outputs[0].max_bytes - 1;
    village_add_units(&village, 3, NULL);
    to = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    cr_assert(le(int, 0, dup2(to, STDERR_FILENO)));
    log_init(env_real(), LOG_WARN, STDERR_FILENO);
    village_restart(&village);
    cr_assert(le(int, 0, dup2(kept, STDERR_FILENO)));
    cr_assert(buffer_reserve(&said, 8192) != NULL);
    buffer_commit(&said, (size_t)pread(to, said.bytes, 8000, 0));
    cr_expect(strstr(buffer_text(&said), "event=app.output_too_large app=") != NULL, "%s",
              buffer_text(&said));
    cr_expect(strstr(buffer_text(&said), " units=3") != NULL, "%s", buffer_text(&said));
    cr_expect(strstr(buffer_text(&said), "event=site.upload_max_low apps=1 units=3") != NULL, "%s",
              buffer_text(&said));
}

/* Regression: it was taken, computed and agreed on, and then every upload of it was refused. */
Test(publications, an_app_with_larger_outputs_than_the_site_takes_is_refused)
{
    struct envelope envelope;
    struct command app = {.kind = COMMAND_APP_VERSION, .publish = {.envelope = &envelope}};
    struct command batch = {.kind = COMMAND_BATCH,
                            .batch = {.name = "large", .app_version = village.sample.app_digest}};

    village.engine->config.upload_max = village.sample.app_version.outputs[0].max_bytes - 1;
    village.sample.app_version.version++;
    envelope = sample_seal_app_version(&village.sample);
    cr_expect(eq(int, village_run(&village, &app), STATUS_TOO_LARGE));
    cr_expect(strstr(app.err.text, "upload_max") != NULL, "%s", app.err.text);
    batch.batch.batch.bytes[0] = 1;
    cr_expect(eq(int, village_run(&village, &batch), STATUS_TOO_LARGE), "the site takes less now");
    village.engine->config.upload_max++;
    cr_expect(eq(int, village_run(&village, &app), STATUS_OK), "%s", app.err.text);
    cr_expect(eq(int, village_run(&village, &batch), STATUS_OK), "%s", batch.err.text);
    envelope_clear(&envelope);
}
