#include "operator/unit_source.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"
#include "common/json/profile.h"

#define PIECE_BYTES 65536

void unit_draft_clear(struct unit_draft *draft)
{
    texts_clear(&draft->arguments);
    texts_clear(&draft->paths);
    *draft = (struct unit_draft){0};
}

void unit_source_clear(struct unit_source *source)
{
    input_groups_clear(&source->groups);
    disk_file_close(source->file);
    buffer_clear(&source->ahead);
    unit_draft_clear(&source->peeked);
    *source = (struct unit_source){0};
}

/* --- beginning --- */

void unit_source_one(struct unit_source *ret_source)
{
    *ret_source = (struct unit_source){.kind = SOURCE_ONE};
}

enum status unit_source_range(struct unit_source *ret_source, const char *range, int64_t step,
                              struct error *err)
{
    const char *dots = strstr(range, "..");
    CLEANUP(freep) char *from = text_copy_n(range, dots != NULL ? (size_t)(dots - range) : 0);
    struct unit_source source = {.kind = SOURCE_RANGE, .step = step};

    if (dots == NULL || !text_to_integer(from, 0, UNIT_RANGE_MAX, &source.next) ||
        !text_to_integer(dots + 2, 0, UNIT_RANGE_MAX, &source.to))
        return error_set(err, STATUS_INVALID, "--range is A..B, whole numbers from 0 to 2^53-1");
    if (source.next >= source.to)
        return error_set(err, STATUS_INVALID, "--range %.60s is empty: B has to be above A", range);
    source.from = source.next;
    *ret_source = source;
    return STATUS_OK;
}

void unit_source_groups(struct unit_source *ret_source, struct input_groups *groups)
{
    *ret_source = (struct unit_source){.kind = SOURCE_GROUPS, .groups = *groups};
    *groups = (struct input_groups){0};
}

enum status unit_source_file(struct unit_source *ret_source, struct disk *disk, const char *path,
                             struct error *err)
{
    struct unit_source source = {.kind = SOURCE_LINES, .disk = disk};
    struct error why = {0};

    if (disk->open_read(disk, path, &source.file, &why) != STATUS_OK)
        return error_set(err, why.status, "%.150s%s%s", path,
                         why.status == STATUS_INVALID ? " is " : ": ", why.text);
    buffer_init(&source.ahead, 2 * UNIT_LINE_MAX + PIECE_BYTES);
    *ret_source = source;
    return STATUS_OK;
}

void unit_source_stream(struct unit_source *ret_source, FILE *stream)
{
    *ret_source = (struct unit_source){.kind = SOURCE_LINES, .stream = stream};
    buffer_init(&ret_source->ahead, 2 * UNIT_LINE_MAX + PIECE_BYTES);
}

bool unit_source_can_rewind(const struct unit_source *source)
{
    return source->file != NULL || source->kind == SOURCE_RANGE;
}

void unit_source_rewind(struct unit_source *source)
{
    assert(unit_source_can_rewind(source));
    source->next = source->from;
    source->offset = 0;
    source->line = 0;
    source->is_at_end = false;
    source->is_peeked = false;
    unit_draft_clear(&source->peeked);
    buffer_reset(&source->ahead);
}

int64_t unit_source_count(const struct unit_source *source)
{
    switch (source->kind) {
    case SOURCE_ONE:
        return 1;
    case SOURCE_RANGE:
        return (source->to - source->next - 1) / source->step + 1;
    case SOURCE_GROUPS:
        return (int64_t)source->groups.count;
    default:
        return -1;
    }
}

/* --- lines --- */

static enum status read_more(struct unit_source *source, struct error *err)
{
    char *room = buffer_reserve(&source->ahead, PIECE_BYTES);
    size_t count = 0;

    if (room == NULL)
        return error_set(err, STATUS_TOO_LARGE, "line %" PRId64 " has more than %d bytes",
                         source->line + 1, UNIT_LINE_MAX);
    if (source->stream != NULL)
        count = fread(room, 1, PIECE_BYTES, source->stream);
    else
        TRY(source->disk->read_at(source->file, source->offset, room, PIECE_BYTES, &count, err));
    source->offset += (int64_t)count;
    source->is_at_end = count == 0;
    buffer_commit(&source->ahead, count);
    return STATUS_OK;
}

/* The next line without its end; *ret_line NULL: there is none. */
static enum status next_line(struct unit_source *source, char **ret_line, struct error *err)
{
    const char *end;
    size_t length;

