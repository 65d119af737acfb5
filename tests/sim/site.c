#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "db/publish.h"
#include "protocol/batch.h"
#include "tests/sim/sim.h"
#include "work-units/app_version.h"
#include "work-units/freshness.h"
#include "work-units/keyring.h"
#include "work-units/variant.h"
#include "work-units/work_unit.h"

#define YEAR_S (365 * DAY_S)

void sim_run(struct sim *sim, struct command *command)
{
    engine_run(sim->engine, &command, 1);
}

static void must(struct sim *sim, struct command *command, const char *what)
{
    sim_run(sim, command);
    if (command->status != STATUS_OK)
        sim_fail(sim, "%s: %s (%s)", what, command->err.text, command->err.detail);
}

/* Wrap, sign, publish; the identity is the answer. */
static struct digest publish(struct sim *sim, enum command_kind kind, const char *type,
                             char *payload, const struct private_key *key)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(freep) char *owned = payload;
    struct command command = {.kind = kind, .publish.envelope = &envelope};

    envelope_init(&envelope, type, owned, strlen(owned));
    if (envelope_sign(&envelope, key, NULL) != STATUS_OK)
        sim_fail(sim, "cannot sign");
    must(sim, &command, type);
    return envelope.digest;
}

static void publish_keyring(struct sim *sim)
{
    int64_t now_s = sim->env.now_s;
    struct publisher publishers[] = {
        {.key = sim->app_key.public_key, .role = ROLE_APP},
        {.key = sim->work_key.public_key, .role = ROLE_WORK},
        {.key = sim->fresh_key.public_key, .role = ROLE_FRESH},
    };
    struct keyring keyring = {.version = 1,
                              .project = "simulation",
                              .issued_s = now_s,
                              .expires_s = now_s + YEAR_S,
                              .root = {.threshold = 1, .key_count = 1},
                              .publishers = publishers,
                              .publisher_count = 3};

    for (size_t i = 0; i < 3; i++) {
        publishers[i].not_before_s = now_s;
        publishers[i].not_after_s = now_s + YEAR_S;
    }
    keyring.root.keys[0] = sim->root.public_key;
    sim->project =
        publish(sim, COMMAND_KEYRING, KEYRING_TYPE, keyring_encode(&keyring), &sim->root);
}

void sim_renew_freshness(struct sim *sim)
{
    struct freshness freshness = {.project = sim->project,
                                  .sequence = ++sim->sequence,
                                  .issued_s = sim->env.now_s,
                                  .expires_s = sim->env.now_s + 50 * DAY_S,
                                  .keyring_version = 1,
                                  .keyring = sim->project};

    (void)publish(sim, COMMAND_FRESHNESS, FRESHNESS_TYPE, freshness_encode(&freshness),
                  &sim->fresh_key);
}

static const struct limits limits = {.cores = 1,
                                     .memory_bytes = 1 << 20,
                                     .disk_bytes = 1 << 20,
                                     .output_bytes = 1 << 20,
                                     .cpu_s = 3600,
                                     .wall_s = 7200};

static void publish_app(struct sim *sim)
{
    struct app_output output = {.name.text = SIM_OUTPUT, .max_bytes = 1 << 20};
    struct app_version app = {.project = sim->project,
                              .name.text = "answer",
                              .version = 1,
                              .outputs = &output,
                              .output_count = 1,
                              .limits = limits,
                              .agreement = AGREEMENT_EXACT};
    struct digest file = digest_of("#!/bin/true\n", 12);
    struct variant_file files = {
        .name.text = "answer", .digest = file, .size = 12, .executable = true};
    struct variant variant = {.project = sim->project,
                              .platform.text = "x86_64-linux-gnu",
                              .runner = RUNNER_NATIVE,
                              .class_name.text = "x86_64",
                              .entry.text = "answer",
                              .files = &files,
                              .file_count = 1};
    struct command stored = {.kind = COMMAND_FILE_STORED,
                             .file = {.digest = file, .size_bytes = 12}};

    must(sim, &stored, "file");
    sim->app_version = publish(sim, COMMAND_APP_VERSION, APP_VERSION_TYPE, app_version_encode(&app),
                               &sim->app_key);
    variant.app_version = sim->app_version;
    sim->variant =
        publish(sim, COMMAND_VARIANT, VARIANT_TYPE, variant_encode(&variant), &sim->app_key);
}

