/* One visit: everything there is to say to a server, durable before it is sent. */
#include "client/daemon/visit.h"

#include <string.h>

#include "client/agent/talk.h"
#include "client/daemon/answer.h"
#include "client/daemon/kept.h"
#include "client/daemon/lane.h"
#include "client/daemon/refused.h"
#include "client/daemon/talking.h"
#include "client/daemon/tasks.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "sandbox/layers.h"

#define BODY_BUDGET      (640 * 1024) /* of reports; the request has room for the rest */
#define STATEMENT_BUDGET (48 * 1024)
#define REPORT_BASE      2048 /* of a report without stderr and bodies, or of a statement's task */
#define OUTPUT_BASE      512

/* --- what goes into it --- */

static bool travels_inline(const struct task_record *record)
{
    return record->outcome == VISIT_DONE && task_record_bytes(record) <= UNIT_INLINE_MAX_BYTES;
}

struct budget {
    int64_t reports;
    int64_t statement;
};

static bool fits(struct budget *budget, const struct task_record *record)
{
    int64_t report = REPORT_BASE + BASE64_CHARS((int64_t)record->report.stderr_tail.length);
    int64_t statement = 256 + (int64_t)record->outputs.count * OUTPUT_BASE;

    if (travels_inline(record))
        report +=
            BASE64_CHARS(task_record_bytes(record)) + (int64_t)record->outputs.count * OUTPUT_BASE;
    if (report > budget->reports || statement > budget->statement)
        return false;
    budget->reports -= report;
    budget->statement -= statement;
    return true;
}

static enum status load_body(const struct attached *project, const struct task_record *record,
                             const struct named_output *output, struct scheduler_body *ret_body,
                             struct error *err)
{
    CLEANUP(buffer_clear) struct buffer content = {0};
    struct disk_path path;
    struct digest digest;

    TRY(project_files_join(&project->files, &path, err, "spool/%lld/%s", (long long)record->task,
                           output->name.text));
    TRY(data_folder_read(project->files.folder, path.text, UNIT_INLINE_MAX_BYTES, &content, err));
    digest = digest_of(buffer_text(&content), content.length);
    if (!digest_equals(&digest, &output->digest))
        return error_set(err, STATUS_NOT_FOUND, "an output was damaged on this machine's disk");
    ret_body->name = output->name;
    ret_body->body.length = content.length;
    ret_body->body.bytes = buffer_take(&content);
    return STATUS_OK;
}

static enum status load_bodies(const struct attached *project, const struct task_record *record,
                               struct scheduler_report *report, struct error *err)
{
    if (!travels_inline(record))
        return STATUS_OK;
    report->bodies = must_alloc(record->outputs.count, sizeof *report->bodies);
    for (size_t i = 0; i < record->outputs.count; i++) {
        TRY(load_body(project, record, &record->outputs.outputs[i], &report->bodies[i], err));
        report->body_count++;
    }
    return STATUS_OK;
}

static void copy_outputs(const struct named_outputs *from, struct named_outputs *ret_to)
{
    if (from->count == 0)
        return;
    ret_to->outputs = must_alloc(from->count, sizeof *ret_to->outputs);
    ret_to->count = from->count;
    memcpy(ret_to->outputs, from->outputs, from->count * sizeof *from->outputs);
}

static void add_report(struct scheduler_request *request, const struct task_record *record,
                       const struct scheduler_report *report)
{
    size_t i = request->visit.finished_count++;
    struct visit_task *task = &request->visit.finished[i];

    *task =
        (struct visit_task){.task = record->task, .unit = record->unit, .outcome = record->outcome};
    copy_outputs(&record->outputs, &task->outputs);
    request->reports[i] = *report;
    request->reports[i].task = record->task;
}

static void bodies_clear(struct scheduler_report *report)
{
    for (size_t i = 0; i < report->body_count; i++)
        bytes_clear(&report->bodies[i].body);
    free(report->bodies);
    report->bodies = NULL;
    report->body_count = 0;
}

