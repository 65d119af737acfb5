#include "tests/support/village.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "tests/support/site.h"

#define GIB (INT64_C(1) << 30)

enum status village_run(struct village *village, struct command *command)
{
    engine_run(village->engine, &command, 1);
    return command->status;
}

static void must_run(struct village *village, struct command *command, const char *what)
{
    site_must(village_run(village, command), &command->err, what);
}

static void publish(struct village *village, enum command_kind kind, struct envelope envelope)
{
    struct command command = {.kind = kind, .publish = {.envelope = &envelope}};

    must_run(village, &command, "publish");
    envelope_clear(&envelope);
}

static void store_file(struct village *village, const char *content)
{
    struct command command = {.kind = COMMAND_FILE_STORED,
                              .file = {.digest = digest_of(content, strlen(content)),
                                       .size_bytes = (int64_t)strlen(content)}};

    must_run(village, &command, "file");
}

void village_publish_app(struct village *village)
{
    struct envelope app = sample_seal_app_version(&village->sample);

    village->sample.app_digest = app.digest;
    village->sample.variant.app_version = app.digest;
    village->sample.unit.app_version = app.digest;
    publish(village, COMMAND_APP_VERSION, app);
    publish(village, COMMAND_VARIANT, sample_seal_variant(&village->sample));
}

void village_publish_freshness(struct village *village)
{
    village->sample.freshness.sequence++;
    publish(village, COMMAND_FRESHNESS, sample_seal_freshness(&village->sample));
}

void village_open_batch(struct village *village, const char *name, int32_t priority)
{
    struct command command = {
        .kind = COMMAND_BATCH,
        .batch = {.name = name, .app_version = village->sample.app_digest, .priority = priority}};

    village->env.base.random(&village->env.base, village->batch.bytes, sizeof village->batch.bytes);
    command.batch.batch = village->batch;
    must_run(village, &command, "batch");
}

enum status village_act(struct village *village, enum batch_action action)
{
    struct command command = {.kind = COMMAND_BATCH_ACTION,
                              .action = {.batch = village->batch, .action = action}};

    return village_run(village, &command);
}

static void open_engine(struct village *village)
{
    struct store *store;

    SITE_MUST(store_open(village->path, &store, err));
    village_store_wrap(&village->store, store);
    SITE_MUST(engine_open(store, &village->env.base, &village->config, &village->engine, err));
}

static void make_site(struct village *village)
{
    const struct site site = {
        .name = "A village", .incarnation = 1, .created_s = village->env.now_s};
    struct store *store;

    SITE_MUST(store_open(village->path, &store, err));
    SITE_MUST(store->publish->site_save(store, &site, err));
    store_close(store);
}

void village_open(struct village *village, const struct engine_config *config)
{
    *village = (struct village){.config = ENGINE_CONFIG_DEFAULT};
    log_init(&village->env.base, LOG_ERROR, 2);
    fake_env_init(&village->env, 1);
    village->env.now_s = SAMPLE_NOW_S;
    sample_init(&village->sample);
    village->config.ignores_free_space = true;
    village->config.enrolments_per_hour = 1000;
    if (config != NULL)
        village->config = *config;
    database_name(village->path);
    village->db = database_look(village->path); /* keeps one in memory alive */
    make_site(village);
    open_engine(village);
    publish(village, COMMAND_KEYRING, sample_seal_keyring(&village->sample));
    publish(village, COMMAND_FRESHNESS, sample_seal_freshness(&village->sample));
    publish(village, COMMAND_APP_VERSION, sample_seal_app_version(&village->sample));
    store_file(village, "binary");
    store_file(village, "data");
    publish(village, COMMAND_VARIANT, sample_seal_variant(&village->sample));
    village_open_batch(village, "first", 0);
}

static void close_engine(struct village *village)
{
    engine_close(village->engine);
    store_close(village->store.store);
}

void village_close(struct village *village)
{
    close_engine(village);
    sample_clear(&village->sample);
    for (size_t i = 0; i < village->host_count; i++)
        private_key_clear(&village->hosts[i].key);
    database_leave(village->db);
}

void village_restart(struct village *village)
{
    close_engine(village);
    open_engine(village);
}

void village_pass(struct village *village, int64_t seconds)
{
    fake_env_pass(&village->env, seconds * 1000);
    engine_settle(village->engine, 100);
}

/* ------------------------------------------------------------------------------------------ hosts
 */

static struct digest number_digest(const char *kind, size_t number)
{
    char text[64];

    (void)snprintf(text, sizeof text, "%s %zu", kind, number);
    return digest_of(text, strlen(text));
}

