#include "protocol/scheduler_request.h"

#include <string.h>

#include "protocol/reading.h"
#include "protocol/writer.h"

static const char *const held_states[] = {"waiting", "running", "finished"};

static void report_clear(struct scheduler_report *report)
{
    bytes_clear(&report->stderr_tail);
    for (size_t i = 0; i < report->body_count; i++)
        bytes_clear(&report->bodies[i].body);
    free(report->bodies);
}

void scheduler_request_clear(struct scheduler_request *request)
{
    for (size_t i = 0; request->reports != NULL && i < request->visit.finished_count; i++)
        report_clear(&request->reports[i]);
    free(request->reports);
    free(request->held);
    free(request->kept);
    envelope_clear(&request->statement);
    visit_clear(&request->visit);
    texts_clear(&request->host.platforms);
    texts_clear(&request->host.layers);
    digests_clear(&request->have_app_versions);
    digests_clear(&request->have_variants);
    *request = (struct scheduler_request){0};
}

/* --- decoding --- */

static bool has_body(const struct scheduler_report *report, const char *name)
{
    for (size_t i = 0; i < report->body_count; i++)
        if (strcmp(report->bodies[i].name.text, name) == 0)
            return true;
    return false;
}

static void read_body(struct members *part, const struct visit_task *finished,
                      struct scheduler_report *report, size_t *left)
{
    struct scheduler_body body = {.name = members_name(part, "name")};
    const struct named_output *output;

    output = named_outputs_find(&finished->outputs, body.name.text);
    if (!members_failed(part) && output == NULL)
        members_fail(part, "name", "malformed", "is no output that the statement names");
    if (!members_failed(part) && has_body(report, body.name.text))
        members_fail(part, "name", "malformed", "is there twice");
    body.body = members_bytes(part, "body", *left);
    if (!members_failed(part) && (int64_t)body.body.length != output->size)
        members_fail(part, "body", "malformed", "has not the size that the statement names");
    *left -= members_failed(part) ? 0 : body.body.length;
    members_end_part(part);
    report->bodies[report->body_count++] = body;
}

static void read_bodies(struct members *part, const struct visit_task *finished,
                        struct scheduler_report *report)
{
    struct members_list list = members_list(part, "bodies", 0, VISIT_OUTPUTS_MAX);
    size_t left = UNIT_INLINE_MAX_BYTES;
    struct members item;

    report->bodies = must_alloc(list.count, sizeof *report->bodies);
    for (size_t i = 0; i < list.count && !members_failed(part); i++) {
        list_object(&list, i, &item);
        read_body(&item, finished, report, &left);
    }
}

static enum task_limit read_limit(struct members *part)
{
    enum task_limit limit = LIMIT_NONE;
    const char *name;

    if (!members_has(part, "limit"))
        return LIMIT_NONE;
    name = members_text(part, "limit", 1, 16);
    if (!members_failed(part) && (!task_limit_parse(name, &limit) || limit == LIMIT_NONE))
        members_fail(part, "limit", "malformed", "is no limit");
    return limit;
}

/* How it ended. */
static void read_end(struct members *part, struct scheduler_report *report)
{
    report->has_exit_status = members_has(part, "exit_status");
    if (report->has_exit_status)
        report->exit_status = (int)members_integer(part, "exit_status", 0, 255);
    if (members_has(part, "signal"))
        report->signal = (int)members_integer(part, "signal", 1, 64);
    report->limit = read_limit(part);
    report->refusal = members_has(part, "refusal") ? members_refusal(part) : REFUSAL_NONE;
    report->refused = members_digest_or_none(part, "refused");
    members_copy_text_or_empty(part, "why", report->why, sizeof report->why);
    report->is_unstarted = members_boolean_or(part, "unstarted", false);
}

static void check_unstarted(struct members *part, const struct visit_task *finished,
                            const struct scheduler_report *report)
{
    bool has_run = report->cpu_ms > 0 || report->wall_ms > 0;

    if (members_failed(part) || !report->is_unstarted)
        return;
    if (finished->outcome != VISIT_ABANDONED || has_run)
        members_fail(part, "unstarted", "malformed",
                     "is said only of an abandoned task whose program took no time");
}