/* Its outputs are gone: say so, rather than promise what cannot be delivered. */
static void outputs_lost(struct daemon *daemon, struct attached *project, struct client_task *task)
{
    set_words(task->record.report.why, "its outputs were lost on this machine's disk");
    task->record.outcome = VISIT_ERROR;
    named_outputs_clear(&task->record.outputs);
    (void)task_save(daemon, project, task, NULL);
}

static struct bytes copy_bytes(const struct bytes *bytes)
{
    struct bytes copy = {.length = bytes->length};

    if (bytes->length == 0)
        return copy;
    copy.bytes = must_alloc(bytes->length + 1, 1);
    memcpy(copy.bytes, bytes->bytes, bytes->length);
    return copy;
}

static void report_one(struct daemon *daemon, struct attached *project, struct client_task *task,
                       struct scheduler_request *request)
{
    struct scheduler_report report = task->record.report;
    struct error err = {0};
    enum status status;

    report.stderr_tail = (struct bytes){0}; /* a copy of its own, below */
    status = load_bodies(project, &task->record, &report, &err);
    if (status != STATUS_OK) {
        log_failure(LOG_WARN, "output.unreadable", &err);
        bodies_clear(&report);
        if (status == STATUS_NOT_FOUND || status == STATUS_TOO_LARGE)
            outputs_lost(daemon, project, task);
        return; /* with the next visit, then */
    }
    report.stderr_tail = copy_bytes(&task->record.report.stderr_tail);
    add_report(request, &task->record, &report);
}

static void add_reports(struct daemon *daemon, struct attached *project,
                        struct scheduler_request *request)
{
    struct budget budget = {.reports = BODY_BUDGET, .statement = STATEMENT_BUDGET};

    request->visit.finished = must_alloc(VISIT_FINISHED_MAX, sizeof *request->visit.finished);
    request->reports = must_alloc(VISIT_FINISHED_MAX, sizeof *request->reports);
    for (size_t i = 0; i < project->task_count; i++) {
        struct client_task *task = project->tasks[i];

        if (request->visit.finished_count >= project->report_limit)
            return;
        if (task->record.phase == PHASE_FINISHED && !task->is_dirty && fits(&budget, &task->record))
            report_one(daemon, project, task, request);
    }
}

static enum held_state held_state_of(enum phase phase)
{
    if (phase == PHASE_RUNNING || phase == PHASE_COLLECTING)
        return HELD_RUNNING;
    return phase_is_unfinished(phase) ? HELD_WAITING : HELD_FINISHED;
}

/* How long it ran before the client was started anew nobody remembers; so then nothing is said. */
static struct held_task held_of(const struct daemon *daemon, const struct client_task *task)
{
    struct held_task held = {.task = task->record.task,
                             .state = held_state_of(task->record.phase),
                             .progress_permille = SCHEDULER_PROGRESS_UNSAID};
    struct run_usage usage;

    if (task->running == NULL || task->record.starts > 1)
        return held;
    usage = daemon->parts.launcher->usage(task->running);
    held.busy_ms = usage.wall_ms < SCHEDULER_SPAN_MAX_MS ? usage.wall_ms : 0;
    if (usage.progress_permille > 0)
        held.progress_permille = usage.progress_permille;
    return held;
}

/* The first are those that the server would take for lost where they are not told. */
static int held_rank(enum phase phase)
{
    if (phase_is_unfinished(phase))
        return 0;
    return phase == PHASE_FINISHED ? 1 : 2;
}

static void add_held(const struct daemon *daemon, const struct attached *project,
                     struct scheduler_request *request)
{
    request->held = must_alloc(SCHEDULER_HELD_MAX, sizeof *request->held);
    for (int rank = 0; rank <= 2; rank++)
        for (size_t i = 0; i < project->task_count; i++) {
            const struct task_record *record = &project->tasks[i]->record;

            if (held_rank(record->phase) != rank || record->phase == PHASE_STORED ||
                request->held_count == SCHEDULER_HELD_MAX ||
                visit_find_task(&request->visit, record->task) != NULL)
                continue;
            request->held[request->held_count++] = held_of(daemon, project->tasks[i]);
        }
}

