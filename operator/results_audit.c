#include "operator/results_audit.h"

#include <string.h>

#include "common/base/text.h"
#include "common/json/profile.h"
#include "operator/download.h"

#define PIECE_BYTES 65536

struct auditing {
    const struct results_folder *folder;
    int64_t units;
    int64_t *last; /* owned; by a unit's index: 1 + where its last line begins; 0: it has none */
    struct results_audit found;
};

static void auditing_clear(struct auditing *auditing)
{
    free(auditing->last);
}

/* --- a line that we wrote --- */

struct own_line {
    json_t *root; /* owned */
    int64_t index;
    const char *unit; /* its name; borrowed, as all below */
    bool is_accepted;
    const json_t *outputs;
};

static void own_line_clear(struct own_line *line)
{
    json_decref(line->root);
}

static bool own_line_parse(const char *text, size_t length, int64_t units, struct own_line *line)
{
    static const struct profile_limits limits = {.bytes = RESULT_LINE_MAX, .depth = 4};
    const char *state;

    if (profile_parse(text, length, &limits, &line->root, NULL) != STATUS_OK)
        return false;
    line->index = json_is_integer(json_object_get(line->root, "index"))
                      ? json_integer_value(json_object_get(line->root, "index"))
                      : -1;
    line->unit = json_string_value(json_object_get(line->root, "name"));
    state = json_string_value(json_object_get(line->root, "state"));
    if (state == NULL || line->unit == NULL || !text_is_file_name(line->unit))
        return false;
    line->is_accepted = strcmp(state, result_state_name(RESULT_ACCEPTED)) == 0;
    line->outputs = json_object_get(line->root, "outputs");
    return line->index >= 0 && line->index < units &&
           (!line->is_accepted || json_is_array(line->outputs));
}

static bool parse_output(const json_t *json, struct named_output *output)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *digest = json_string_value(json_object_get(json, "digest"));

    *output = (struct named_output){.size = json_integer_value(json_object_get(json, "size"))};
    return name != NULL && digest != NULL && text_is_file_name(name) &&
           text_fit(output->name.text, sizeof output->name.text, name) &&
           digest_parse(digest, &output->digest);
}

/* --- lines --- */

typedef void take_line(struct auditing *auditing, int64_t at, const struct own_line *line);

static void note_last(struct auditing *auditing, int64_t at, const struct own_line *line)
{
    auditing->last[line->index] = at + 1;
}

/* In a folder that is one: beyond a link the files are not ours. */
static bool has_outputs(struct auditing *auditing, const struct own_line *line)
{
    const struct results_folder *folder = auditing->folder;
    struct disk_entry entry;
    struct disk_path path;

    if (disk_join(&path, NULL, "%s/%s", folder->path.text, line->unit) != STATUS_OK ||
        folder->disk->look(folder->disk, path.text, &entry, NULL) != STATUS_OK ||
        entry.kind != DISK_FOLDER)
        return false;
    for (size_t i = 0; i < json_array_size(line->outputs); i++) {
        struct named_output output;

        if (!parse_output(json_array_get(line->outputs, i), &output)) {
            auditing->found.is_list_damaged = true;
            return true;
        }
        if (disk_join(&path, NULL, "%s/%s/%s", folder->path.text, line->unit, output.name.text) !=
                STATUS_OK ||
            !output_is_there(folder->disk, &output, path.text))
            return false;
    }
    return true;
}

static void check_if_last(struct auditing *auditing, int64_t at, const struct own_line *line)
{
    if (auditing->last[line->index] == at + 1 && line->is_accepted && !has_outputs(auditing, line))
        auditing->found.damaged_units++;
}

/* Whole lines in `ahead`, of which the first begins at *at. */
static void take_lines(struct auditing *auditing, struct buffer *ahead, int64_t *at,
                       take_line *take)
{
    const char *end;

    while (!auditing->found.is_list_damaged && ahead->length > 0 &&
           (end = memchr(ahead->bytes, '\n', ahead->length)) != NULL) {
        CLEANUP(own_line_clear) struct own_line line = {0};
        size_t length = (size_t)(end - ahead->bytes);

        if (own_line_parse(ahead->bytes, length, auditing->units, &line))
            take(auditing, *at, &line);
        else
            auditing->found.is_list_damaged = true;
        *at += (int64_t)length + 1;
        buffer_consume(ahead, length + 1);
    }
}

static enum status each_line(struct auditing *auditing, take_line *take, struct error *err)
{
    const struct results_folder *folder = auditing->folder;
    CLEANUP(buffer_clear) struct buffer ahead = {0};
    int64_t at = 0;

    buffer_init(&ahead, RESULT_LINE_MAX + PIECE_BYTES);
    for (int64_t offset = 0; offset < folder->bytes && !auditing->found.is_list_damaged;) {
        char *room = buffer_reserve(&ahead, PIECE_BYTES);
        size_t count = 0;

        if (room != NULL)
            TRY(folder->disk->read_at(folder->lines, offset, room, PIECE_BYTES, &count, err));
        buffer_commit(&ahead, count);
        offset += (int64_t)count;
        auditing->found.is_list_damaged = count == 0; /* too long a line, or too short a file */
        take_lines(auditing, &ahead, &at, take);
    }
    auditing->found.is_list_damaged = auditing->found.is_list_damaged || ahead.length > 0;
    return STATUS_OK;
}

enum status results_audit(const struct results_folder *folder, int64_t units,
                          struct results_audit *ret_audit, struct error *err)
{
    CLEANUP(auditing_clear)
    struct auditing auditing = {
        .folder = folder, .units = units, .last = must_alloc((size_t)units, sizeof(int64_t))};

    TRY(each_line(&auditing, note_last, err));
    if (!auditing.found.is_list_damaged)
        TRY(each_line(&auditing, check_if_last, err));
    *ret_audit = auditing.found;
    return STATUS_OK;
}