static void read_report(struct members *part, const struct visit_task *finished,
                        struct scheduler_report *report)
{
    report->task = members_id(part, "task");
    if (!members_failed(part) && report->task != finished->task)
        members_fail(part, "task", "malformed", "is not the finished task of the same place");
    read_end(part, report);
    if (!members_failed(part) &&
        (report->refusal != REFUSAL_NONE) != (finished->outcome == VISIT_REFUSED))
        members_fail(part, "refusal", "malformed", "is there exactly if the outcome is refused");
    report->cpu_ms = members_integer(part, "cpu_ms", 0, SCHEDULER_SPAN_MAX_MS);
    report->wall_ms = members_integer(part, "wall_ms", 0, SCHEDULER_SPAN_MAX_MS);
    report->busy_ms = members_integer_or(part, "busy_ms", 1, SCHEDULER_SPAN_MAX_MS, 0);
    report->peak_memory_bytes = members_integer(part, "peak_memory_bytes", 0, LIMITS_BYTES_MAX);
    check_unstarted(part, finished, report);
    if (members_has(part, "stderr"))
        report->stderr_tail = members_bytes(part, "stderr", SCHEDULER_STDERR_MAX);
    if (members_has(part, "bodies"))
        read_bodies(part, finished, report);
    members_end_part(part);
}

/* One per finished task, in the statement's order. */
static void read_reports(struct members *root, struct scheduler_request *request)
{
    size_t count = request->visit.finished_count;
    struct members_list list = members_list(root, "reports", 0, VISIT_FINISHED_MAX);
    struct members part;

    request->reports = must_alloc(count, sizeof *request->reports);
    if (!members_failed(root) && list.count != count)
        members_fail(root, "reports", "malformed", "has not one entry per finished task");
    for (size_t i = 0; i < count && !members_failed(root); i++) {
        list_object(&list, i, &part);
        read_report(&part, &request->visit.finished[i], &request->reports[i]);
    }
}

static bool is_named(const struct scheduler_request *request, int64_t task)
{
    for (size_t i = 0; i < request->held_count; i++)
        if (request->held[i].task == task)
            return true;
    return visit_find_task(&request->visit, task) != NULL;
}

static void read_held(struct members *root, struct scheduler_request *request)
{
    struct members_list list = members_list(root, "held", 0, SCHEDULER_HELD_MAX);
    struct members part;

    request->held = must_alloc(list.count, sizeof *request->held);
    for (size_t i = 0; i < list.count && !members_failed(root); i++) {
        struct held_task *held = &request->held[i];

        list_object(&list, i, &part);
        held->task = members_id(&part, "task");
        held->state = WORD_OF(&part, "state", held_states);
        held->progress_permille =
            (int)members_integer_or(&part, "progress_permille", 0, 1000, SCHEDULER_PROGRESS_UNSAID);
        held->busy_ms = members_integer_or(&part, "busy_ms", 0, SCHEDULER_SPAN_MAX_MS, 0);
        if (!members_failed(root) && is_named(request, held->task))
            members_fail(&part, "task", "malformed", "is there twice");
        members_end_part(&part);
        request->held_count = i + 1;
    }
}

static void read_kept(struct members *root, struct scheduler_request *request)
{
    struct members_list list;
    struct members part;

    if (!members_has(root, "kept"))
        return;
    list = members_list(root, "kept", 1, SCHEDULER_KEPT_MAX);
    request->kept = must_alloc(list.count, sizeof *request->kept);
    for (size_t i = 0; i < list.count && !members_failed(root); i++) {
        list_object(&list, i, &part);
        request->kept[i] = (struct kept_task){.task = members_id(&part, "task"),
                                              .unit = members_digest(&part, "unit"),
                                              .receipt = members_digest(&part, "receipt")};
        members_end_part(&part);
        request->kept_count = i + 1;
    }
}