static void add_host(struct daemon *daemon, struct scheduler_host *host)
{
    (void)text_fit(host->client, sizeof host->client, daemon->parts.client);
    texts_add(&host->platforms, daemon->machine.platform);
    for (int layer = 0; layer < LAYER_COUNT; layer++)
        if ((daemon->machine.layers & LAYER_BIT(layer)) != 0 &&
            host->layers.count < SCHEDULER_LAYERS_MAX)
            texts_add(&host->layers, layer_name((enum layer)layer));
    host->cores = daemon->parts.config->cores;
    host->memory_bytes = daemon_memory(daemon);
    host->disk_bytes = daemon->room.tasks;
    host->time_s = daemon_now_s(daemon);
}

static void add_have(const struct attached *project, int64_t now_s,
                     struct scheduler_request *request)
{
    struct digests *apps = &request->have_app_versions;
    struct digests *variants = &request->have_variants;

    apps->digests = must_alloc(SCHEDULER_HAVE_MAX, sizeof *apps->digests);
    variants->digests = must_alloc(SCHEDULER_HAVE_MAX, sizeof *variants->digests);
    for (size_t i = 0; i < project->envelope_count; i++) {
        const struct envelope *it = &project->envelopes[i];
        struct digests *list = strcmp(it->type, APP_VERSION_TYPE) == 0 ? apps : variants;

        if (list->count < SCHEDULER_HAVE_MAX && attached_envelope_holds(project, it, now_s))
            list->digests[list->count++] = it->digest;
    }
}

static enum status sign(const struct attached *project, struct scheduler_request *request,
                        struct error *err)
{
    CLEANUP(freep) char *payload = visit_encode(&request->visit);

    envelope_init(&request->statement, VISIT_TYPE, payload, strlen(payload));
    return envelope_sign(&request->statement, &project->key, err);
}

/* --- sending --- */

static enum status make_visit(struct daemon *daemon, struct attached *project, struct error *err)
{
    CLEANUP(scheduler_request_clear) struct scheduler_request request = {0};
    CLEANUP(visit_record_clear) struct visit_record visit = {0};

    request.visit.project = project->record.project;
    request.visit.number = project->host.next_visit;
    add_reports(daemon, project, &request);
    add_held(daemon, project, &request);
    kept_add(project, &request);
    refused_add(project, &request);
    add_host(daemon, &request.host);
    add_have(project, daemon_now_s(daemon), &request);
    request.want_tasks = talk_wanted(daemon, project);
    request.want_seconds = request.want_tasks > 0 ? daemon->parts.config->work_buffer : 0;
    TRY(sign(project, &request, err));
    visit = (struct visit_record){.number = request.visit.number,
                                  .body = scheduler_request_encode(&request)};
    TRY(save_visit_record(&project->files, &visit, err));
    project->visit = visit;
    visit = (struct visit_record){0};
    return STATUS_OK;
}

/*
 * The server may have seen it, and takes one number with two contents for a clone: the number is
 * spent, durably, before its content is forgotten.
 */
static enum status spend_number(struct attached *project, struct error *err)
{
    struct host_record host = project->host;

    if (host.next_visit <= project->visit.number)
        host.next_visit = project->visit.number + 1;
    TRY(save_host_record(&project->files, &host, err));
    project->host = host;
    return STATUS_OK;
}

/* The server will not have it as it is. Its tasks go with later visits, fewer at a time. */
static void give_visit_up(struct attached *project, const struct error *err)
{
    struct error own = {0};

    LOG(LOG_WARN, "visit.refused", LOG_N("visit", project->visit.number), LOG_S("why", err->text));
    if (spend_number(project, &own) != STATUS_OK) {
        log_failure(LOG_WARN, "host.not-saved", &own);
        set_words(project->trouble, own.text);
        return; /* the same visit is repeated, and refused again */
    }
    if (project->report_limit > 1)
        project->report_limit /= 2;
    visit_record_clear(&project->visit);
    if (remove_visit_record(&project->files, &own) != STATUS_OK)
        log_failure(LOG_WARN, "visit.not-removed", &own); /* it is known as spent */
}

/* Enrol again with the same key; the visit is repeated after it. */
static void forget_host(struct attached *project)
{
    if (project->host.host != 0)
        project->former_host = project->host.host;
    project->host.host = 0;
}