static size_t enrol(struct village *village, const struct digest *account, const char *prefix)
{
    size_t place = village->host_count++;
    struct village_host *host = &village->hosts[place];
    struct command command = {.kind = COMMAND_ENROL,
                              .enrol = {.kind = HOST_NATIVE,
                                        .prefix = prefix,
                                        .account = *account,
                                        .token = number_digest("token", place)}};

    assert(place < VILLAGE_HOSTS_MAX);
    private_key_generate(&host->key, &village->env.base);
    command.enrol.key = host->key.public_key;
    must_run(village, &command, "enrol");
    host->id = command.enrol.host;
    host->prefix = prefix;
    return place;
}

/* The account is the place of the volunteer's first host. */
size_t village_join(struct village *village)
{
    struct command command = {
        .kind = COMMAND_ACCOUNT,
        .account = {.key = number_digest("account", village->host_count), .name = "A volunteer"}};

    must_run(village, &command, "account");
    return village_join_as(village, village->host_count);
}

size_t village_join_from(struct village *village, const char *prefix)
{
    const struct digest none = {{0}};

    return enrol(village, &none, prefix);
}

size_t village_join_as(struct village *village, size_t host)
{
    const struct digest account = number_digest("account", host);

    return enrol(village, &account, "192.0.2.0/24");
}

/* ------------------------------------------------------------------------------------------ units
 */

static void seal_unit(struct village *village, void (*edit)(struct work_unit *unit),
                      struct envelope *ret_envelope)
{
    struct work_unit *unit = &village->sample.unit;

    unit->index = village->next_index++;
    (void)snprintf(unit->name.text, sizeof unit->name.text, "unit-%lld", (long long)unit->index);
    unit->batch = village->batch;
    if (edit != NULL)
        edit(unit);
    *ret_envelope = sample_seal_unit(&village->sample);
    if (village->cosigner != NULL)
        SITE_MUST(envelope_sign(ret_envelope, village->cosigner, err));
}

static void add_unit(struct village *village, void (*edit)(struct work_unit *unit))
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    CLEANUP(work_unit_clear) struct work_unit unit = {0};
    struct command_unit added;
    struct signer_set signers;
    struct command command = {.kind = COMMAND_UNITS,
                              .units = {.batch = village->batch, .units = &added, .count = 1}};
    char *json;

    seal_unit(village, edit, &envelope);
    SITE_MUST(published_check_unit(engine_published(village->engine), &village->sample.app_digest,
                                   &envelope, village->env.now_s, &unit, &signers, err));
    json = envelope_encode(&envelope);
    added = (struct command_unit){.unit = &unit,
                                  .digest = envelope.digest,
                                  .signers = signers,
                                  .envelope = json,
                                  .envelope_length = strlen(json)};
    must_run(village, &command, "units");
    free(json);
}

void village_add_units(struct village *village, size_t count, void (*edit)(struct work_unit *unit))
{
    for (size_t i = 0; i < count; i++)
        add_unit(village, edit);
}

/* ----------------------------------------------------------------------------------------- visits
 */

void village_visit_begin(struct village *village, struct village_visit *visit, size_t host)
{
    struct scheduler_request *request = &visit->request;

    *visit = (struct village_visit){.status = STATUS_OK};
    request->visit.project = village->sample.project;
    request->visit.number = ++village->hosts[host].visit;
    request->visit.finished = visit->finished;
    request->reports = visit->reports;
    request->held = visit->held;
    request->host.cores = 4;
    request->host.memory_bytes = 16 * GIB;
    request->host.disk_bytes = 100 * GIB;
    request->host.time_s = village->env.now_s;
    (void)text_fit(request->host.client, sizeof request->host.client, "test-client 1");
    texts_add(&request->host.platforms, "x86_64-linux-gnu");
    texts_add(&request->host.layers, "seccomp");
}

void village_visit_clear(struct village_visit *visit)
{
    for (size_t i = 0; i < visit->request.visit.finished_count; i++) {
        for (size_t j = 0; j < visit->reports[i].body_count; j++)
            bytes_clear(&visit->reports[i].bodies[j].body);
        free(visit->reports[i].bodies);
        named_outputs_clear(&visit->finished[i].outputs);
    }
    texts_clear(&visit->request.host.platforms);
    texts_clear(&visit->request.host.layers);
    scheduler_reply_clear(&visit->reply);
}

void village_visit_want(struct village_visit *visit, int64_t tasks)
{
    visit->request.want_tasks = tasks;
}