static void publish_batch(struct sim *sim)
{
    struct command command = {.kind = COMMAND_BATCH,
                              .batch = {.name = "answers", .app_version = sim->app_version}};

    memset(sim->batch.bytes, 0x5a, sizeof sim->batch.bytes);
    command.batch.batch = sim->batch;
    must(sim, &command, "batch");
}

static void publish_unit(struct sim *sim, int64_t index)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(freep) char *payload = NULL;
    CLEANUP(freep) char *json = NULL;
    struct work_unit unit = {.project = sim->project,
                             .batch = sim->batch,
                             .index = index,
                             .app_version = sim->app_version,
                             .limits = limits,
                             .declared_ops = 100,
                             .acceptance = {2, 2, 5, 12},
                             .independence = INDEPENDENCE_VOLUNTEER,
                             .data_class = DATA_PUBLIC,
                             .deadline_s = 12 * 3600,
                             .not_before_s = sim->env.now_s,
                             .not_after_s = sim->env.now_s + 300 * DAY_S,
                             .keyring_version = 1};
    struct command_unit record = {.unit = &unit};
    struct command command = {.kind = COMMAND_UNITS,
                              .units = {.batch = sim->batch, .units = &record, .count = 1}};

    (void)snprintf(unit.name.text, sizeof unit.name.text, "unit-%lld", (long long)index);
    memset(unit.seed, (int)(index & 0xff), sizeof unit.seed);
    payload = work_unit_encode(&unit);
    envelope_init(&envelope, WORK_UNIT_TYPE, payload, strlen(payload));
    if (envelope_sign(&envelope, &sim->work_key, NULL) != STATUS_OK)
        sim_fail(sim, "cannot sign");
    json = envelope_encode(&envelope);
    record.digest = envelope.digest;
    record.envelope = json;
    record.envelope_length = strlen(json);
    must(sim, &command, "unit");
}

void sim_publish_units(struct sim *sim, size_t count)
{
    for (size_t i = 0; i < count && sim->units_published < SIM_UNITS; i++)
        publish_unit(sim, (int64_t)sim->units_published++);
}

void sim_close_batch(struct sim *sim)
{
    struct command command = {.kind = COMMAND_BATCH_ACTION,
                              .action = {.batch = sim->batch, .action = ACTION_CLOSE}};

    must(sim, &command, "close");
}

static void open_engine(struct sim *sim)
{
    static const struct engine_config defaults = ENGINE_CONFIG_DEFAULT;
    static struct engine_config config;
    struct error err;

    config = defaults;
    config.ignores_free_space = true;
    config.enrolments_per_hour = SIM_HOSTS;
    if (engine_open(sim->store, &sim->env.base, &config, &sim->engine, &err) != STATUS_OK)
        sim_fail(sim, "engine: %s (%s)", err.text, err.detail);
}

static void make_site(struct sim *sim)
{
    struct site site = {.name = "simulation", .created_s = sim->env.now_s, .incarnation = 1};
    CLEANUP(txn_end) struct txn txn = {0};

    if (txn_begin(&txn, sim->store, NULL) != STATUS_OK ||
        sim->store->publish->site_save(sim->store, &site, NULL) != STATUS_OK ||
        txn_commit(&txn, NULL) != STATUS_OK)
        sim_fail(sim, "no site");
}

void sim_site_open(struct sim *sim, const char *path)
{
    struct error err;

    if (store_open_sqlite(path, &sim->store, &err) != STATUS_OK)
        sim_fail(sim, "store: %s (%s)", err.text, err.detail);
    if (sqlite3_open_v2(path, &sim->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL) != SQLITE_OK)
        sim_fail(sim, "cannot look into the store");
    make_site(sim);
    open_engine(sim);
    private_key_generate(&sim->root, &sim->env.base);
    private_key_generate(&sim->app_key, &sim->env.base);
    private_key_generate(&sim->work_key, &sim->env.base);
    private_key_generate(&sim->fresh_key, &sim->env.base);
    publish_keyring(sim);
    sim_renew_freshness(sim);
    publish_app(sim);
    publish_batch(sim);
}

void sim_site_crash(struct sim *sim)
{
    engine_close(sim->engine);
    open_engine(sim);
}

void sim_site_close(struct sim *sim)
{
    engine_close(sim->engine);
    store_close(sim->store);
    (void)sqlite3_close(sim->db);
    private_key_clear(&sim->root);
    private_key_clear(&sim->app_key);
    private_key_clear(&sim->work_key);
    private_key_clear(&sim->fresh_key);
}
