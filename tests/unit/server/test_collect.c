/* server/collect: what nothing needs goes, in an order that no crash can turn into a loss. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/env/real.h"
#include "server/collect.h"
#include "server/files/store.h"
#include "tests/support/failing_disk.h"
#include "tests/support/site_work.h"
#include "tests/support/village.h"

#define STEPS_MAX 1000 /* of a pass; the parts of the file store are most of them */

static char folder[] = "/tmp/dugnad-collect-XXXXXX";
static struct env env;
static struct failing_disk disk;
static struct test_site site;
static struct store *witness; /* keeps the database in memory alive, and looks at it */
static struct village_store wrapped;
static struct file_store *files;
static struct error err;
static int64_t began_s; /* the real clock: that of the files' times */
static struct digest old, young, input, needed, orphan;

#define MUST(call) cr_assert(eq(int, (int)(call), STATUS_OK), "%s (%s)", err.text, err.detail)

static struct digest on_disk(const char *text)
{
    struct digest digest = digest_of(text, strlen(text));
    struct file_writer *writer = NULL;

    MUST(files->begin(files, 100, &writer, &err));
    MUST(files->add(writer, text, strlen(text), &err));
    MUST(files->finish(writer, &digest, NULL, &err));
    return digest;
}

/* On the disk and known, for the sake of that batch (0: of none). */
static struct digest put(const char *text, int64_t time_s, int64_t batch)
{
    struct file_record record = {
        .digest = on_disk(text), .size_bytes = (int64_t)strlen(text), .time_s = time_s};
    CLEANUP(txn_end) struct txn txn = {0};
    bool is_new;

    MUST(txn_begin(&txn, site.store, &err));
    MUST(site.store->publish->file_add(site.store, &record, &is_new, &err));
    if (batch != 0)
        MUST(site.store->publish->file_refer(site.store, &record.digest, FILE_INPUT, batch, &err));
    MUST(txn_commit(&txn, &err));
    return record.digest;
}

static int64_t another_batch(void)
{
    const struct batch_record record = {
        .public_id = {.bytes = {1}}, .name = "goes on", .app_version = site.app_version};
    CLEANUP(txn_end) struct txn txn = {0};
    int64_t id = 0;
    bool is_new;

    MUST(txn_begin(&txn, site.store, &err));
    MUST(site.store->publish->batch_create(site.store, &record, &id, &is_new, &err));
    MUST(txn_commit(&txn, &err));
    return id;
}

static void end_batch(enum batch_state state)
{
    CLEANUP(work_set_clear) struct work_set set = {0};
    CLEANUP(txn_end) struct txn txn = {0};
    const struct work_request request = {.batches = &site.batch, .batch_count = 1};

    MUST(txn_begin(&txn, site.store, &err));
    MUST(site.store->work->load(site.store, &request, &set, &err));
    set.batches[0].state = state;
    set.batches[0].is_closed = true;
    set.batches[0].is_changed = true;
    MUST(site.store->work->save(site.store, &set, &err));
    MUST(txn_commit(&txn, &err));
}

/* The site's batch is cancelled after one report; another one goes on. */
static void set_up(void)
{
    began_s = env_real()->now_s(env_real());
    memcpy(folder + sizeof folder - 7, "XXXXXX", 6);
    cr_assert(mkdtemp(folder) != NULL);
    failing_disk_init(&disk, disk_real());
    env = *env_real();
    env.disk = &disk.base;
    MUST(file_store_open_folder(&env, folder, 1, &files, &err));
    site_open(&site, NULL);
    witness = site_connect(&site);
    old = put("old", began_s, 0);
    young = put("young", began_s + 200, 0);
    input = put("input", began_s, site.batch);
    needed = put("needed", began_s, another_batch());
    orphan = on_disk("orphan");
    site_send(&site, 0, 0);
    site_report(&site, 0, 0, "lost");
    site_give_up(&site, 0, FAILURE_CANCELLED);
    site_give_up(&site, 1, FAILURE_CANCELLED);
    end_batch(BATCH_CANCELLED);
    village_store_wrap(&wrapped, site.store);
}

