#include "protocol/unit_status.h"

#include "protocol/reading.h"
#include "protocol/writer.h"

#define STDERR_MAX (16 * 1024)

static const char *const states[] = {"open", "judging", "agreed", "accepted", "failed"};

void unit_status_clear(struct unit_status *unit)
{
    for (size_t i = 0; i < unit->task_count; i++) {
        named_outputs_clear(&unit->tasks[i].outputs);
        free(unit->tasks[i].stderr_tail);
    }
    free(unit->tasks);
    texts_clear(&unit->waits_for);
    *unit = (struct unit_status){0};
}

/* The codes of servers newer than this program are let pass, without their meaning. */
static void read_end(struct members *part, struct task_status *task)
{
    task->has_exit_status = members_has(part, "exit_status");
    if (task->has_exit_status)
        task->exit_status = (int)members_integer(part, "exit_status", 0, 255);
    task->signal = (int)members_integer_or(part, "signal", 1, 64, 0);
    if (members_has(part, "limit") &&
        !task_limit_parse(members_text(part, "limit", 1, 64), &task->limit))
        task->limit = LIMIT_NONE;
    if (members_has(part, "refusal"))
        task->refusal = refusal_from_code(members_text(part, "refusal", 1, 64));
    if (task->refusal == REFUSAL_COUNT)
        task->refusal = REFUSAL_NONE;
    members_copy_text_or_empty(part, "why", task->why, sizeof task->why);
    task->stderr_tail = members_shown_text(part, "stderr", STDERR_MAX);
}

static enum task_state read_task_state(struct members *part)
{
    enum task_state state = TASK_SENT;
    const char *name = members_text(part, "state", 1, 64);

    if (!members_failed(part) && !task_state_parse(name, &state))
        members_fail(part, "state", "malformed", "is no state of a task");
    return state;
}

static void read_task(struct members *part, struct task_status *task)
{
    task->task = members_id(part, "task");
    task->state = read_task_state(part);
    task->host = members_id(part, "host");
    task->volunteer = members_id(part, "volunteer");
    task->sent_s = members_time(part, "sent");
    task->deadline_s = members_time(part, "deadline");
    task->reported_s = members_time_or_zero(part, "reported");
    task->outputs = members_outputs(part, "outputs", 0);
    read_end(part, task);
    task->credit = members_count(part, "credit");
}

static void read_tasks(struct members *root, struct unit_status *unit)
{
    struct members_list list = members_list(root, "tasks", 0, UNIT_TASKS_MAX);
    struct members part;

    unit->tasks = must_alloc(list.count, sizeof *unit->tasks);
    for (size_t i = 0; i < list.count && !members_failed(root); i++) {
        list_object(&list, i, &part);
        read_task(&part, &unit->tasks[i]);
        unit->task_count = i + 1;
    }
}

enum status unit_status_decode(const char *body, size_t length, struct unit_status *ret_unit,
                               struct error *err)
{
    CLEANUP(unit_status_clear) struct unit_status unit = {0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(reply_begin(body, length, UNIT_STATUS_MAX, &root, &members, err));
    unit.unit = members_digest(&members, "unit");
    unit.batch = members_batch(&members, "batch");
    unit.name = members_name(&members, "name");
    unit.index = members_count(&members, "index");
    unit.state = WORD_OF(&members, "state", states);
    members_copy_text_or_empty(&members, "why", unit.why, sizeof unit.why);
    unit.waits_for = members_texts(&members, "waits_for", UNIT_STATUS_WAITS_MAX, WHY_MAX);
    read_tasks(&members, &unit);
    TRY(members_end(&members));
    GIVE(ret_unit, unit);
    return STATUS_OK;
}

static void write_task(struct writer *writer, const struct task_status *task)
{
    write_open(writer, NULL, '{');
    write_integer(writer, "task", task->task);
    write_text(writer, "state", task_state_name(task->state));
    write_integer(writer, "host", task->host);
    write_integer(writer, "volunteer", task->volunteer);
    write_integer(writer, "sent", task->sent_s);
    write_integer(writer, "deadline", task->deadline_s);
    write_integer_unless_zero(writer, "reported", task->reported_s);
    write_outputs(writer, "outputs", &task->outputs);
    if (task->has_exit_status)
        write_integer(writer, "exit_status", task->exit_status);
    write_integer_unless_zero(writer, "signal", task->signal);
    if (task->limit != LIMIT_NONE)
        write_text(writer, "limit", task_limit_name(task->limit));
    if (task->refusal != REFUSAL_NONE)
        write_text(writer, "refusal", refusal_code(task->refusal));
    write_text_unless_empty(writer, "why", task->why);
    if (task->stderr_tail != NULL)
        write_text(writer, "stderr", task->stderr_tail);
    write_integer(writer, "credit", task->credit);
    write_close(writer, '}');
}

char *unit_status_encode(const struct unit_status *unit)
{
    struct writer writer;

    writer_init(&writer);
    write_digest(&writer, "unit", &unit->unit);
    write_batch(&writer, "batch", &unit->batch);
    write_text(&writer, "name", unit->name.text);
    write_integer(&writer, "index", unit->index);
    write_text(&writer, "state", states[unit->state - 1]);
    write_text_unless_empty(&writer, "why", unit->why);
    write_texts(&writer, "waits_for", &unit->waits_for);
    write_open(&writer, "tasks", '[');
    for (size_t i = 0; i < unit->task_count; i++)
        write_task(&writer, &unit->tasks[i]);
    write_close(&writer, ']');
    return writer_end(&writer);
}
