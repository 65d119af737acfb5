/* operator/result_check: what `fetch` believes, and each thing it refuses. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "operator/result_check.h"
#include "protocol/visit.h"
#include "tests/support/messages.h"

#define BODY "hello"

/* A result as an honest server shows it: two hosts of two volunteers, one output. */
static struct {
    struct app_version app;
    struct app_output outputs[2];
    struct result_ground ground;
    struct work_unit unit;
    struct digest listed;
    struct result_line line;
    struct visit visits[3];
    struct visit_task finished[3];
    struct named_output said[3];
} world;

static void name_file(struct file_name *name, const char *text)
{
    cr_assert(text_fit(name->text, sizeof name->text, text));
}

static void make_app(void)
{
    world.outputs[0] = (struct app_output){.max_bytes = 100};
    name_file(&world.outputs[0].name, "out");
    world.app = (struct app_version){.outputs = world.outputs, .output_count = 1};
    cr_assert(digest_parse(DIGEST_A, &world.ground.project));
    cr_assert(digest_parse(DIGEST_B, &world.ground.app_version));
    cr_assert(batch_parse(BATCH_A, &world.ground.batch));
    world.ground.app = &world.app;
}

static void make_unit(void)
{
    world.unit = (struct work_unit){
        .project = world.ground.project,
        .batch = world.ground.batch,
        .index = 7,
        .app_version = world.ground.app_version,
        .limits = {1, 1 << 20, 1 << 20, 1000, 60, 60},
        .acceptance = {.quorum = 2, .copies = 2, .max_failures = 5, .max_tasks = 10},
        .independence = INDEPENDENCE_VOLUNTEER,
        .data_class = DATA_PUBLIC,
        .deadline_s = 3600,
        .not_before_s = 1700000000,
        .not_after_s = 1700090000,
        .keyring_version = 1,
    };
    name_file(&world.unit.name, "u7");
}

/* Sign the manifest as it stands; the line and our list name it. */
static void show_manifest(void)
{
    CLEANUP(freep) char *payload = work_unit_encode(&world.unit);

    world.listed = envelope_identity(WORK_UNIT_TYPE, payload, strlen(payload));
    world.line.unit = world.listed;
    world.line.name = world.unit.name;
    world.line.index = world.unit.index;
    free(world.line.manifest);
    world.line.manifest = test_envelope_text(WORK_UNIT_TYPE, payload, 9);
}

static void make_visit(size_t i)
{
    world.said[i] = world.line.outputs[0].output;
    world.finished[i] = (struct visit_task){
        .task = world.line.tasks[i].task,
        .unit = world.line.unit,
        .outcome = VISIT_DONE,
        .outputs = {.outputs = &world.said[i], .count = 1},
    };
    world.visits[i] = (struct visit){.project = world.ground.project,
                                     .number = 3,
                                     .finished_count = 1,
                                     .finished = &world.finished[i]};
}

/* The visit as it stands, signed by test key `key`. */
static void show_visit(size_t i, unsigned key)
{
    CLEANUP(freep) char *payload = visit_encode(&world.visits[i]);

    free(world.line.tasks[i].statement);
    world.line.tasks[i].statement = test_envelope_text(VISIT_TYPE, payload, key);
}

static void set_up(void)
{
    struct private_key key;

    memset(&world, 0, sizeof world);
    make_app();
    make_unit();
    show_manifest();
    world.line.state = RESULT_ACCEPTED;
    world.line.outputs = must_alloc(2, sizeof *world.line.outputs);
    world.line.output_count = 1;
    name_file(&world.line.outputs[0].output.name, "out");
    world.line.outputs[0].output.digest = digest_of(BODY, strlen(BODY));
    world.line.outputs[0].output.size = (int64_t)strlen(BODY);
    world.line.outputs[0].is_inline = true;
    world.line.outputs[0].body = (struct bytes){text_copy(BODY), strlen(BODY)};
    world.line.tasks = must_alloc(3, sizeof *world.line.tasks);
    world.line.task_count = 2;
    for (size_t i = 0; i < 3; i++) {
        key = test_key((unsigned)i);
        world.line.tasks[i].task = 100 + (int64_t)i;
        world.line.tasks[i].host = key.public_key;
        world.line.tasks[i].volunteer = 10 + (int64_t)i;
        private_key_clear(&key);
        make_visit(i);
        show_visit(i, (unsigned)i);
    }
}

static void tear_down(void)
{
    free(world.line.tasks[2].statement);
    result_line_clear(&world.line);
}

TestSuite(result_check, .init = set_up, .fini = tear_down);

static void expect_taken(void)
{
    struct error err = {0};

    cr_expect(eq(int, result_check(&world.line, &world.ground, &world.listed, &err), STATUS_OK),
              "%s", err.text);
}

static void expect_refused_as(const char *code)
{
    struct error err = {0};

    cr_expect(
        eq(int, result_check(&world.line, &world.ground, &world.listed, &err), STATUS_UNTRUSTED));
    cr_assert(err.code != NULL);
    cr_expect(eq(str, (char *)err.code, (char *)code), "%s", err.text);
}

Test(result_check, an_honest_result_is_taken)
{
    expect_taken();
}

