#include "protocol/result_line.h"

#include <string.h>

#include "protocol/reading.h"
#include "protocol/visit.h"
#include "protocol/writer.h"

static const char *const states[] = {"accepted", "failed", "cancelled", "reopened"};

const char *result_state_name(enum result_state state)
{
    return states[state - 1];
}

void result_line_clear(struct result_line *line)
{
    for (size_t i = 0; i < line->output_count; i++)
        bytes_clear(&line->outputs[i].body);
    for (size_t i = 0; i < line->task_count; i++)
        free(line->tasks[i].statement);
    free(line->outputs);
    free(line->tasks);
    free(line->manifest);
    *line = (struct result_line){0};
}

static void read_output(struct members *part, struct result_output *output)
{
    output->output = part_output(part);
    output->is_inline = members_has(part, "body");
    if (output->is_inline)
        output->body = members_bytes(part, "body", UNIT_INLINE_MAX_BYTES);
    if (output->is_inline && !members_failed(part) &&
        (int64_t)output->body.length != output->output.size)
        members_fail(part, "body", "malformed", "has not the size that is named");
}

static void read_outputs(struct members *root, struct result_line *line)
{
    struct members_list list = members_list(root, "outputs", 1, OUTPUTS_MAX);
    struct members part;

    line->outputs = must_alloc(list.count, sizeof *line->outputs);
    for (size_t i = 0; i < list.count && !members_failed(root); i++) {
        list_object(&list, i, &part);
        read_output(&part, &line->outputs[i]);
        line->output_count = i + 1;
    }
}

static void read_tasks(struct members *root, struct result_line *line)
{
    struct members_list list = members_list(root, "tasks", 1, UNIT_TASKS_MAX);
    struct members part;

    line->tasks = must_alloc(list.count, sizeof *line->tasks);
    for (size_t i = 0; i < list.count && !members_failed(root); i++) {
        list_object(&list, i, &part);
        line->tasks[i] = (struct result_task){
            .task = members_id(&part, "task"),
            .host = members_public_key(&part, "host"),
            .volunteer = members_id(&part, "volunteer"),
            .statement = members_envelope(&part, "statement", VISIT_PAYLOAD_MAX),
        };
        line->task_count = i + 1;
    }
}

static void read_acceptance(struct members *root, struct result_line *line)
{
    static const char *const rules[] = {"quorum"};

    line->revision = members_id(root, "revision");
    (void)WORD_OF(root, "rule", rules);
    read_outputs(root, line);
    read_tasks(root, line);
}

enum status result_line_decode(const char *text, size_t length, struct result_line *ret_line,
                               struct error *err)
{
    CLEANUP(result_line_clear) struct result_line line = {0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(reply_begin(text, length, RESULT_LINE_MAX, &root, &members, err));
    line.cursor = members_cursor(&members, "cursor");
    line.unit = members_digest(&members, "unit");
    line.name = members_name(&members, "name");
    line.index = members_count(&members, "index");
    line.state = WORD_OF(&members, "state", states);
    members_copy_text_or_empty(&members, "why", line.why, sizeof line.why);
    if (line.state == RESULT_ACCEPTED)
        read_acceptance(&members, &line);
    line.manifest = members_envelope(&members, "manifest", ENVELOPE_PAYLOAD_MAX);
    line.time_s = members_time(&members, "time");
    TRY(members_end(&members));
    GIVE(ret_line, line);
    return STATUS_OK;
}

static void write_acceptance(struct writer *writer, const struct result_line *line)
{
    write_integer(writer, "revision", line->revision);
    write_text(writer, "rule", "quorum");
    write_open(writer, "outputs", '[');
    for (size_t i = 0; i < line->output_count; i++) {
        const struct result_output *output = &line->outputs[i];

        write_open(writer, NULL, '{');
        write_output_members(writer, &output->output);
        if (output->is_inline)
            write_base64(writer, "body", output->body.bytes, output->body.length);
        write_close(writer, '}');
    }
    write_close(writer, ']');
    write_open(writer, "tasks", '[');
    for (size_t i = 0; i < line->task_count; i++) {
        const struct result_task *task = &line->tasks[i];

        write_open(writer, NULL, '{');
        write_integer(writer, "task", task->task);
        write_key(writer, "host", &task->host);
        write_integer(writer, "volunteer", task->volunteer);
        write_json(writer, "statement", task->statement);
        write_close(writer, '}');
    }
    write_close(writer, ']');
}

char *result_line_encode(const struct result_line *line)
{
    struct writer writer;
    CLEANUP(freep) char *text = NULL;

    writer_init(&writer);
    write_text(&writer, "cursor", line->cursor.text);
    write_digest(&writer, "unit", &line->unit);
    write_text(&writer, "name", line->name.text);
    write_integer(&writer, "index", line->index);
    write_text(&writer, "state", result_state_name(line->state));
    write_text_unless_empty(&writer, "why", line->why);
    if (line->state == RESULT_ACCEPTED)
        write_acceptance(&writer, line);
    write_json(&writer, "manifest", line->manifest);
    write_integer(&writer, "time", line->time_s);
    text = writer_end(&writer);
    return text_format("%s\n", text);
}
