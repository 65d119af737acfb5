/* tests/support/grid.h: what operators and hosts do. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/account.h"
#include "protocol/batch.h"
#include "protocol/enrolment.h"
#include "tests/support/grid.h"

static void must_post(struct grid *grid, const char *path, struct envelope envelope)
{
    CLEANUP(freep) char *text = envelope_encode(&envelope);
    int status = grid_post(grid, path, text);

    envelope_clear(&envelope);
    cr_assert(status == 200 || status == 201, "%s: %d %s", path, status, grid_body(grid));
}

void grid_put_file(struct grid *grid, const char *bytes)
{
    struct digest digest = digest_of(bytes, strlen(bytes));
    CLEANUP(freep) char *path = text_format("/v1/files/%s", digest_format(&digest).text + 7);
    struct grid_request request = {
        .method = "PUT", .path = path, .token = grid->operator_token.text, .body = bytes};
    int status = grid_ask(grid, &request);

    if (status == 503) /* the token was not looked up yet */
        status = grid_ask(grid, &request);
    cr_assert(status == 200 || status == 201, "%d %s", status, grid_body(grid));
}

void grid_publish(struct grid *grid)
{
    struct batch_request batch = {
        .batch = grid->sample.unit.batch, .name = "sample", .app_version = grid->sample.app_digest};
    CLEANUP(freep) char *text = batch_request_encode(&batch);
    int status;

    must_post(grid, "/v1/keyrings", sample_seal_keyring(&grid->sample));
    must_post(grid, "/v1/freshness", sample_seal_freshness(&grid->sample));
    grid_put_file(grid, "binary");
    grid_put_file(grid, "data");
    must_post(grid, "/v1/app-versions", sample_seal_app_version(&grid->sample));
    must_post(grid, "/v1/variants", sample_seal_variant(&grid->sample));
    status = grid_post(grid, "/v1/batches", text);
    cr_assert(status == 201, "%d %s", status, grid_body(grid));
}

static void set_unit(struct grid *grid, int64_t index)
{
    struct work_unit *unit = &grid->sample.unit;

    unit->index = index;
    (void)snprintf(unit->name.text, sizeof unit->name.text, "unit-%lld", (long long)index);
    memcpy(unit->seed, &index, sizeof index);
}

char *grid_seal_unit(struct grid *grid, int64_t index)
{
    struct envelope envelope;
    char *text;

    set_unit(grid, index);
    envelope = sample_seal_unit(&grid->sample);
    text = envelope_encode(&envelope);
    envelope_clear(&envelope);
    return text;
}

struct digest grid_unit_digest(struct grid *grid, int64_t index)
{
    struct envelope envelope;
    struct digest digest;

    set_unit(grid, index);
    envelope = sample_seal_unit(&grid->sample);
    digest = envelope.digest;
    envelope_clear(&envelope);
    return digest;
}

void grid_add_units(struct grid *grid, int64_t first, size_t count)
{
    CLEANUP(buffer_clear) struct buffer lines = {.max = 256 << 20};
    struct grid_request request = {.method = "POST",
                                   .path = grid_batch(grid, "/units"),
                                   .token = grid->operator_token.text,
                                   .type = "application/x-ndjson"};
    int status;

    for (size_t i = 0; i < count; i++) {
        CLEANUP(freep) char *line = grid_seal_unit(grid, first + (int64_t)i);

        cr_assert(buffer_printf(&lines, NULL, "%s\n", line) == STATUS_OK);
    }
    request.body = lines.bytes;
    request.length = lines.length;
    status = grid_ask(grid, &request);
    cr_assert(status == 200, "%d %s", status, grid_body(grid));
}

const char *grid_batch(const struct grid *grid, const char *rest)
{
    static char path[256];

    (void)snprintf(path, sizeof path, "/v1/batches/%s%s",
                   batch_format(&grid->sample.unit.batch).text, rest);
    return path;
}

static void make_account(struct grid *grid, struct token *ret_account)
{
    int status = grid_post(grid, "/v1/accounts", "{\"name\":\"somebody\"}");

    cr_assert(status == 201, "%d %s", status, grid_body(grid));
    cr_assert(account_reply_decode(grid->client.body.bytes, grid->client.body.length, ret_account,
                                   NULL) == STATUS_OK);
}

static void sign_enrolment(struct grid *grid, const struct grid_host *host,
                           struct envelope *ret_statement)
{
    struct challenge_reply challenge;
    struct enrolment enrolment = {.project = grid->sample.project,
                                  .key = host->key.public_key,
                                  .kind = ENROLMENT_NATIVE,
                                  .time_s = SAMPLE_NOW_S};
    CLEANUP(freep) char *payload = NULL;

    cr_assert(grid_post(grid, "/v1/challenges", "{}") == 200, "%s", grid_body(grid));
    cr_assert(challenge_reply_decode(grid->client.body.bytes, grid->client.body.length, &challenge,
                                     NULL) == STATUS_OK);
    enrolment.challenge = challenge.challenge;
    payload = enrolment_encode(&enrolment);
    *ret_statement = sample_seal(ENROLMENT_TYPE, payload, &host->key);
}

