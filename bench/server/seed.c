#include "bench/server/seed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/crew.h"
#include "bench/server/project.h"
#include "common/base/env.h"
#include "common/base/text.h"
#include "db/store.h"
#include "server/engine/engine.h"
#include "server/files/store.h"
#include "server/site/config.h"
#include "server/site/folder.h"
#include "server/site/tokens.h"
#include "work-units/trust.h"

#define SLICE      COMMAND_UNITS_MAX
#define SLICES     16                  /* of one transaction */
#define AT_ONCE    ENGINE_COMMANDS_MAX /* hosts of one transaction */
#define TICK_MS    1000
#define BATCH_NAME "bench"
#define PREFIX     "127.0.0.0/24"

struct seeding {
    struct env *env;
    const struct seed_wish *wish;
    struct store *store;   /* owned */
    struct engine *engine; /* owned */
    struct bench_project project;
    struct crew_file crew;
    int64_t ticked_ms; /* monotonic */
};

static void seeding_clear(struct seeding *seeding)
{
    engine_close(seeding->engine);
    store_close(seeding->store);
    bench_project_clear(&seeding->project);
    crew_file_clear(&seeding->crew);
}

/* As a server does: whoever does not is taken for one that went. */
static void tick(struct seeding *seeding)
{
    int64_t now_ms = seeding->env->now_mono_ms(seeding->env);

    if (now_ms - seeding->ticked_ms < TICK_MS)
        return;
    engine_tick(seeding->engine);
    seeding->ticked_ms = now_ms;
}

/* Those of a cycle; the first failure counts. */
static enum status run(struct seeding *seeding, struct command *commands, size_t count,
                       struct error *err)
{
    struct command *list[ENGINE_COMMANDS_MAX];

    for (size_t i = 0; i < count; i++)
        list[i] = &commands[i];
    tick(seeding);
    engine_run(seeding->engine, list, count);
    for (size_t i = 0; i < count; i++) {
        if (commands[i].status != STATUS_OK && err != NULL)
            *err = commands[i].err;
        TRY(commands[i].status);
    }
    return STATUS_OK;
}

static enum status publish(struct seeding *seeding, enum command_kind kind,
                           const struct envelope *envelope, struct error *err)
{
    struct command command = {.kind = kind, .publish = {.envelope = envelope}};

    return run(seeding, &command, 1, err);
}

/* As a whole site has it: file and folders, too. */
static enum status store_program(struct seeding *seeding, struct error *err)
{
    struct env *env = seeding->env;
    CLEANUP(file_store_closep) struct file_store *files = NULL;
    CLEANUP(file_writer_abandonp) struct file_writer *writer = NULL;
    size_t length = strlen(BENCH_PROGRAM);
    struct disk_path path;

    TRY(site_path(seeding->wish->site, "files/uploads", &path, err));
    TRY(disk_make_folders(env->disk, path.text, 0700, err));
    TRY(site_path(seeding->wish->site, "files", &path, err));
    TRY(file_store_open_folder(env, path.text, 1, &files, err));
    TRY(files->begin(files, (int64_t)length, &writer, err));
    TRY(files->add(writer, BENCH_PROGRAM, length, err));
    return files->finish(TAKE(writer), &seeding->project.file, NULL, err);
}

static enum status publish_all(struct seeding *seeding, struct error *err)
{
    struct bench_project *project = &seeding->project;
    struct command file = {.kind = COMMAND_FILE_STORED, .file = {.digest = project->file}};
    struct command batch = {.kind = COMMAND_BATCH,
                            .batch = {.batch = project->batch, .name = BATCH_NAME}};

    file.file.size_bytes = (int64_t)strlen(BENCH_PROGRAM);
    TRY(store_program(seeding, err));
    TRY(publish(seeding, COMMAND_KEYRING, &project->keyring, err));
    TRY(publish(seeding, COMMAND_FRESHNESS, &project->freshness, err));
    TRY(run(seeding, &file, 1, err));
    TRY(publish(seeding, COMMAND_APP_VERSION, &project->app_version, err));
    TRY(publish(seeding, COMMAND_VARIANT, &project->variant, err));
    batch.batch.app_version = project->app_version.digest;
    return run(seeding, &batch, 1, err);
}

/* --- units -------------------------------------------------------------------------------------*/

struct slice {
    size_t count;
    struct work_unit units[SLICE];
    char *envelopes[SLICE];
    struct command_unit list[SLICE];
};

static void slice_free(struct slice *slice)
{
    for (size_t i = 0; i < slice->count; i++) {
        work_unit_clear(&slice->units[i]);
        free(slice->envelopes[i]);
    }
    free(slice);
}