static void tear_down(void)
{
    file_store_close(TAKE(files));
    site_close(&site);
    store_close(TAKE(witness));
    MUST(disk_real()->remove_tree(disk_real(), folder, &err));
}

TestSuite(collect, .init = set_up, .fini = tear_down);

/* A pass that late; how it ended. */
static enum status pass_with(struct collecting pass, struct collecting *ret_pass)
{
    enum status status = STATUS_OK;

    for (int i = 0; i < STEPS_MAX && pass.phase != COLLECT_DONE && status == STATUS_OK; i++)
        status = collect_step(site.store, &pass, &err);
    cr_assert(status != STATUS_OK || pass.phase == COLLECT_DONE, "it ends");
    *ret_pass = pass;
    return status;
}

static enum status pass_at(int64_t now_s, struct collecting *ret_pass)
{
    const struct collecting pass = {.files = files,
                                    .now_s = now_s,
                                    .files_before_s = now_s - 1000,
                                    .outputs_before_s = now_s - 1000};

    return pass_with(pass, ret_pass);
}

/* How many could go now; what finds out is rolled back. */
static int64_t bodies(void)
{
    CLEANUP(txn_end) struct txn txn = {0};
    struct digest last = {0};
    int64_t unit = 0, count = 0;

    MUST(txn_begin(&txn, witness, &err));
    MUST(witness->publish->bodies_mark(witness, 0, 100, &unit, &err));
    MUST(witness->publish->bodies_sweep(witness, &last, INT64_MAX, 100, &count, &last, &err));
    return count;
}

static void complain(void *context, const char *complaint)
{
    (void)context;
    cr_expect(false, "%s", complaint);
}

/* The variant's file of the fixture is a row alone. */
static bool check_line(void *context, const struct file_line *line)
{
    const struct digest fixture = site_digest(4);

    (void)context;
    if (!digest_equals(&line->digest, &fixture))
        cr_expect(file_store_has(files, &line->digest), "a row, and its file is gone: %s",
                  digest_format(&line->digest).text);
    return true;
}

static void expect_sound(void)
{
    int64_t faults = 0;

    MUST(witness->check(witness, &(struct store_check){.say = complain}, &faults, &err));
    cr_expect(zero(i64, faults));
    MUST(witness->query->files(witness, NULL, 500, check_line, NULL, &err));
    cr_expect(file_store_has(files, &young), "young");
    cr_expect(file_store_has(files, &needed), "needed");
}

static bool is_known(const struct digest *file)
{
    bool is_missing = false;

    MUST(witness->query->files_missing(witness, file, 1, &is_missing, &err));
    return !is_missing;
}

static void expect_collected(void)
{
    expect_sound();
    cr_expect(not(file_store_has(files, &old)), "old");
    cr_expect(not(is_known(&old)));
    cr_expect(not(file_store_has(files, &orphan)), "orphan");
    cr_expect(file_store_has(files, &input), "its grace began with its release");
    cr_expect(zero(i64, bodies()));
}

Test(collect, what_nothing_needs_goes_and_all_else_stays)
{
    struct collecting pass;

    expect_sound();
    cr_expect(eq(i64, bodies(), 1));
    MUST(pass_at(began_s + 1100, &pass));
    cr_expect(eq(i64, pass.released, 1));
    cr_expect(eq(i64, pass.files_removed, 1));
    cr_expect(eq(i64, pass.orphans_removed, 1));
    expect_collected();
}

Test(collect, released_inputs_go_when_their_grace_is_over)
{
    struct collecting pass;

    MUST(pass_at(began_s + 1100, &pass));
    MUST(pass_at(began_s + 2000, &pass));
    cr_expect(file_store_has(files, &input));
    cr_expect(file_store_has(files, &needed));
    MUST(pass_at(began_s + 2200, &pass));
    cr_expect(not(file_store_has(files, &input)));
    cr_expect(not(is_known(&input)));
    cr_expect(file_store_has(files, &needed), "for ever");
}

Test(collect, what_just_came_survives_its_grace_without_being_needed)
{
    struct collecting pass;

    MUST(pass_at(began_s + 900, &pass));
    cr_expect(file_store_has(files, &old));
    cr_expect(is_known(&old));
    cr_expect(file_store_has(files, &orphan), "its command may be on its way");
}

