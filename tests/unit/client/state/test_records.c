/* client/state: small files are exactly what they should be, or put aside. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "client/state/project_files.h"
#include "common/base/log.h"
#include "common/env/real.h"
#include "tests/support/ending.h"
#include "tests/support/failing_disk.h"
#include "tests/support/fake_env.h"

static char path[64];
static struct fake_env env;
static struct data_folder folder;
static struct project_files files;
static struct error err;

static void set_up(void)
{
    const struct digest project = {{1}};

    log_init(NULL, LOG_ERROR, 2);
    (void)strcpy(path, "/tmp/dugnad-state-XXXXXX");
    cr_assert(mkdtemp(path) != NULL);
    fake_env_init(&env, 1);
    cr_assert(eq(int, data_folder_open(&env.base, path, &folder, &err), STATUS_OK));
    cr_assert(eq(int, project_files_init(&files, &folder, &project, &err), STATUS_OK));
    cr_assert(eq(int, project_files_make(&files, &err), STATUS_OK));
}

static void tear_down(void)
{
    struct disk *disk = disk_real();

    data_folder_close(&folder);
    END_MUST(disk->remove_tree(disk, path, NULL) == STATUS_OK);
}

TestSuite(state, .init = set_up, .fini = tear_down);

static struct task_record finished(void)
{
    struct task_record record = {
        .task = 12,
        .unit = {{2}},
        .app_version = {{3}},
        .variant = {{4}},
        .deadline_s = 1800000000,
        .phase = PHASE_FINISHED,
        .starts = 2,
        .outcome = VISIT_DONE,
        .report = {.task = 12, .has_exit_status = true, .cpu_ms = 7, .why = "fine"},
        .finished_s = 1700000000,
        .upload_url = "https://grid.example/v1/uploads/7",
        .verdict = VERDICT_ACCEPTED,
        .verdict_visit = 7,
        .credit = 99,
    };

    record.outputs.outputs = must_alloc(1, sizeof *record.outputs.outputs);
    record.outputs.outputs[0] = (struct named_output){.name = {"out"}, .digest = {{5}}, .size = 3};
    record.outputs.count = 1;
    texts_add(&record.wanted, "out");
    return record;
}

Test(state, a_task_is_read_as_it_was_written)
{
    CLEANUP(task_record_clear) struct task_record record = finished();
    CLEANUP(task_record_clear) struct task_record again = {.task = 0};

    cr_assert(eq(int, save_task_record(&files, &record, &err), STATUS_OK));
    cr_assert(eq(int, load_task_record(&files, 12, &again, &err), STATUS_OK), "%s", err.text);
    cr_expect(eq(int, again.phase, PHASE_FINISHED));
    cr_expect(eq(int, again.outcome, VISIT_DONE));
    cr_expect(eq(str, again.outputs.outputs[0].name.text, "out"));
    cr_expect(eq(str, again.wanted.texts[0], "out"));
    cr_expect(eq(str, again.report.why, "fine"));
    cr_expect(eq(str, again.upload_url, "https://grid.example/v1/uploads/7"));
    cr_expect(eq(int, again.verdict, VERDICT_ACCEPTED));
    cr_expect(eq(i64, again.verdict_visit, 7));
    cr_expect(eq(i64, again.credit, 99));
}

Test(state, a_corrupted_file_is_put_aside_and_the_others_go_on)
{
    CLEANUP(task_record_clear) struct task_record record = finished();
    CLEANUP(disk_names_clear) struct disk_names aside = {0};
    struct disk *disk = disk_real();
    struct disk_path file, where;

    cr_assert(eq(int, project_files_join(&files, &file, &err, "tasks/12.json"), STATUS_OK));
    cr_assert(eq(int, disk->write(disk, file.text, "{\"task\":12", 10, 0600, &err), STATUS_OK));
    cr_expect(eq(int, load_task_record(&files, 12, &record, &err), STATUS_NOT_FOUND));
    cr_expect(not(disk_has(disk, file.text)));
    cr_assert(eq(int, data_folder_join(&folder, &where, &err, "aside"), STATUS_OK));
    cr_assert(eq(int, disk->list(disk, where.text, &aside, &err), STATUS_OK));
    cr_expect(eq(sz, aside.count, 1));
    cr_expect(strstr(aside.names[0], "12.json") != NULL);
}

Test(state, a_record_under_another_tasks_name_is_none)
{
    CLEANUP(task_record_clear) struct task_record record = finished();
    CLEANUP(task_record_clear) struct task_record again = {.task = 0};
    struct disk *disk = disk_real();
    struct disk_path from, to;

    cr_assert(eq(int, save_task_record(&files, &record, &err), STATUS_OK));
    cr_assert(eq(int, project_files_join(&files, &from, &err, "tasks/12.json"), STATUS_OK));
    cr_assert(eq(int, project_files_join(&files, &to, &err, "tasks/13.json"), STATUS_OK));
    cr_assert(eq(int, disk->rename(disk, from.text, to.text, &err), STATUS_OK));
    cr_expect(eq(int, load_task_record(&files, 13, &again, &err), STATUS_NOT_FOUND));
}

Test(state, an_envelope_under_another_digest_is_none)
{
    CLEANUP(envelope_clear) struct envelope loaded = {.type = ""};
    const struct digest other = {{9}};
    struct disk *disk = disk_real();
    struct disk_path file;
    char hex[2 * DIGEST_BYTES + 1];

    text_from_bytes(other.bytes, DIGEST_BYTES, hex);
    cr_assert(eq(int, project_files_join(&files, &file, &err, "envelopes/%s", hex), STATUS_OK));
    cr_assert(eq(int, disk->write(disk, file.text, "{}", 2, 0600, &err), STATUS_OK));
    cr_expect(eq(int, load_envelope(&files, &other, &loaded, &err), STATUS_NOT_FOUND));
}

Test(state, a_second_daemon_is_refused_in_words)
{
    struct data_folder second = {.env = NULL};

    cr_expect(eq(int, data_folder_open(&env.base, path, &second, &err), STATUS_BUSY));
    cr_expect(strstr(err.text, "another dugnad-client") != NULL);
}

/* Regression: each of hundreds of tries synced a disk that was slow anyway. */
Test(state, who_waits_for_the_folder_changes_nothing_in_it)
{
    struct data_folder second = {.env = NULL};
    struct failing_disk disk;

    failing_disk_init(&disk, env.base.disk);
    failing_disk_arm(&disk, FAILING_POWER, 0);
    env.base.disk = &disk.base;
    cr_expect(eq(int, data_folder_open(&env.base, path, &second, &err), STATUS_BUSY), "%s",
              err.text);
    env.base.disk = disk.real;
    cr_expect(eq(i64, disk.syncs, 0));
}