void village_visit_hold(struct village_visit *visit, int64_t task)
{
    visit->held[visit->request.held_count++] = (struct held_task){
        .task = task, .state = HELD_RUNNING, .progress_permille = SCHEDULER_PROGRESS_UNSAID};
}

static struct digest unit_of(struct village *village, int64_t task)
{
    int64_t id = TASK_UNIT(task);
    struct work_request request = {.units = &id, .unit_count = 1};
    struct work_set set = {0};
    struct digest digest = {{0}};

    SITE_MUST(village->store.original.work->load(village->store.store, &request, &set, err));
    if (set.unit_count == 1)
        digest = set.units[0].digest;
    work_set_clear(&set);
    return digest;
}

static size_t add_finished(struct village *village, struct village_visit *visit, int64_t task,
                           enum visit_outcome outcome)
{
    size_t i = visit->request.visit.finished_count++;

    visit->finished[i] =
        (struct visit_task){.task = task, .unit = unit_of(village, task), .outcome = outcome};
    visit->reports[i] =
        (struct scheduler_report){.task = task, .cpu_ms = 1000, .wall_ms = 1100, .busy_ms = 1200};
    return i;
}

void village_visit_done(struct village *village, struct village_visit *visit, int64_t task,
                        const char *text, bool with_body)
{
    size_t i = add_finished(village, visit, task, VISIT_DONE);
    struct named_outputs *outputs = &visit->finished[i].outputs;

    outputs->outputs = must_alloc(VILLAGE_OUTPUTS_MAX, sizeof *outputs->outputs);
    outputs->count = 1;
    outputs->outputs[0] = (struct named_output){
        .name = {"out"}, .digest = digest_of(text, strlen(text)), .size = (int64_t)strlen(text)};
    if (!with_body)
        return;
    visit->reports[i].bodies = must_alloc(VILLAGE_OUTPUTS_MAX, sizeof(struct scheduler_body));
    visit->reports[i].body_count = 1;
    visit->reports[i].bodies[0] = (struct scheduler_body){
        .name = {"out"}, .body = {.bytes = text_copy(text), .length = strlen(text)}};
}

struct scheduler_report *village_visit_failed(struct village *village, struct village_visit *visit,
                                              int64_t task, enum visit_outcome outcome)
{
    return &visit->reports[add_finished(village, visit, task, outcome)];
}

enum status village_visit_make(struct village *village, struct village_visit *visit, size_t host)
{
    char statement[128];
    struct command command = {.kind = COMMAND_VISIT,
                              .visit = {.host = village->hosts[host].id,
                                        .prefix = village->hosts[host].prefix,
                                        .request = &visit->request,
                                        .statement = statement,
                                        .reply = &visit->reply}};

    (void)snprintf(statement, sizeof statement, "{\"host\":%lld,\"visit\":%lld,\"finished\":%zu}",
                   (long long)village->hosts[host].id, (long long)visit->request.visit.number,
                   visit->request.visit.finished_count);
    command.visit.statement_length = strlen(statement);
    command.visit.request_digest = digest_of(statement, strlen(statement));
    scheduler_reply_clear(&visit->reply);
    visit->reply = (struct scheduler_reply){0};
    visit->status = village_run(village, &command);
    visit->err = command.err;
    return visit->status;
}

int64_t village_get(struct village *village, size_t host)
{
    struct village_visit visit;
    int64_t task;

    village_visit_begin(village, &visit, host);
    village_visit_want(&visit, 1);
    site_must(village_visit_make(village, &visit, host), &visit.err, "visit");
    task = visit.reply.grant_count > 0 ? visit.reply.grants[0].task : 0;
    village_visit_clear(&visit);
    return task;
}

void village_report(struct village *village, size_t host, int64_t task, const char *text)
{
    struct village_visit visit;

    village_visit_begin(village, &visit, host);
    village_visit_done(village, &visit, task, text, true);
    site_must(village_visit_make(village, &visit, host), &visit.err, "visit");
    village_visit_clear(&visit);
}

void village_fail(struct village *village, size_t host, int64_t task)
{
    struct village_visit visit;

    village_visit_begin(village, &visit, host);
    village_visit_failed(village, &visit, task, VISIT_ERROR)->exit_status = 1;
    site_must(village_visit_make(village, &visit, host), &visit.err, "visit");
    village_visit_clear(&visit);
}

/* ------------------------------------------------------------------------------------- as stored
 */

int64_t village_count(struct village *village, const char *sql)
{
    CLEANUP(freep) char *whole = text_format("SELECT %s", sql);

    return database_number(village->db, whole);
}

void village_change(struct village *village, const char *sql)
{
    (void)database_change(village->db, sql);
}