static void read_refused(struct members *root, struct scheduler_request *request)
{
    struct members_list list;
    struct members part;

    if (!members_has(root, "refused"))
        return;
    list = members_list(root, "refused", 1, SCHEDULER_REFUSED_MAX);
    for (size_t i = 0; i < list.count && !members_failed(root); i++) {
        list_object(&list, i, &part);
        request->refused[i] = members_refused(&part);
        members_end_part(&part);
        request->refused_count = i + 1;
    }
}

static void read_host(struct members *root, struct scheduler_host *host)
{
    struct members part;

    members_object(root, "host", &part);
    members_copy_text(&part, "client", host->client, sizeof host->client);
    host->platforms = members_words(&part, "platforms", SCHEDULER_PLATFORMS_MAX);
    host->layers = members_words(&part, "layers", SCHEDULER_LAYERS_MAX);
    host->cores = members_integer(&part, "cores", 1, LIMITS_CORES_MAX);
    host->memory_bytes = members_integer(&part, "memory_bytes", 0, LIMITS_BYTES_MAX);
    host->disk_bytes = members_integer(&part, "disk_bytes", 0, LIMITS_BYTES_MAX);
    host->time_s = members_time(&part, "time");
    if (!members_failed(root) && host->platforms.count == 0)
        members_fail(&part, "platforms", "malformed", "is empty");
    members_end_part(&part);
}

static void read_wishes(struct members *root, struct scheduler_request *request)
{
    struct members want, have;

    members_object(root, "want", &want);
    request->want_tasks = members_integer(&want, "tasks", 0, SCHEDULER_WANT_MAX);
    request->want_seconds = members_integer(&want, "seconds", 0, LIMITS_SECONDS_MAX);
    members_end_part(&want);
    members_object(root, "have", &have);
    request->have_app_versions = members_digests(&have, "app_versions", SCHEDULER_HAVE_MAX);
    request->have_variants = members_digests(&have, "variants", SCHEDULER_HAVE_MAX);
    members_end_part(&have);
}

static enum status decode_statement(struct members *root, struct scheduler_request *request,
                                    struct error *err)
{
    members_decoded_envelope(root, "statement", VISIT_PAYLOAD_MAX, &request->statement);
    if (members_failed(root))
        return members_end(root);
    if (strcmp(request->statement.type, VISIT_TYPE) != 0)
        return error_set(err, STATUS_INVALID, "statement is not of the type %s", VISIT_TYPE);
    return visit_decode(request->statement.payload, request->statement.payload_length,
                        &request->visit, err);
}

