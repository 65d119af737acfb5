#include "protocol/batch.h"

#include "common/base/text.h"
#include "protocol/batch_json.h"

static const char *const phases[] = {"open", "closed", "held", "paused", "cancelled", "finished"};
static const char *const actions[] = {"close", "cancel",   "hold", "release",
                                      "retry", "priority", "again"};

const char *batch_phase_name(enum batch_phase phase)
{
    return phases[phase - 1];
}

bool batch_has_ended(const struct batch_status *status)
{
    return status->phase == PHASE_CANCELLED || status->phase == PHASE_FINISHED;
}

enum batch_phase read_batch_phase(struct members *members, const char *name)
{
    return WORD_OF(members, name, phases);
}

static void read_name(struct members *members, char *ret_name, size_t size)
{
    const char *name = members_file_name(members, "name");

    if (!text_fit(ret_name, size, name))
        members_fail(members, "name", "bad-file-name", "has more than %d characters",
                     BATCH_NAME_MAX);
    else if (!batch_is_name(ret_name))
        members_fail(members, "name", "bad-file-name", "is 32 hex digits: so is a batch's id");
}

static int32_t read_priority(struct members *members)
{
    return (int32_t)members_integer(members, "priority", -BATCH_PRIORITY_MAX, BATCH_PRIORITY_MAX);
}

enum status batch_request_decode(const char *body, size_t length, struct batch_request *ret_request,
                                 struct error *err)
{
    json_auto_t *root = NULL;
    struct members members;
    struct batch_request request;

    TRY(request_begin(body, length, BATCH_REQUEST_MAX, &root, &members, err));
    request.batch = members_batch(&members, "batch");
    read_name(&members, request.name, sizeof request.name);
    request.app_version = members_digest(&members, "app_version");
    request.priority = read_priority(&members);
    request.needed_by_s = members_time_or_zero(&members, "needed_by");
    TRY(members_end(&members));
    *ret_request = request;
    return STATUS_OK;
}

char *batch_request_encode(const struct batch_request *request)
{
    struct writer writer;

    writer_init(&writer);
    write_batch(&writer, "batch", &request->batch);
    write_text(&writer, "name", request->name);
    write_digest(&writer, "app_version", &request->app_version);
    write_integer(&writer, "priority", request->priority);
    write_integer_unless_zero(&writer, "needed_by", request->needed_by_s);
    return writer_end(&writer);
}

enum status batch_action_decode(const char *body, size_t length,
                                struct batch_action_request *ret_request, struct error *err)
{
    json_auto_t *root = NULL;
    struct members members;
    struct batch_action_request request = {0};

    TRY(request_begin(body, length, BATCH_REQUEST_MAX, &root, &members, err));
    request.action = WORD_OF(&members, "action", actions);
    if (request.action == ACTION_PRIORITY)
        request.priority = read_priority(&members);
    if (request.action == ACTION_AGAIN)
        request.unit = members_digest_or_none(&members, "unit");
    TRY(members_end(&members));
    *ret_request = request;
    return STATUS_OK;
}

char *batch_action_encode(const struct batch_action_request *request)
{
    struct writer writer;

    writer_init(&writer);
    write_text(&writer, "action", actions[request->action - 1]);
    if (request->action == ACTION_PRIORITY)
        write_integer(&writer, "priority", request->priority);
    if (request->action == ACTION_AGAIN && !digest_is_none(&request->unit))
        write_digest(&writer, "unit", &request->unit);
    return writer_end(&writer);
}

/* --- how it stands --- */

static void read_outcomes(struct members *members, struct task_outcomes *outcomes)
{
    struct members part;

    members_object(members, "task_outcomes", &part);
    outcomes->agreed = members_count(&part, "agreed");
    outcomes->outvoted = members_count(&part, "outvoted");
    outcomes->inconclusive = members_count(&part, "inconclusive");
    outcomes->error = members_count(&part, "error");
    outcomes->overdue = members_count(&part, "overdue");
    outcomes->dropped = members_count(&part, "dropped");
    outcomes->abandoned = members_count(&part, "abandoned");
}

static void read_counts(struct members *members, struct batch_status *status)
{
    status->units = members_count(members, "units");
    status->waiting = members_count(members, "waiting");
    status->running = members_count(members, "running");
    status->judging = members_count(members, "judging");
    status->agreed = members_count(members, "agreed");
    status->accepted = members_count(members, "accepted");
    status->failed = members_count(members, "failed");
    status->cancelled = members_count(members, "cancelled");
    status->tasks = members_count(members, "tasks");
    read_outcomes(members, &status->outcomes);
}