static void visit_failed(struct daemon *daemon, struct attached *project, enum status status,
                         const struct error *err)
{
    talk_failed(daemon, project, status, err);
    if (status == STATUS_CONFLICT && err->code != NULL && strcmp(err->code, "clone") == 0)
        host_is_cloned(daemon, project);
    else if (status == STATUS_UNAUTHORIZED)
        forget_host(project);
    else if (status == STATUS_INVALID || status == STATUS_TOO_LARGE || status == STATUS_FORBIDDEN)
        give_visit_up(project, err);
}

/* As long as what is here of it is. */
static void say_contradiction(struct attached *project)
{
    CLEANUP(freep) char *words = NULL;

    if (project->contradicted_task == 0)
        return;
    if (task_find(project, project->contradicted_task) == NULL) {
        project->contradicted_task = 0;
        return;
    }
    words = text_format("the server granted task %lld again as another unit: it may have been "
                        "restored from a backup. What is here of the first unit stays as it is.",
                        (long long)project->contradicted_task);
    set_words(project->trouble, words);
}

static void on_answer(struct daemon *daemon, struct attached *project, enum status status,
                      struct http_response *response, const struct error *how)
{
    struct error err = *how;

    if (status == STATUS_OK)
        status = http_check(response, &err);
    if (status != STATUS_OK) {
        visit_failed(daemon, project, status, &err);
        return;
    }
    status =
        answer_take(daemon, project, buffer_text(&response->body), response->body.length, &err);
    if (status != STATUS_OK) {
        talk_failed(daemon, project, status, &err);
        return;
    }
    talk_worked(project);
    say_contradiction(project);
    project->visited_at = daemon_now(daemon);
    project->hailed_at = TALK_NEVER;
    project->report_limit = VISIT_FINISHED_MAX;
}

static enum status send(struct daemon *daemon, struct attached *project, struct error *err)
{
    CLEANUP(freep) char *url = site_url(project, "/v1/scheduler");
    struct http_request request = {
        .method = HTTP_POST,
        .url = url,
        .token = project->host.token.text,
        .ca_pem = project->record.ca_pem,
        .max_bytes = SCHEDULER_REPLY_MAX,
    };

    project->talk.body = text_copy(project->visit.body);
    request.body = (struct http_body){.bytes = project->talk.body,
                                      .length = (int64_t)strlen(project->talk.body)};
    project->talk.done = on_answer;
    return lane_start(daemon, &project->talk, &request, err);
}

void visit_start(struct daemon *daemon, struct attached *project)
{
    struct error err = {0};
    enum status status = STATUS_OK;

    project->is_keyless = false;
    if (project->visit.body == NULL)
        status = make_visit(daemon, project, &err);
    if (status == STATUS_OK)
        status = send(daemon, project, &err);
    if (status != STATUS_OK)
        talk_failed(daemon, project, status, &err);
}

/* Its number is lost with host.json; the key stays what it is known by. */
static void log_clone(const struct attached *project)
{
    int64_t host = project->host.host != 0 ? project->host.host : project->former_host;
    const struct log_field number = host != 0 ? LOG_N("host", host) : LOG_S("host", "unknown");

    LOG(LOG_WARN, "host.cloned", LOG_S("project", project->record.name), number,
        LOG_S("key", public_key_format(&project->key.public_key).text));
}

void host_is_cloned(struct daemon *daemon, struct attached *project)
{
    struct error err = {0};

    log_clone(project);
    /* Settled from behind: unfinished ones leave the list. */
    for (size_t i = project->task_count; i > 0; i--)
        (void)task_settle(daemon, project, project->tasks[i - 1], NULL);
    if (remove_host_identity(&project->files, &err) != STATUS_OK) {
        log_failure(LOG_WARN, "host.not-removed", &err);
        return; /* the server says it again */
    }
    visit_record_clear(&project->visit);
    private_key_clear(&project->key);
    project->key = (struct private_key){0};
    project->host = (struct host_record){.next_visit = 1, .tally = project->host.tally};
    project->former_host = 0;
}