Test(collect, a_file_on_the_disk_that_came_again_is_left_there)
{
    MUST(files->collect(files, &old, began_s - 1000, &err));
    cr_expect(file_store_has(files, &old));
}

/* A crash: the engine's connection and the store of files end where they are, and come anew. */
static void restart(void)
{
    store_close(site.store);
    site.store = site_connect(&site);
    village_store_wrap(&wrapped, site.store);
    file_store_close(TAKE(files));
    (void)failing_disk_repair(&disk);
    MUST(file_store_open_folder(&env, folder, 1, &files, &err));
}

static void expect_recovery(void)
{
    struct collecting pass;

    restart();
    expect_sound();
    MUST(pass_at(began_s + 1100, &pass));
    expect_collected();
}

Test(collect, a_database_that_fails_at_any_step_loses_nothing, .timeout = 120)
{
    struct collecting pass;
    enum status status = STATUS_STORAGE;
    int failed = 0;

    for (int step = 1; status != STATUS_OK && step < 100; step++) {
        wrapped.steps_to_failure = step;
        status = pass_at(began_s + 1100, &pass);
        failed += status != STATUS_OK;
        expect_recovery();
        tear_down();
        set_up();
    }
    cr_expect(failed >= 10, "%d steps", failed);
}

Test(collect, a_power_cut_at_any_step_leaves_a_sound_site, .timeout = 120)
{
    struct collecting pass;
    enum status status = STATUS_STORAGE;
    int failed = 0;

    for (int step = 0; status != STATUS_OK && step < 100; step++) {
        failing_disk_arm(&disk, FAILING_POWER, step);
        status = pass_at(began_s + 1100, &pass);
        failed += status != STATUS_OK;
        expect_recovery();
        tear_down();
        set_up();
    }
    cr_expect(eq(int, failed, 2), "two files are removed");
}

static enum status (*real_commit)(struct store *store, struct error *err);

/* The moment the row is gone, another server takes the file that it still finds on the disk. */
static enum status commit_and_be_overtaken(struct store *store, struct error *error)
{
    const struct file_record record = {.digest = old, .size_bytes = 3, .time_s = began_s + 1100};
    CLEANUP(txn_end) struct txn txn = {0};
    bool is_new;

    TRY(real_commit(store, error));
    if (is_known(&old) || !file_store_has(files, &old))
        return STATUS_OK;
    TRY(txn_begin(&txn, witness, error));
    TRY(witness->publish->file_add(witness, &record, &is_new, error));
    return txn_commit(&txn, error);
}

/* Regression: the file went, and the other server's row stayed. */
Test(collect, a_file_that_another_server_takes_meanwhile_stays)
{
    struct collecting pass;

    real_commit = site.store->commit;
    site.store->commit = commit_and_be_overtaken;
    MUST(pass_at(began_s + 1100, &pass));
    cr_expect(is_known(&old));
    cr_expect(file_store_has(files, &old));
    expect_sound();
}

/* Regression: it went after the grace of any file, long before an inline one. */
Test(collect, an_uploaded_output_that_lost_is_kept_as_long_as_an_inline_one)
{
    struct file_record record = {
        .digest = on_disk("lost, too"), .size_bytes = 9, .time_s = began_s, .is_output = true};
    struct collecting pass = {.files = files,
                              .now_s = began_s + 1100,
                              .files_before_s = began_s + 100,
                              .outputs_before_s = began_s};
    CLEANUP(txn_end) struct txn txn = {0};
    bool is_new;

    MUST(txn_begin(&txn, site.store, &err));
    MUST(site.store->publish->file_add(site.store, &record, &is_new, &err));
    MUST(txn_commit(&txn, &err));
    MUST(pass_with(pass, &pass));
    cr_expect(file_store_has(files, &record.digest), "its own grace");
    pass = (struct collecting){.files = files,
                               .now_s = began_s + 1100,
                               .files_before_s = began_s + 100,
                               .outputs_before_s = began_s + 100};
    MUST(pass_with(pass, &pass));
    cr_expect(not(file_store_has(files, &record.digest)));
}