static void read_retry(struct members *members, struct retry_status *ret_retry)
{
    struct members part;

    if (!members_has(members, "retry"))
        return;
    members_object(members, "retry", &part);
    *ret_retry = (struct retry_status){.is_there = true,
                                       .is_running = members_boolean(&part, "running"),
                                       .reopened = members_count(&part, "reopened"),
                                       .expired = members_count(&part, "expired"),
                                       .revoked = members_count(&part, "revoked"),
                                       .spent = members_count(&part, "spent")};
}

struct batch_status read_batch_status(struct members *members)
{
    struct batch_status status = {
        .batch = members_batch(members, "batch"),
        .app = members_word(members, "app"),
        .app_version = members_digest(members, "app_version"),
        .phase = read_batch_phase(members, "state"),
        .priority = read_priority(members),
        .needed_by_s = members_time_or_zero(members, "needed_by"),
        .created_s = members_time(members, "created"),
        .finish_estimate_s = members_time_or_zero(members, "finish_estimate_s"),
    };

    read_name(members, status.name, sizeof status.name);
    members_copy_text_or_empty(members, "why", status.why, sizeof status.why);
    read_counts(members, &status);
    read_retry(members, &status.retry);
    return status;
}

enum status batch_status_decode(const char *body, size_t length, struct batch_status *ret_status,
                                struct error *err)
{
    json_auto_t *root = NULL;
    struct members members;
    struct batch_status status;

    TRY(reply_begin(body, length, BATCH_REPLY_MAX, &root, &members, err));
    status = read_batch_status(&members);
    TRY(members_end(&members));
    *ret_status = status;
    return STATUS_OK;
}

static void write_outcomes(struct writer *writer, const struct task_outcomes *outcomes)
{
    write_open(writer, "task_outcomes", '{');
    write_integer(writer, "agreed", outcomes->agreed);
    write_integer(writer, "outvoted", outcomes->outvoted);
    write_integer(writer, "inconclusive", outcomes->inconclusive);
    write_integer(writer, "error", outcomes->error);
    write_integer(writer, "overdue", outcomes->overdue);
    write_integer(writer, "dropped", outcomes->dropped);
    write_integer(writer, "abandoned", outcomes->abandoned);
    write_close(writer, '}');
}

static void write_retry(struct writer *writer, const struct retry_status *retry)
{
    if (!retry->is_there)
        return;
    write_open(writer, "retry", '{');
    write_json(writer, "running", retry->is_running ? "true" : "false");
    write_integer(writer, "reopened", retry->reopened);
    write_integer(writer, "expired", retry->expired);
    write_integer(writer, "revoked", retry->revoked);
    write_integer(writer, "spent", retry->spent);
    write_close(writer, '}');
}

void write_batch_status(struct writer *writer, const struct batch_status *status)
{
    write_batch(writer, "batch", &status->batch);
    write_text(writer, "name", status->name);
    write_text(writer, "app", status->app.text);
    write_digest(writer, "app_version", &status->app_version);
    write_text(writer, "state", batch_phase_name(status->phase));
    write_text_unless_empty(writer, "why", status->why);
    write_integer(writer, "priority", status->priority);
    write_integer_unless_zero(writer, "needed_by", status->needed_by_s);
    write_integer(writer, "created", status->created_s);
    write_integer(writer, "units", status->units);
    write_integer(writer, "waiting", status->waiting);
    write_integer(writer, "running", status->running);
    write_integer(writer, "judging", status->judging);
    write_integer(writer, "agreed", status->agreed);
    write_integer(writer, "accepted", status->accepted);
    write_integer(writer, "failed", status->failed);
    write_integer(writer, "cancelled", status->cancelled);
    write_integer(writer, "tasks", status->tasks);
    write_outcomes(writer, &status->outcomes);
    write_retry(writer, &status->retry);
    write_integer_unless_zero(writer, "finish_estimate_s", status->finish_estimate_s);
}

char *batch_status_encode(const struct batch_status *status)
{
    struct writer writer;

    writer_init(&writer);
    write_batch_status(&writer, status);
    return writer_end(&writer);
}
