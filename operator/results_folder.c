#include "operator/results_folder.h"

#include <inttypes.h>
#include <string.h>

#include "common/json/build.h"
#include "common/json/members.h"
#include "common/json/profile.h"
#include "operator/renames.h"
#include "operator/session.h"
#include "protocol/words.h"

#define STATE_FILE ".dugnad-fetch"
#define LINES_FILE "results.ndjson"
#define LOCK_FILE  ".dugnad-fetch.lock"
#define NAMES_PART ".dugnad-fetch.names"

static const struct profile_limits state_limits = {.bytes = 4096, .depth = 2};

void results_folder_close(struct results_folder *folder)
{
    disk_file_close(folder->lines);
    disk_file_close(folder->lock);
    folder->lines = folder->lock = NULL;
}

/* Two that wrote at once would leave each other's half lines behind. */
static enum status hold(struct results_folder *folder, struct error *err)
{
    struct disk_path path;
    enum status status;

    TRY(disk_join(&path, err, "%s/%s", folder->path.text, LOCK_FILE));
    status = folder->disk->lock(folder->disk, path.text, &folder->lock, err);
    if (status != STATUS_BUSY)
        return status;
    error_set(err, STATUS_BUSY, "another dugnad is fetching into %.150s", folder->path.text);
    error_code(err, SESSION_HELD);
    return STATUS_BUSY;
}

static enum status parse_state(const struct buffer *content, struct results_folder *folder,
                               struct batch_id *ret_batch, struct error *err)
{
    json_auto_t *root = NULL;
    struct members members;
    const char *cursor;

    TRY(profile_parse(buffer_text(content), content->length, &state_limits, &root, err));
    members_begin(&members, root, err);
    members_hex(&members, "batch", ret_batch->bytes, sizeof ret_batch->bytes);
    cursor = members_text(&members, "cursor", 0, CURSOR_MAX);
    folder->bytes = members_integer(&members, "bytes", 0, PROFILE_INTEGER_MAX);
    if (!members_failed(&members) && cursor[0] != '\0' && !cursor_parse(cursor, &folder->cursor))
        members_fail(&members, "cursor", "malformed", "is not a cursor");
    return members_end(&members);
}