void grid_enrol(struct grid *grid, unsigned seed, struct grid_host *ret_host)
{
    struct digest bytes = digest_of(&seed, sizeof seed);
    struct enrolment_request request = {0};
    struct enrolment_reply reply;
    CLEANUP(freep) char *text = NULL;
    int status;

    *ret_host = (struct grid_host){0};
    private_key_from_seed(&ret_host->key, bytes.bytes);
    make_account(grid, &request.account);
    sign_enrolment(grid, ret_host, &request.statement);
    text = enrolment_request_encode(&request);
    enrolment_request_clear(&request);
    status = grid_post(grid, "/v1/hosts", text);
    cr_assert(status == 200, "%d %s", status, grid_body(grid));
    cr_assert(enrolment_reply_decode(grid->client.body.bytes, grid->client.body.length, &reply,
                                     NULL) == STATUS_OK);
    ret_host->token = reply.token;
    ret_host->id = reply.host;
    ret_host->volunteer = reply.volunteer;
    ret_host->visit = reply.next_visit - 1;
}

void grid_host_clear(struct grid_host *host)
{
    private_key_clear(&host->key);
}

static void fill_task(const struct grid_report *report, struct visit_task *ret_task)
{
    struct named_output *output;

    *ret_task = (struct visit_task){.task = report->task, .unit = report->unit};
    ret_task->outcome = report->output != NULL ? VISIT_DONE : VISIT_ERROR;
    if (report->output == NULL)
        return;
    output = must_alloc(1, sizeof *output);
    *output = (struct named_output){.name = {"out"},
                                    .digest = digest_of(report->output, strlen(report->output)),
                                    .size = (int64_t)strlen(report->output)};
    ret_task->outputs.outputs = output;
    ret_task->outputs.count = 1;
}

static void fill_report(const struct grid_report *report, struct scheduler_report *ret_report)
{
    bool is_inline = report->output != NULL && strlen(report->output) <= UNIT_INLINE_MAX_BYTES;

    *ret_report = (struct scheduler_report){
        .task = report->task,
        .limit = report->limit,
        .has_exit_status = report->limit == LIMIT_NONE,
        .exit_status = report->output != NULL || report->exited_with_zero ? 0 : 3,
        .cpu_ms = 1000,
        .wall_ms = 1000};
    if (report->why != NULL)
        (void)text_fit(ret_report->why, sizeof ret_report->why, report->why);
    if (!is_inline)
        return;
    ret_report->bodies = must_alloc(1, sizeof *ret_report->bodies);
    ret_report->bodies[0] = (struct scheduler_body){
        .name = {"out"},
        .body = {.bytes = text_copy(report->output), .length = strlen(report->output)}};
    ret_report->body_count = 1;
}

static void fill_host(struct scheduler_host *ret_host)
{
    *ret_host = (struct scheduler_host){.client = "test 1",
                                        .cores = 64,
                                        .memory_bytes = INT64_C(64) << 30,
                                        .disk_bytes = INT64_C(64) << 30,
                                        .time_s = SAMPLE_NOW_S};
    texts_add(&ret_host->platforms, "x86_64-linux-gnu");
    texts_add(&ret_host->layers, "seccomp");
}

char *grid_visit_text(struct grid *grid, const struct grid_host *host, int64_t number, int64_t want,
                      const struct grid_report *reports, size_t count)
{
    struct scheduler_request request = {.want_tasks = want};
    CLEANUP(freep) char *payload = NULL;
    char *text;

    request.visit = (struct visit){.project = grid->sample.project,
                                   .number = number,
                                   .finished_count = count,
                                   .finished = must_alloc(count, sizeof(struct visit_task))};
    request.reports = must_alloc(count, sizeof *request.reports);
    for (size_t i = 0; i < count; i++) {
        fill_task(&reports[i], &request.visit.finished[i]);
        fill_report(&reports[i], &request.reports[i]);
    }
    fill_host(&request.host);
    payload = visit_encode(&request.visit);
    request.statement = sample_seal(VISIT_TYPE, payload, &host->key);
    text = scheduler_request_encode(&request);
    scheduler_request_clear(&request);
    return text;
}

static void expect_answer(struct grid *grid, int64_t number, const struct grid_report *reports,
                          size_t count, struct scheduler_reply *ret_reply)
{
    struct visit visit = {.number = number,
                          .finished_count = count,
                          .finished = must_alloc(count, sizeof(struct visit_task))};
    struct error err = {0};
    enum status status;

    for (size_t i = 0; i < count; i++)
        visit.finished[i].task = reports[i].task;
    status = scheduler_reply_decode(grid->client.body.bytes, grid->client.body.length, &visit,
                                    ret_reply, &err);
    visit_clear(&visit);
    cr_assert(status == STATUS_OK, "%s: %s", err.text, grid_body(grid));
}

int grid_visit(struct grid *grid, struct grid_host *host, int64_t want,
               const struct grid_report *reports, size_t count, struct scheduler_reply *ret_reply)
{
    CLEANUP(freep)
    char *text = grid_visit_text(grid, host, ++host->visit, want, reports, count);
    struct grid_request request = {.method = "POST",
                                   .path = "/v1/scheduler",
                                   .token = host->token.text,
                                   .type = "application/json",
                                   .body = text};
    int status = grid_ask(grid, &request);

    if (status == 200)
        expect_answer(grid, host->visit, reports, count, ret_reply);
    return status;
}
