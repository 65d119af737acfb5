#include "server/engine/uploads.h"

#include <string.h>

#include "server/engine/reports.h"

/* Which output of which task an upload is about. */
struct target {
    int64_t host;
    int64_t task;
    const char *name;
    int64_t size_bytes;
    struct unit *unit;
    struct task *found;
    struct output *output;
};

static struct output *find_output(const struct task *task, const char *name)
{
    for (size_t i = 0; i < task->output_count; i++)
        if (strcmp(task->outputs[i].name, name) == 0)
            return &task->outputs[i];
    return NULL;
}

/* A body that is stored already may be named again, whatever became of its unit. */
static enum status find_target(const struct cycle *cycle, struct target *target, struct error *err)
{
    target->found = reports_own_task(&cycle->set, target->host, target->task, &target->unit);
    if (target->found == NULL)
        return error_set(err, STATUS_FORBIDDEN, "this host holds no such task");
    target->output = find_output(target->found, target->name);
    if (target->output == NULL)
        return error_set(err, STATUS_INVALID, "the task reported no output of this name");
    if (target->output->size_bytes != target->size_bytes)
        return error_set(err, STATUS_INVALID, "the task reported this output with %lld bytes",
                         (long long)target->output->size_bytes);
    if (!target->output->is_stored && !target->found->is_asked)
        return error_set(err, STATUS_FORBIDDEN, "nobody asked for this task's outputs");
    return STATUS_OK;
}

static enum status judge(const struct cycle *cycle, struct may_upload_command *ask,
                         struct error *err)
{
    struct target target = {
        .host = ask->host, .task = ask->task, .name = ask->name, .size_bytes = ask->size_bytes};
    const struct published_stops *stops = &cycle->engine->stops;

    TRY(find_target(cycle, &target, err));
    ask->digest = target.output->digest;
    ask->is_stored = target.output->is_stored;
    if (ask->is_stored || !stops->uploads)
        return STATUS_OK;
    (void)error_set(err, STATUS_FULL, "uploads are stopped: %s", stops->why);
    error_retry_after(err, 600);
    return STATUS_FULL;
}

void uploads_judge(struct cycle *cycle, struct command *command)
{
    command->status = judge(cycle, &command->may_upload, &command->err);
}

static enum status take(struct cycle *cycle, const struct uploaded_command *uploaded,
                        struct error *err)
{
    struct target target = {.host = uploaded->host,
                            .task = uploaded->task,
                            .name = uploaded->name,
                            .size_bytes = uploaded->size_bytes};

    TRY(find_target(cycle, &target, err));
    if (!digest_equals(&target.output->digest, &uploaded->digest))
        return error_set(err, STATUS_CONFLICT, "the body is not what was reported");
    if (target.output->is_stored)
        return STATUS_OK;
    TRY(cycle_check_file(cycle, &uploaded->digest, err));
    reports_mark_stored(target.unit, &uploaded->digest);
    cycle_deliver(cycle, (struct cycle_delivery){.file = {.digest = uploaded->digest,
                                                          .size_bytes = uploaded->size_bytes,
                                                          .time_s = cycle->clock.now_s,
                                                          .is_output = true},
                                                 .task = uploaded->task});
    return STATUS_OK;
}

void uploads_take(struct cycle *cycle, struct command *command)
{
    command->status = take(cycle, &command->uploaded, &command->err);
}