    *ret_line = NULL;
    for (;;) {
        end = source->ahead.length > 0 ? memchr(source->ahead.bytes, '\n', source->ahead.length)
                                       : NULL;
        if (end != NULL || source->is_at_end)
            break;
        TRY(read_more(source, err));
    }
    length = end != NULL ? (size_t)(end - source->ahead.bytes) : source->ahead.length;
    if (length == 0 && end == NULL)
        return STATUS_OK;
    source->line++;
    if (length > UNIT_LINE_MAX)
        return error_set(err, STATUS_TOO_LARGE, "line %" PRId64 " has more than %d bytes",
                         source->line, UNIT_LINE_MAX);
    *ret_line = text_copy_n(source->ahead.bytes, length);
    buffer_consume(&source->ahead, length + (end != NULL));
    return STATUS_OK;
}

static void read_arguments(struct members *members, struct unit_draft *draft)
{
    struct members_list list;

    draft->has_arguments = members_has(members, "args");
    if (!draft->has_arguments)
        return;
    list = members_list(members, "args", 0, WORK_UNIT_ARGUMENTS_MAX);
    for (size_t i = 0; i < list.count && !members_failed(members); i++)
        texts_add(&draft->arguments, list_text(&list, i, 0, ARGUMENT_MAX));
}

static void read_inputs(struct members *members, struct unit_draft *draft)
{
    struct members_list list;

    if (!members_has(members, "inputs"))
        return;
    list = members_list(members, "inputs", 0, WORK_UNIT_INPUTS_MAX);
    for (size_t i = 0; i < list.count && !members_failed(members); i++)
        texts_add(&draft->paths, list_text(&list, i, 1, DISK_PATH_MAX - 1));
}

static enum status parse_line(const char *line, struct unit_draft *draft, struct error *err)
{
    static const struct profile_limits limits = {.bytes = UNIT_LINE_MAX, .depth = 3};
    json_auto_t *root = NULL;
    struct members members;

    TRY(profile_parse(line, strlen(line), &limits, &root, err));
    members_begin(&members, root, err);
    if (members_has(&members, "name"))
        draft->name = members_name(&members, "name");
    read_arguments(&members, draft);
    read_inputs(&members, draft);
    return members_end(&members);
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t\r")] == '\0';
}

static enum status next_of_lines(struct unit_source *source, struct unit_draft *draft,
                                 bool *ret_is_there, struct error *err)
{
    struct error why = {0};

    for (;;) {
        CLEANUP(freep) char *line = NULL;

        TRY(next_line(source, &line, err));
        *ret_is_there = line != NULL;
        if (line == NULL)
            return STATUS_OK;
        if (is_blank(line))
            continue;
        if (parse_line(line, draft, &why) != STATUS_OK)
            return error_set(err, STATUS_INVALID, "line %" PRId64 " of the units: %s", source->line,
                             why.text);
        return STATUS_OK;
    }
}

/* --- the others --- */

static void next_of_range(struct unit_source *source, struct unit_draft *draft, bool *ret_is_there)
{
    *ret_is_there = source->next < source->to;
    if (!*ret_is_there)
        return;
    draft->has_range = true;
    draft->from = source->next;
    draft->to = source->to - source->next < source->step ? source->to : source->next + source->step;
    source->next = draft->to;
    (void)snprintf(draft->name.text, sizeof draft->name.text, "%" PRId64 "-%" PRId64, draft->from,
                   draft->to);
}

static void next_of_groups(struct unit_source *source, struct unit_draft *draft, bool *ret_is_there)
{
    struct input_group *group;

    *ret_is_there = source->next < (int64_t)source->groups.count;
    if (!*ret_is_there)
        return;
    group = &source->groups.groups[source->next++];
    draft->name = group->name;
    draft->paths = group->paths;
    draft->origin_length = group->origin_length;
    group->paths = (struct texts){0};
}

enum status unit_source_peek(struct unit_source *source, const struct unit_draft **ret_draft,
                             struct error *err)
{
    if (!source->is_peeked) {
        TRY(unit_source_next(source, &source->peeked, &source->is_peeked_there, err));
        source->is_peeked = true;
    }
    *ret_draft = source->is_peeked_there ? &source->peeked : NULL;
    return STATUS_OK;
}

enum status unit_source_next(struct unit_source *source, struct unit_draft *ret_draft,
                             bool *ret_is_there, struct error *err)
{
    CLEANUP(unit_draft_clear) struct unit_draft draft = {0};
    bool is_there = false;

    if (source->is_peeked) {
        *ret_draft = source->peeked;
        *ret_is_there = source->is_peeked_there;
        source->peeked = (struct unit_draft){0};
        source->is_peeked = false;
        return STATUS_OK;
    }
    if (source->kind == SOURCE_RANGE)
        next_of_range(source, &draft, &is_there);
    else if (source->kind == SOURCE_GROUPS)
        next_of_groups(source, &draft, &is_there);
    else if (source->kind == SOURCE_LINES)
        TRY(next_of_lines(source, &draft, &is_there, err));
    else
        is_there = source->next++ == 0;
    *ret_draft = draft;
    draft = (struct unit_draft){0};
    *ret_is_there = is_there;
    return STATUS_OK;
}