enum status scheduler_request_decode(const char *body, size_t length,
                                     struct scheduler_request *ret_request, struct error *err)
{
    CLEANUP(scheduler_request_clear) struct scheduler_request request = {0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(request_begin(body, length, SCHEDULER_REQUEST_MAX, &root, &members, err));
    TRY(decode_statement(&members, &request, err));
    read_reports(&members, &request);
    read_held(&members, &request);
    read_kept(&members, &request);
    read_refused(&members, &request);
    read_host(&members, &request.host);
    read_wishes(&members, &request);
    TRY(members_end(&members));
    GIVE(ret_request, request);
    return STATUS_OK;
}

/* --- encoding --- */

static void write_report(struct writer *writer, const struct scheduler_report *report)
{
    write_open(writer, NULL, '{');
    write_integer(writer, "task", report->task);
    if (report->has_exit_status)
        write_integer(writer, "exit_status", report->exit_status);
    write_integer_unless_zero(writer, "signal", report->signal);
    if (report->limit != LIMIT_NONE)
        write_text(writer, "limit", task_limit_name(report->limit));
    if (report->refusal != REFUSAL_NONE)
        write_text(writer, "refusal", refusal_code(report->refusal));
    if (!digest_is_none(&report->refused))
        write_digest(writer, "refused", &report->refused);
    write_text_unless_empty(writer, "why", report->why);
    if (report->is_unstarted)
        write_json(writer, "unstarted", "true");
    write_integer(writer, "cpu_ms", report->cpu_ms);
    write_integer(writer, "wall_ms", report->wall_ms);
    write_integer_unless_zero(writer, "busy_ms", report->busy_ms);
    write_integer(writer, "peak_memory_bytes", report->peak_memory_bytes);
    if (report->stderr_tail.length > 0)
        write_base64(writer, "stderr", report->stderr_tail.bytes, report->stderr_tail.length);
    if (report->body_count > 0)
        write_open(writer, "bodies", '[');
    for (size_t i = 0; i < report->body_count; i++) {
        const struct scheduler_body *body = &report->bodies[i];

        write_open(writer, NULL, '{');
        write_text(writer, "name", body->name.text);
        write_base64(writer, "body", body->body.bytes, body->body.length);
        write_close(writer, '}');
    }
    if (report->body_count > 0)
        write_close(writer, ']');
    write_close(writer, '}');
}

static void write_held(struct writer *writer, const struct scheduler_request *request)
{
    write_open(writer, "held", '[');
    for (size_t i = 0; i < request->held_count; i++) {
        const struct held_task *held = &request->held[i];

        write_open(writer, NULL, '{');
        write_integer(writer, "task", held->task);
        write_text(writer, "state", held_states[held->state - 1]);
        if (held->progress_permille != SCHEDULER_PROGRESS_UNSAID)
            write_integer(writer, "progress_permille", held->progress_permille);
        if (held->busy_ms > 0)
            write_integer(writer, "busy_ms", held->busy_ms);
        write_close(writer, '}');
    }
    write_close(writer, ']');
}

static void write_kept(struct writer *writer, const struct scheduler_request *request)
{
    if (request->kept_count == 0)
        return;
    write_open(writer, "kept", '[');
    for (size_t i = 0; i < request->kept_count; i++) {
        write_open(writer, NULL, '{');
        write_integer(writer, "task", request->kept[i].task);
        write_digest(writer, "unit", &request->kept[i].unit);
        write_digest(writer, "receipt", &request->kept[i].receipt);
        write_close(writer, '}');
    }
    write_close(writer, ']');
}

static void write_all_refused(struct writer *writer, const struct scheduler_request *request)
{
    if (request->refused_count == 0)
        return;
    write_open(writer, "refused", '[');
    for (size_t i = 0; i < request->refused_count; i++) {
        write_open(writer, NULL, '{');
        write_refused(writer, &request->refused[i]);
        write_close(writer, '}');
    }
    write_close(writer, ']');
}

static void write_host(struct writer *writer, const struct scheduler_host *host)
{
    write_open(writer, "host", '{');
    write_text(writer, "client", host->client);
    write_texts(writer, "platforms", &host->platforms);
    write_texts(writer, "layers", &host->layers);
    write_integer(writer, "cores", host->cores);
    write_integer(writer, "memory_bytes", host->memory_bytes);
    write_integer(writer, "disk_bytes", host->disk_bytes);
    write_integer(writer, "time", host->time_s);
    write_close(writer, '}');
}

char *scheduler_request_encode(const struct scheduler_request *request)
{
    CLEANUP(freep) char *statement = envelope_encode(&request->statement);
    struct writer writer;

    writer_init(&writer);
    write_json(&writer, "statement", statement);
    write_open(&writer, "reports", '[');
    for (size_t i = 0; i < request->visit.finished_count; i++)
        write_report(&writer, &request->reports[i]);
    write_close(&writer, ']');
    write_held(&writer, request);
    write_kept(&writer, request);
    write_all_refused(&writer, request);
    write_host(&writer, &request->host);
    write_open(&writer, "want", '{');
    write_integer(&writer, "tasks", request->want_tasks);
    write_integer(&writer, "seconds", request->want_seconds);
    write_close(&writer, '}');
    write_open(&writer, "have", '{');
    write_digests(&writer, "app_versions", request->have_app_versions.digests,
                  request->have_app_versions.count);
    write_digests(&writer, "variants", request->have_variants.digests,
                  request->have_variants.count);
    write_close(&writer, '}');
    return writer_end(&writer);
}
