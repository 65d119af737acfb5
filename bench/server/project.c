#include "bench/server/project.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/env.h"
#include "common/base/text.h"
#include "work-units/app_version.h"
#include "work-units/freshness.h"
#include "work-units/keyring.h"
#include "work-units/variant.h"

#define PLATFORM "x86_64-linux-gnu"
#define VALID_S  (30 * DAY_S)
#define INPUT    "from %" PRId64 "\n"

static struct envelope seal(const char *type, const char *payload, const struct private_key *key)
{
    struct envelope envelope;

    envelope_init(&envelope, type, payload, strlen(payload));
    if (envelope_sign(&envelope, key, NULL) != STATUS_OK)
        abort();
    return envelope;
}

static struct publisher publisher_of(const struct bench_project *project,
                                     const struct private_key *key, enum publisher_role role)
{
    return (struct publisher){.key = key->public_key,
                              .role = role,
                              .not_before_s = project->now_s - DAY_S,
                              .not_after_s = project->now_s + 300 * DAY_S};
}

static void make_keyring(struct bench_project *project, const char *url)
{
    CLEANUP(keyring_clear)
    struct keyring keyring = {.version = 1,
                              .project = "bench",
                              .issued_s = project->now_s - DAY_S,
                              .expires_s = project->now_s + 300 * DAY_S,
                              .root = {.threshold = 1, .key_count = 1},
                              .publishers = must_alloc(3, sizeof *keyring.publishers),
                              .publisher_count = 3};
    CLEANUP(freep) char *payload = NULL;

    keyring.root.keys[0] = project->root.public_key;
    keyring.publishers[0] = publisher_of(project, &project->app, ROLE_APP);
    keyring.publishers[1] = publisher_of(project, &project->work, ROLE_WORK);
    keyring.publishers[2] = publisher_of(project, &project->fresh, ROLE_FRESH);
    texts_add(&keyring.urls, url);
    payload = keyring_encode(&keyring);
    project->keyring = seal(KEYRING_TYPE, payload, &project->root);
}

static void make_freshness(struct bench_project *project)
{
    struct freshness freshness = {.project = project->keyring.digest,
                                  .sequence = 1,
                                  .issued_s = project->now_s,
                                  .expires_s = project->now_s + 14 * DAY_S,
                                  .keyring_version = 1,
                                  .keyring = project->keyring.digest};
    CLEANUP(freep) char *payload = freshness_encode(&freshness);

    project->freshness = seal(FRESHNESS_TYPE, payload, &project->fresh);
}

static void make_app_version(struct bench_project *project, int64_t output_bytes)
{
    struct app_output output = {.name = {"stdout"}, .max_bytes = output_bytes};
    struct app_version app = {.project = project->keyring.digest,
                              .name = {"bench"},
                              .version = 1,
                              .outputs = &output,
                              .output_count = 1,
                              .stdout_name = {"stdout"},
                              .limits = project->limits,
                              .agreement = AGREEMENT_EXACT};
    CLEANUP(freep) char *payload = app_version_encode(&app);

    project->app_version = seal(APP_VERSION_TYPE, payload, &project->app);
}

static void make_variant(struct bench_project *project)
{
    struct variant_file file = {.name = {"bench"},
                                .digest = project->file,
                                .size = sizeof BENCH_PROGRAM - 1,
                                .executable = true};
    struct variant variant = {.project = project->keyring.digest,
                              .app_version = project->app_version.digest,
                              .platform = {PLATFORM},
                              .runner = RUNNER_NATIVE,
                              .class_name = {PLATFORM},
                              .entry = {"bench"},
                              .files = &file,
                              .file_count = 1};
    CLEANUP(freep) char *payload = variant_encode(&variant);

    project->variant = seal(VARIANT_TYPE, payload, &project->app);
}

void bench_project_make(struct bench_project *ret_project, struct env *env, const char *url,
                        int64_t output_bytes)
{
    struct bench_project *project = ret_project;

    *project = (struct bench_project){.now_s = env->now_s(env),
                                      .file = digest_of(BENCH_PROGRAM, sizeof BENCH_PROGRAM - 1),
                                      .limits = {.cores = 1,
                                                 .memory_bytes = 1 << 26,
                                                 .disk_bytes = INT64_C(1) << 30,
                                                 .output_bytes = output_bytes,
                                                 .cpu_s = 3600,
                                                 .wall_s = 7200}};
    private_key_generate(&project->root, env);
    private_key_generate(&project->app, env);
    private_key_generate(&project->work, env);
    private_key_generate(&project->fresh, env);
    env->random(env, project->batch.bytes, sizeof project->batch.bytes);
    make_keyring(project, url);
    make_freshness(project);
    make_app_version(project, output_bytes);
    make_variant(project);
}

void bench_project_clear(struct bench_project *project)
{
    private_key_clear(&project->root);
    private_key_clear(&project->app);
    private_key_clear(&project->work);
    private_key_clear(&project->fresh);
    envelope_clear(&project->keyring);
    envelope_clear(&project->freshness);
    envelope_clear(&project->app_version);
    envelope_clear(&project->variant);
}

static void add_input(struct work_unit *unit)
{
    struct work_input *input = must_alloc(1, sizeof *input);

    (void)text_fit(input->name.text, sizeof input->name.text, "input");
    input->is_inline = true;
    input->bytes = text_format(INPUT, unit->index);
    input->size = (int64_t)strlen(input->bytes);
    input->digest = digest_of(input->bytes, (size_t)input->size);
    unit->inputs = input;
    unit->input_count = 1;
}

void bench_project_unit(const struct bench_project *project, int64_t index,
                        struct work_unit *ret_unit, struct envelope *ret_envelope)
{
    CLEANUP(freep) char *payload = NULL;

    *ret_unit = (struct work_unit){
        .project = project->keyring.digest,
        .batch = project->batch,
        .index = index,
        .app_version = project->app_version.digest,
        .limits = project->limits,
        .declared_ops = 1000000,
        .acceptance = {.quorum = 2, .copies = 2, .max_failures = 5, .max_tasks = 10},
        .independence = INDEPENDENCE_VOLUNTEER,
        .data_class = DATA_PUBLIC,
        .deadline_s = 7 * DAY_S,
        .not_before_s = project->now_s - DAY_S,
        .not_after_s = project->now_s + VALID_S,
        .keyring_version = 1,
    };
    (void)snprintf(ret_unit->name.text, sizeof ret_unit->name.text, "u%" PRId64, index);
    memcpy(ret_unit->seed, &index, sizeof index);
    add_input(ret_unit);
    texts_add(&ret_unit->arguments, ret_unit->name.text);
    payload = work_unit_encode(ret_unit);
    *ret_envelope = seal(WORK_UNIT_TYPE, payload, &project->work);
}