Test(result_check, a_unit_that_we_did_not_list_is_refused)
{
    world.listed.bytes[0] ^= 1;
    expect_refused_as(RESULT_FOREIGN_UNIT);
    world.listed = (struct digest){0};
    expect_refused_as(RESULT_FOREIGN_UNIT);
}

Test(result_check, a_failed_unit_that_we_did_not_list_is_refused_too)
{
    world.line.state = RESULT_FAILED;
    expect_taken();
    world.listed = (struct digest){0};
    expect_refused_as(RESULT_FOREIGN_UNIT);
}

Test(result_check, another_manifest_is_refused)
{
    struct digest listed = world.listed;

    world.unit.acceptance.quorum = 1; /* a weaker rule than was signed */
    show_manifest();
    world.line.unit = world.listed = listed;
    expect_refused_as(RESULT_OTHER_MANIFEST);
}

Test(result_check, another_name_or_number_is_refused)
{
    name_file(&world.line.name, "u8");
    expect_refused_as(RESULT_OTHER_MANIFEST);
    name_file(&world.line.name, "u7");
    world.line.index = 8;
    expect_refused_as(RESULT_OTHER_MANIFEST);
}

Test(result_check, a_unit_of_another_batch_is_refused)
{
    world.ground.batch.bytes[0] ^= 1;
    expect_refused_as(RESULT_OTHER_MANIFEST);
}

Test(result_check, outputs_that_were_not_signed_for_are_refused)
{
    name_file(&world.line.outputs[0].output.name, "other");
    expect_refused_as(RESULT_WRONG_OUTPUTS);
}

Test(result_check, a_missing_output_is_refused)
{
    world.outputs[1] = (struct app_output){.max_bytes = 100};
    name_file(&world.outputs[1].name, "log");
    world.app.output_count = 2;
    expect_refused_as(RESULT_WRONG_OUTPUTS);
}

Test(result_check, an_output_larger_than_signed_is_refused)
{
    world.outputs[0].max_bytes = (int64_t)strlen(BODY) - 1;
    expect_refused_as(RESULT_WRONG_OUTPUTS);
    world.outputs[0].max_bytes = 100;
    world.unit.limits.output_bytes = (int64_t)strlen(BODY) - 1;
    show_manifest();
    expect_refused_as(RESULT_WRONG_OUTPUTS);
}

Test(result_check, fewer_tasks_than_the_quorum_are_refused)
{
    world.line.task_count = 1;
    expect_refused_as(RESULT_TOO_FEW);
    world.line.task_count = 0;
    expect_refused_as(RESULT_TOO_FEW);
    world.line.task_count = 3;
    expect_taken();
    world.line.task_count = 2;
}

Test(result_check, one_host_does_not_count_twice)
{
    world.line.tasks[1].host = world.line.tasks[0].host;
    show_visit(1, 0);
    expect_refused_as(RESULT_SAME_HOST);
}

Test(result_check, one_task_does_not_count_twice)
{
    world.line.tasks[1].task = world.line.tasks[0].task;
    expect_refused_as(RESULT_SAME_HOST);
}

Test(result_check, one_volunteer_does_not_count_twice_unless_signed_so)
{
    world.line.tasks[1].volunteer = world.line.tasks[0].volunteer;
    expect_refused_as(RESULT_SAME_VOLUNTEER);
    world.unit.independence = INDEPENDENCE_HOST;
    show_manifest();
    for (size_t i = 0; i < 2; i++) {
        make_visit(i);
        show_visit(i, (unsigned)i);
    }
    expect_taken();
}

Test(result_check, a_visit_that_its_host_did_not_sign_is_refused)
{
    show_visit(1, 2);
    expect_refused_as(RESULT_BAD_SIGNATURE);
}

Test(result_check, a_visit_of_another_project_is_refused)
{
    world.visits[1].project.bytes[0] ^= 1;
    show_visit(1, 1);
    expect_refused_as(RESULT_OTHER_VISIT);
}

Test(result_check, a_visit_without_the_task_is_refused)
{
    world.finished[1].task++;
    show_visit(1, 1);
    expect_refused_as(RESULT_OTHER_VISIT);
}

Test(result_check, a_visit_about_another_unit_is_refused)
{
    world.finished[1].unit.bytes[0] ^= 1;
    show_visit(1, 1);
    expect_refused_as(RESULT_OTHER_VISIT);
}

Test(result_check, a_visit_that_reports_a_failure_is_refused)
{
    world.finished[1].outcome = VISIT_ERROR;
    world.finished[1].outputs.count = 0;
    show_visit(1, 1);
    expect_refused_as(RESULT_OTHER_VISIT);
}

Test(result_check, a_visit_with_another_digest_or_size_is_refused)
{
    world.said[1].digest.bytes[0] ^= 1;
    show_visit(1, 1);
    expect_refused_as(RESULT_OTHER_OUTPUTS);
    make_visit(1);
    world.said[1].size++;
    show_visit(1, 1);
    expect_refused_as(RESULT_OTHER_OUTPUTS);
}

Test(result_check, bytes_that_are_not_of_the_digest_are_refused)
{
    world.line.outputs[0].body.bytes[0] ^= 1;
    expect_refused_as(RESULT_WRONG_BODY);
}