static enum status read_state(struct results_folder *folder, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer content = {0};
    struct batch_id batch = {0};
    struct disk_path path;
    enum status status;

    buffer_init(&content, state_limits.bytes);
    TRY(disk_join(&path, err, "%s/%s", folder->path.text, STATE_FILE));
    status = folder->disk->read(folder->disk, path.text, &content, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    TRY(status);
    TRY(parse_state(&content, folder, &batch, err));
    if (batch_compare(&batch, &folder->batch) != 0)
        return error_set(err, STATUS_CONFLICT, "%.100s holds the results of another batch",
                         folder->path.text);
    return STATUS_OK;
}

enum status results_folder_open(struct results_folder *ret_folder, struct disk *disk,
                                const char *path, const struct batch_id *batch, struct error *err)
{
    CLEANUP(results_folder_close) struct results_folder folder = {.disk = disk, .batch = *batch};
    struct disk_path lines;

    TRY(disk_join(&folder.path, err, "%s", path));
    TRY(disk_make_folders(disk, path, 0755, err));
    TRY(hold(&folder, err));
    TRY(read_state(&folder, err));
    TRY(disk_join(&lines, err, "%s/%s", path, LINES_FILE));
    TRY(disk->open_write(disk, lines.text, 0644, &folder.lines, err));
    TRY(disk->truncate(folder.lines, folder.bytes, err)); /* what a cut left half written */
    *ret_folder = folder;
    folder.lines = folder.lock = NULL;
    return STATUS_OK;
}

enum status results_folder_place(struct results_folder *folder, const char *unit,
                                 const char *output, struct disk_path *ret_path, struct error *err)
{
    struct disk_entry entry;
    struct disk_path parent;

    TRY(disk_join(&parent, err, "%s/%s", folder->path.text, unit));
    TRY(folder->disk->make_folder(folder->disk, parent.text, 0755, err));
    TRY(folder->disk->look(folder->disk, parent.text, &entry, err));
    if (entry.kind != DISK_FOLDER)
        return error_set(err, STATUS_CONFLICT,
                         "%.150s is no folder: what is fetched is written into the folder alone, "
                         "never through a link",
                         parent.text);
    return disk_join(ret_path, err, "%s/%s", parent.text, output);
}

static json_t *outputs_json(const struct result_line *line)
{
    json_t *list = json_array();

    for (size_t i = 0; i < line->output_count; i++) {
        const struct named_output *output = &line->outputs[i].output;

        build_append(list, json_pack("{s:s, s:s, s:I}", "name", output->name.text, "digest",
                                     digest_format(&output->digest).text, "size",
                                     (json_int_t)output->size));
    }
    return list;
}

static json_t *tasks_json(const struct result_line *line)
{
    json_t *list = json_array();

    for (size_t i = 0; i < line->task_count; i++) {
        const struct result_task *task = &line->tasks[i];

        build_append(list, json_pack("{s:I, s:s, s:I}", "task", (json_int_t)task->task, "host",
                                     public_key_format(&task->host).text, "volunteer",
                                     (json_int_t)task->volunteer));
    }
    return list;
}

enum status results_folder_add(struct results_folder *folder, const struct result_line *line,
                               struct error *err)
{
    json_auto_t *root =
        json_pack("{s:s, s:I, s:s, s:s, s:I}", "name", line->name.text, "index",
                  (json_int_t)line->index, "unit", digest_format(&line->unit).text, "state",
                  result_state_name(line->state), "time", (json_int_t)line->time_s);
    CLEANUP(freep) char *text = NULL;
    size_t length;

    if (line->why[0] != '\0')
        build_set(root, "why", json_string(line->why));
    if (line->state == RESULT_ACCEPTED) {
        build_set(root, "outputs", outputs_json(line));
        build_set(root, "tasks", tasks_json(line));
    }
    text = profile_print(root);
    length = strlen(text);
    text[length] = '\n'; /* in place of the NUL: the length is known */
    TRY(folder->disk->write_at(folder->lines, folder->bytes, text, length + 1, err));
    folder->bytes += (int64_t)length + 1;
    return STATUS_OK;
}

enum status results_folder_names(struct results_folder *folder, const char *path, int64_t bytes,
                                 struct error *err)
{
    struct disk_path by, to;

    TRY(disk_join(&by, err, "%s/%s", folder->path.text, NAMES_PART));
    TRY(disk_join(&to, err, "%s/%s", folder->path.text, RENAMES_FILE));
    return renames_copy(
        folder->disk,
        &(struct renames_copy){.from = path, .by = by.text, .to = to.text, .bytes = bytes}, err);
}

enum status results_folder_save(struct results_folder *folder, const struct cursor *cursor,
                                struct error *err)
{
    json_auto_t *root = json_pack("{s:s, s:s, s:I}", "batch", batch_format(&folder->batch).text,
                                  "cursor", cursor->text, "bytes", (json_int_t)folder->bytes);
    CLEANUP(freep) char *text = profile_print(root);
    struct disk_path path;

    TRY(folder->disk->sync(folder->lines, err));
    TRY(disk_join(&path, err, "%s/%s", folder->path.text, STATE_FILE));
    TRY(folder->disk->write(folder->disk, path.text, text, strlen(text), 0644, err));
    folder->cursor = *cursor;
    return STATUS_OK;
}

enum status results_folder_restart(struct results_folder *folder, struct error *err)
{
    static const struct cursor beginning = {{0}};

    folder->bytes = 0;
    TRY(results_folder_save(folder, &beginning, err));
    return folder->disk->truncate(folder->lines, 0, err);
}
