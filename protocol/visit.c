#include "protocol/visit.h"

#include "protocol/reading.h"
#include "protocol/writer.h"

static const char *const outcomes[] = {"done", "error", "refused", "abandoned"};

const char *visit_outcome_name(enum visit_outcome outcome)
{
    return outcomes[outcome - 1];
}

void visit_clear(struct visit *visit)
{
    for (size_t i = 0; i < visit->finished_count; i++)
        named_outputs_clear(&visit->finished[i].outputs);
    free(visit->finished);
    *visit = (struct visit){0};
}

const struct visit_task *visit_find_task(const struct visit *visit, int64_t task)
{
    for (size_t i = 0; i < visit->finished_count; i++)
        if (visit->finished[i].task == task)
            return &visit->finished[i];
    return NULL;
}

static struct visit_task read_task(struct members *part)
{
    struct visit_task task = {
        .task = members_id(part, "task"),
        .unit = members_digest(part, "unit"),
        .outcome = WORD_OF(part, "outcome", outcomes),
        .outputs = members_outputs(part, "outputs", 0),
    };

    if (!members_failed(part) && (task.outcome == VISIT_DONE) != (task.outputs.count > 0))
        members_fail(part, "outputs", "malformed", "is not empty exactly if the outcome is done");
    members_end_part(part);
    return task;
}

static void read_finished(struct members *root, struct visit *visit)
{
    struct members_list list = members_list(root, "finished", 0, VISIT_FINISHED_MAX);
    struct members part;

    visit->finished = must_alloc(list.count, sizeof *visit->finished);
    for (size_t i = 0; i < list.count && !members_failed(root); i++) {
        list_object(&list, i, &part);
        visit->finished[i] = read_task(&part);
        if (!members_failed(root) && visit_find_task(visit, visit->finished[i].task) != NULL)
            members_fail(&part, "task", "malformed", "is there twice");
        visit->finished_count = i + 1;
    }
}

enum status visit_decode(const char *payload, size_t length, struct visit *ret_visit,
                         struct error *err)
{
    CLEANUP(visit_clear) struct visit visit = {0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(request_begin(payload, length, VISIT_PAYLOAD_MAX, &root, &members, err));
    members_type(&members, VISIT_TYPE);
    visit.project = members_digest(&members, "project");
    visit.number = members_id(&members, "visit");
    read_finished(&members, &visit);
    TRY(members_end(&members));
    GIVE(ret_visit, visit);
    return STATUS_OK;
}

char *visit_encode(const struct visit *visit)
{
    struct writer writer;

    writer_init(&writer);
    write_text(&writer, "type", VISIT_TYPE);
    write_digest(&writer, "project", &visit->project);
    write_integer(&writer, "visit", visit->number);
    write_open(&writer, "finished", '[');
    for (size_t i = 0; i < visit->finished_count; i++) {
        const struct visit_task *task = &visit->finished[i];

        write_open(&writer, NULL, '{');
        write_integer(&writer, "task", task->task);
        write_digest(&writer, "unit", &task->unit);
        write_text(&writer, "outcome", visit_outcome_name(task->outcome));
        write_outputs(&writer, "outputs", &task->outputs);
        write_close(&writer, '}');
    }
    write_close(&writer, ']');
    return writer_end(&writer);
}