Test(state, what_is_missing_is_made_under_the_lock)
{
    struct disk_path part;

    cr_assert(eq(int, data_folder_join(&folder, &part, &err, "aside"), STATUS_OK));
    data_folder_close(&folder);
    cr_assert(eq(int, disk_real()->remove_tree(disk_real(), part.text, &err), STATUS_OK));
    cr_assert(eq(int, data_folder_open(&env.base, path, &folder, &err), STATUS_OK));
    cr_expect(disk_has(disk_real(), part.text));
}

Test(state, what_is_not_exactly_a_record_is_refused)
{
    static const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "{\"visit\":1}",
        "{\"visit\":0,\"body\":\"x\"}",
        "{\"visit\":1,\"body\":\"x\",\"more\":1}",
        "{\"visit\":1,\"visit\":2,\"body\":\"x\"}",
        "{\"visit\":1.5,\"body\":\"x\"}",
    };
    struct visit_record record = {.number = 7};

    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        cr_expect(eq(int, visit_record_decode(bodies[i], strlen(bodies[i]), &record, &err),
                     STATUS_INVALID),
                  "%s", bodies[i]);
    cr_expect(eq(i64, record.number, 7));
}

/* What a program renamed its own folder to, or put beside it, lay there for ever. */
Test(state, strays_among_the_slots_are_removed)
{
    static const char *const strays[] = {"12.moved", "13", "012", "+12", ".hidden"};
    const int64_t tasks[] = {7, 12};
    struct disk *disk = folder.env->disk;
    struct disk_path place;
    size_t count;

    for (size_t i = 0; i < sizeof strays / sizeof *strays; i++) {
        cr_assert(eq(int, project_files_join(&files, &place, &err, "slots/%s/in", strays[i]), 0));
        cr_assert(eq(int, disk_make_folders(disk, place.text, 0700, &err), STATUS_OK));
    }
    cr_assert(eq(int, project_files_join(&files, &place, &err, "slots/12/in"), STATUS_OK));
    cr_assert(eq(int, disk_make_folders(disk, place.text, 0700, &err), STATUS_OK));
    cr_expect(eq(int, remove_strays(&files, tasks, 2, &count, &err), STATUS_OK), "%s", err.text);
    cr_expect(eq(sz, count, sizeof strays / sizeof *strays));
    cr_expect(disk_has(disk, place.text));
    cr_expect(eq(int, remove_strays(&files, tasks, 2, &count, &err), STATUS_OK));
    cr_expect(eq(sz, count, 0));
}
