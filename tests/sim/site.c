#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "db/publish.h"
#include "protocol/batch.h"
#include "tests/sim/site.h"
#include "work-units/app_version.h"
#include "work-units/freshness.h"
#include "work-units/keyring.h"
#include "work-units/trust.h"
#include "work-units/variant.h"
#include "work-units/work_unit.h"

#define YEAR_S (365 * DAY_S)

void sim_fail(const struct sim_site *site, const char *fmt, ...)
{
    va_list args;

    fprintf(stderr, "%s: seed %llu, step %lld: ", site->program, (unsigned long long)site->seed,
            (long long)site->step);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\n     replay with: tests/sim/%s --seed %llu\n", site->program,
            (unsigned long long)site->seed);
    exit(1);
}

void sim_finalize(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement);
}

sqlite3_stmt *sim_prepare(struct sim_site *site, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(site->db, sql, -1, &statement, NULL) != SQLITE_OK)
        sim_fail(site, "%s: %s", sql, sqlite3_errmsg(site->db));
    return statement;
}

int64_t sim_value(struct sim_site *site, const char *sql)
{
    CLEANUP(sim_finalize) sqlite3_stmt *row = sim_prepare(site, sql);

    if (sqlite3_step(row) != SQLITE_ROW)
        sim_fail(site, "%s gives nothing", sql);
    return sqlite3_column_int64(row, 0);
}

void sim_run(struct sim_site *site, struct command *command)
{
    engine_run(site->engine, &command, 1);
}

void sim_must(struct sim_site *site, struct command *command, const char *what)
{
    sim_run(site, command);
    if (command->status != STATUS_OK)
        sim_fail(site, "%s: %s (%s)", what, command->err.text, command->err.detail);
}

/* Wrap, sign, publish; the identity is the answer. */
static struct digest publish(struct sim_site *site, enum command_kind kind, const char *type,
                             char *payload, const struct private_key *key)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(freep) char *owned = payload;
    struct command command = {.kind = kind, .publish.envelope = &envelope};

    envelope_init(&envelope, type, owned, strlen(owned));
    if (envelope_sign(&envelope, key, NULL) != STATUS_OK)
        sim_fail(site, "cannot sign");
    sim_must(site, &command, type);
    return envelope.digest;
}