static void add_unit(struct slice *slice, const struct bench_project *project, int64_t index)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    size_t at = slice->count++;

    bench_project_unit(project, index, &slice->units[at], &envelope);
    slice->envelopes[at] = envelope_encode(&envelope);
    slice->list[at] = (struct command_unit){.unit = &slice->units[at],
                                            .digest = envelope.digest,
                                            .envelope = slice->envelopes[at],
                                            .envelope_length = strlen(slice->envelopes[at])};
    signer_set_add(&slice->list[at].signers, trust_signer_of(&project->work.public_key));
}

static struct slice *next_slice(const struct seeding *seeding, int64_t *at)
{
    struct slice *slice = must_alloc(1, sizeof *slice);

    while (slice->count < SLICE && *at < seeding->wish->units)
        add_unit(slice, &seeding->project, (*at)++);
    return slice;
}

/* Several slices to a transaction: what takes time is waiting for the disk. */
static enum status add_slices(struct seeding *seeding, int64_t *at, struct error *err)
{
    struct command commands[SLICES];
    struct slice *slices[SLICES];
    size_t count = 0;
    enum status status;

    for (; count < SLICES && *at < seeding->wish->units; count++) {
        slices[count] = next_slice(seeding, at);
        commands[count] = (struct command){.kind = COMMAND_UNITS};
        commands[count].units.batch = seeding->project.batch;
        commands[count].units.units = slices[count]->list;
        commands[count].units.count = slices[count]->count;
    }
    status = run(seeding, commands, count, err);
    for (size_t i = 0; i < count; i++)
        slice_free(slices[i]);
    return status;
}

static enum status add_units(struct seeding *seeding, struct error *err)
{
    for (int64_t at = 0; at < seeding->wish->units;)
        TRY(add_slices(seeding, &at, err));
    return STATUS_OK;
}

/* --- hosts -------------------------------------------------------------------------------------*/

static void name_host(struct seeding *seeding, uint64_t number, struct command *account,
                      struct command *enrol)
{
    CLEANUP(private_key_clear) struct private_key key = {0};
    struct token *token = &seeding->crew.tokens[number];
    uint8_t key_seed[KEY_SEED_BYTES];

    crew_key_seed(&seeding->crew.secret, number, key_seed);
    private_key_from_seed(&key, key_seed);
    *token = crew_token(&seeding->crew.secret, number);
    /* An account's key is nobody's but its host's here: any digest will do. */
    *account =
        (struct command){.kind = COMMAND_ACCOUNT,
                         .account = {.key = digest_of(key_seed, sizeof key_seed), .name = ""}};
    *enrol = (struct command){.kind = COMMAND_ENROL,
                              .enrol = {.key = key.public_key,
                                        .kind = HOST_NATIVE,
                                        .prefix = PREFIX,
                                        .account = account->account.key,
                                        .token = token_digest(token)}};
    secret_clear(key_seed, sizeof key_seed);
}

static enum status add_hosts(struct seeding *seeding, struct error *err)
{
    struct crew_file *crew = &seeding->crew;
    size_t hosts = (size_t)seeding->wish->hosts;

    seeding->env->random(seeding->env, crew->secret.bytes, sizeof crew->secret.bytes);
    crew->project = seeding->project.keyring.digest;
    crew->tokens = must_alloc(hosts, sizeof *crew->tokens);
    while (crew->count < hosts) {
        struct command accounts[AT_ONCE], enrolments[AT_ONCE];
        size_t count = 0;

        for (; count < AT_ONCE && crew->count < hosts; count++)
            name_host(seeding, crew->count++, &accounts[count], &enrolments[count]);
        TRY(run(seeding, accounts, count, err));
        TRY(run(seeding, enrolments, count, err));
    }
    return crew_file_write(seeding->env->disk, seeding->wish->crew, crew, err);
}

/* --- all of it ---------------------------------------------------------------------------------*/

static enum status open_engine(struct seeding *seeding, const struct config *site,
                               struct error *err)
{
    struct engine_config config = ENGINE_CONFIG_DEFAULT;

    config.site = seeding->wish->site;
    config.server = site->server;
    config.enrolments_per_hour = site->enrolments_per_hour;
    config.ignores_free_space = true;
    TRY(site_open_store(seeding->wish->site, site, true, &seeding->store, err));
    TRY(engine_open(seeding->store, seeding->env, &config, &seeding->engine, err));
    bench_project_make(&seeding->project, seeding->env, site->url.text,
                       seeding->wish->output_bytes);
    return STATUS_OK;
}

enum status seed_site(struct env *env, const struct seed_wish *wish, struct error *err)
{
    CLEANUP(seeding_clear) struct seeding seeding = {.env = env, .wish = wish};
    struct config config;

    TRY(site_load_config(env->disk, wish->site, &config, err));
    TRY(open_engine(&seeding, &config, err));
    TRY(publish_all(&seeding, err));
    TRY(add_units(&seeding, err));
    return add_hosts(&seeding, err);
}