static void publish_keyring(struct sim_site *site)
{
    int64_t now_s = site->env.now_s;
    struct publisher publishers[] = {
        {.key = site->app_key.public_key, .role = ROLE_APP},
        {.key = site->work_key.public_key, .role = ROLE_WORK},
        {.key = site->fresh_key.public_key, .role = ROLE_FRESH},
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
    keyring.root.keys[0] = site->root.public_key;
    site->project =
        publish(site, COMMAND_KEYRING, KEYRING_TYPE, keyring_encode(&keyring), &site->root);
}

void sim_renew_freshness(struct sim_site *site)
{
    struct freshness freshness = {.project = site->project,
                                  .sequence = ++site->sequence,
                                  .issued_s = site->env.now_s,
                                  .expires_s = site->env.now_s + 50 * DAY_S,
                                  .keyring_version = 1,
                                  .keyring = site->project};

    site->renewed_s = site->env.now_s;
    (void)publish(site, COMMAND_FRESHNESS, FRESHNESS_TYPE, freshness_encode(&freshness),
                  &site->fresh_key);
}

static const struct limits limits = {.cores = 1,
                                     .memory_bytes = 1 << 20,
                                     .disk_bytes = 1 << 20,
                                     .output_bytes = 1 << 20,
                                     .cpu_s = 7 * DAY_S,
                                     .wall_s = 14 * DAY_S};

static void publish_app(struct sim_site *site)
{
    struct app_output output = {.name.text = SIM_OUTPUT, .max_bytes = 1 << 20};
    struct app_version app = {.project = site->project,
                              .name.text = "answer",
                              .version = 1,
                              .outputs = &output,
                              .output_count = 1,
                              .limits = limits,
                              .agreement = AGREEMENT_EXACT};
    struct digest file = digest_of("#!/bin/true\n", 12);
    struct variant_file files = {
        .name.text = "answer", .digest = file, .size = 12, .executable = true};
    struct variant variant = {.project = site->project,
                              .platform.text = "x86_64-linux-gnu",
                              .runner = RUNNER_NATIVE,
                              .class_name.text = "x86_64",
                              .entry.text = "answer",
                              .files = &files,
                              .file_count = 1};
    struct command stored = {.kind = COMMAND_FILE_STORED,
                             .file = {.digest = file, .size_bytes = 12}};

    sim_must(site, &stored, "file");
    site->app_version = publish(site, COMMAND_APP_VERSION, APP_VERSION_TYPE,
                                app_version_encode(&app), &site->app_key);
    variant.app_version = site->app_version;
    site->variant =
        publish(site, COMMAND_VARIANT, VARIANT_TYPE, variant_encode(&variant), &site->app_key);
}

struct batch_id sim_publish_batch(struct sim_site *site, const char *name)
{
    struct digest digest = digest_of(name, strlen(name));
    struct command command = {.kind = COMMAND_BATCH,
                              .batch = {.name = name, .app_version = site->app_version}};

    memcpy(command.batch.batch.bytes, digest.bytes, sizeof command.batch.batch.bytes);
    sim_must(site, &command, "batch");
    return command.batch.batch;
}

/* Units on their way to the site. */
struct slice {
    struct work_unit units[COMMAND_UNITS_MAX];
    struct command_unit records[COMMAND_UNITS_MAX];
    char *envelopes[COMMAND_UNITS_MAX]; /* owned */
    size_t count;
};

static void slice_free(struct slice **slice)
{
    for (size_t i = 0; i < (*slice)->count; i++)
        free((*slice)->envelopes[i]);
    free(*slice);
}

static void add_to_slice(const struct sim_site *site, const struct sim_units *units, int64_t index,
                         struct slice *slice)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(freep) char *payload = NULL;
    struct work_unit *unit = &slice->units[slice->count];
    struct command_unit *record = &slice->records[slice->count];

    *unit = (struct work_unit){.project = site->project,
                               .batch = units->batch,
                               .index = index,
                               .app_version = site->app_version,
                               .limits = limits,
                               .declared_ops = units->declared_ops,
                               .acceptance = {2, 2, 5, 12},
                               .independence = INDEPENDENCE_VOLUNTEER,
                               .data_class = DATA_PUBLIC,
                               .deadline_s = units->deadline_s,
                               .not_before_s = site->env.now_s,
                               .not_after_s = site->env.now_s + 300 * DAY_S,
                               .keyring_version = 1};
    (void)snprintf(unit->name.text, sizeof unit->name.text, "unit-%lld", (long long)index);
    memset(unit->seed, (int)(index & 0xff), sizeof unit->seed);
    payload = work_unit_encode(unit);
    envelope_init(&envelope, WORK_UNIT_TYPE, payload, strlen(payload));
    if (envelope_sign(&envelope, &site->work_key, NULL) != STATUS_OK)
        sim_fail(site, "cannot sign");
    slice->envelopes[slice->count] = envelope_encode(&envelope);
    *record = (struct command_unit){.unit = unit,
                                    .digest = envelope.digest,
                                    .envelope = slice->envelopes[slice->count],
                                    .envelope_length = strlen(slice->envelopes[slice->count])};
    signer_set_add(&record->signers, trust_signer_of(&site->work_key.public_key));
    slice->count++;
}

void sim_publish_units(struct sim_site *site, const struct sim_units *units)
{
    for (size_t done = 0; done < units->count;) {
        CLEANUP(slice_free) struct slice *slice = must_alloc(1, sizeof *slice);
        struct command command = {.kind = COMMAND_UNITS,
                                  .units = {.batch = units->batch, .units = slice->records}};

        while (slice->count < COMMAND_UNITS_MAX && done < units->count)
            add_to_slice(site, units, units->first + (int64_t)done++, slice);
        command.units.count = slice->count;
        sim_must(site, &command, "units");
    }
}

void sim_act(struct sim_site *site, const struct batch_id *batch, enum batch_action action)
{
    struct command command = {.kind = COMMAND_BATCH_ACTION,
                              .action = {.batch = *batch, .action = action}};

    sim_must(site, &command, "an act on a batch");
}

static void open_engine(struct sim_site *site)
{
    struct error err;

    if (engine_open(site->store, &site->env.base, &site->config, &site->engine, &err) != STATUS_OK)
        sim_fail(site, "engine: %s (%s)", err.text, err.detail);
}

static void make_site(struct sim_site *site)
{
    struct site row = {.name = "simulation", .created_s = site->env.now_s, .incarnation = 1};
    CLEANUP(txn_end) struct txn txn = {0};

    if (txn_begin(&txn, site->store, NULL) != STATUS_OK ||
        site->store->publish->site_save(site->store, &row, NULL) != STATUS_OK ||
        txn_commit(&txn, NULL) != STATUS_OK)
        sim_fail(site, "no site");
}

void sim_site_open(struct sim_site *site, const char *path)
{
    static const struct engine_config defaults = ENGINE_CONFIG_DEFAULT;
    struct error err;

    if (store_open_sqlite(path, &site->store, &err) != STATUS_OK)
        sim_fail(site, "store: %s (%s)", err.text, err.detail);
    if (sqlite3_open_v2(path, &site->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI, NULL) !=
        SQLITE_OK)
        sim_fail(site, "cannot look into the store");
    make_site(site);
    site->config = defaults;
    site->config.ignores_free_space = true;
    site->config.enrolments_per_hour = INT32_MAX;
    open_engine(site);
    private_key_generate(&site->root, &site->env.base);
    private_key_generate(&site->app_key, &site->env.base);
    private_key_generate(&site->work_key, &site->env.base);
    private_key_generate(&site->fresh_key, &site->env.base);
    publish_keyring(site);
    sim_renew_freshness(site);
    publish_app(site);
}

void sim_site_crash(struct sim_site *site)
{
    engine_close(site->engine);
    open_engine(site);
}

void sim_site_close(struct sim_site *site)
{
    engine_close(site->engine);
    store_close(site->store);
    (void)sqlite3_close(site->db);
    private_key_clear(&site->root);
    private_key_clear(&site->app_key);
    private_key_clear(&site->work_key);
    private_key_clear(&site->fresh_key);
}

/* --------------------------------------------------------------------------------------- hosts */

static struct digest account_of(int volunteer)
{
    char name[32];

    (void)snprintf(name, sizeof name, "account-%d", volunteer);
    return digest_of(name, strlen(name));
}

void sim_account(struct sim_site *site, int volunteer)
{
    struct command command = {.kind = COMMAND_ACCOUNT,
                              .account = {.key = account_of(volunteer), .name = ""}};

    sim_must(site, &command, "account");
}

void sim_enrol(struct sim_site *site, struct sim_enrolment *enrolment)
{
    struct private_key *key = enrolment->key;
    struct command command = {.kind = COMMAND_ENROL};

    private_key_clear(key);
    private_key_generate(key, &site->env.base);
    command.enrol = (struct enrol_command){.key = key->public_key,
                                           .kind = HOST_NATIVE,
                                           .prefix = enrolment->prefix,
                                           .token = digest_of(key->public_key.bytes, 32)};
    if (enrolment->volunteer >= 0)
        command.enrol.account = account_of(enrolment->volunteer);
    sim_must(site, &command, "enrolment");
    enrolment->host = command.enrol.host;
    enrolment->next_visit = command.enrol.next_visit;
}
