#include "operator/renames.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/text.h"

#define PIECE_BYTES 65536
#define BESIDE_PATH (2 * TEXT_FILE_NAME_MAX + 32) /* most bytes of a line that are not its path */

/* --- lines --- */

/* The bytes of the character that begins here, if it may stand as it is; else 0. */
static size_t plain_length(const char *text)
{
    for (size_t length = 1; length <= 4 && text[length - 1] != '\0'; length++)
        if (text_is_plain(text, length, false))
            return length;
    return 0;
}

static void add_escaped(struct buffer *lines, const char *text)
{
    while (*text != '\0') {
        const char *special = strchr("\t\n\\", *text);
        size_t length = plain_length(text);

        if (special != NULL)
            (void)buffer_printf(lines, NULL, "\\%c", "tn\\"[special - "\t\n\\"]);
        else if (length == 0)
            (void)buffer_printf(lines, NULL, "\\x%02x", (unsigned char)*text);
        else
            (void)buffer_append(lines, text, length, NULL);
        text += special != NULL || length == 0 ? 1 : length;
    }
}

static void add_line(struct buffer *lines, const struct work_unit *unit, const char *input,
                     const char *path)
{
    (void)buffer_printf(lines, NULL, "%s\t%s\t", unit->name.text, input);
    add_escaped(lines, path);
    (void)buffer_printf(lines, NULL, "\t%" PRId64 "\n", unit->index);
}

static bool is_named_like(const char *name, const char *path)
{
    const char *slash = strrchr(path, '/');

    return strcmp(name, slash != NULL ? slash + 1 : path) == 0;
}

/* A folder's path is shorter than those of its files; each byte may become four. */
static size_t most_bytes(const struct texts *paths)
{
    size_t most = 0;

    for (size_t i = 0; i < paths->count; i++)
        most += 2 * (4 * strlen(paths->texts[i]) + BESIDE_PATH);
    return most;
}

char *renames_of(const struct unit_draft *draft, const struct work_unit *unit)
{
    const struct texts *paths = &draft->paths;
    CLEANUP(buffer_clear) struct buffer lines = {.max = most_bytes(paths)};
    CLEANUP(freep)
    char *origin = draft->origin_length > 0 ? text_copy_n(paths->texts[0], draft->origin_length)
                                            : text_copy("");
    bool is_renamed = draft->origin_length > 0 && !is_named_like(unit->name.text, origin);
    bool is_folder = draft->origin_length > 0 && strcmp(origin, paths->texts[0]) != 0;

    if (is_renamed && is_folder)
        add_line(&lines, unit, "", origin);
    for (size_t i = 0; i < paths->count; i++)
        if ((is_renamed && !is_folder) ||
            !is_named_like(unit->inputs[i].name.text, paths->texts[i]))
            add_line(&lines, unit, unit->inputs[i].name.text, paths->texts[i]);
    return lines.length > 0 ? buffer_take(&lines) : NULL;
}

/* --- how far a file counts --- */

/* A line's last column is the unit's index: what comes after the last tab. */
struct measuring {
    struct renames_extent extent;
    int64_t at;
    uint64_t number;
    bool is_over;
};

static void measure_piece(struct measuring *state, const char *bytes, size_t count, int64_t units)
{
    for (size_t i = 0; i < count && !state->is_over; i++) {
        state->at++;
        if (bytes[i] == '\t')
            state->number = 0;
        else if (bytes[i] >= '0' && bytes[i] <= '9')
            state->number = state->number * 10 + (uint64_t)(bytes[i] - '0');
        if (bytes[i] != '\n')
            continue;
        state->is_over = state->number >= (uint64_t)units;
        if (!state->is_over)
            state->extent = (struct renames_extent){state->at, state->extent.lines + 1};
    }
}

enum status renames_measure(struct disk *disk, const char *path, int64_t units,
                            struct renames_extent *ret_extent, struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    CLEANUP(freep) char *piece = must_alloc(PIECE_BYTES, 1);
    struct measuring state = {0};
    size_t count;
    enum status status = disk->open_read(disk, path, &file, err);

    if (status == STATUS_NOT_FOUND) {
        *ret_extent = state.extent;
        return STATUS_OK;
    }
    TRY(status);
    do {
        TRY(disk->read_at(file, state.at, piece, PIECE_BYTES, &count, err));
        measure_piece(&state, piece, count, units);
    } while (count > 0 && !state.is_over);
    *ret_extent = state.extent;
    return STATUS_OK;
}

/* --- adding --- */

void renames_close(struct renames *renames)
{
    disk_file_close(renames->file);
    *renames = (struct renames){0};
}

static enum status make_file(struct renames *renames, struct error *err)
{
    struct disk *disk = renames->disk;

    TRY(disk->open_write(disk, renames->path.text, 0600, &renames->file, err));
    return disk_sync_parent(disk, renames->path.text, err);
}

enum status renames_open(struct renames *renames, struct disk *disk, const char *path,
                         int64_t units, struct error *err)
{
    struct renames_extent extent;

    renames->disk = disk;
    TRY(disk_join(&renames->path, err, "%s", path));
    TRY(renames_measure(disk, path, units, &extent, err));
    renames->bytes = renames->end = extent.bytes;
    if (renames->file == NULL && disk_has(disk, path))
        TRY(make_file(renames, err));
    if (renames->file != NULL)
        TRY(disk->truncate(renames->file, extent.bytes, err));
    renames->is_open = true;
    return STATUS_OK;
}

enum status renames_add(struct renames *renames, const char *lines, struct error *err)
{
    size_t length = strlen(lines);

    if (renames->file == NULL)
        TRY(make_file(renames, err));
    TRY(renames->disk->write_at(renames->file, renames->end, lines, length, err));
    renames->end += (int64_t)length;
    return STATUS_OK;
}

enum status renames_sync(struct renames *renames, struct error *err)
{
    return renames->end > renames->bytes ? renames->disk->sync(renames->file, err) : STATUS_OK;
}

/* --- copying --- */

static enum status copy_pieces(struct disk_file *from, struct disk_file *to, int64_t bytes,
                               struct error *err)
{
    struct disk *disk = disk_file_disk(from);
    CLEANUP(freep) char *piece = must_alloc(PIECE_BYTES, 1);
    size_t count;

    TRY(disk->truncate(to, 0, err));
    for (int64_t at = 0; at < bytes; at += (int64_t)count) {
        size_t some = bytes - at < PIECE_BYTES ? (size_t)(bytes - at) : PIECE_BYTES;

        TRY(disk->read_at(from, at, piece, some, &count, err));
        if (count == 0)
            return error_set(err, STATUS_STORAGE, "the list of changed names became shorter");
        TRY(disk->write_at(to, at, piece, count, err));
    }
    return disk->sync(to, err);
}

enum status renames_copy(struct disk *disk, const struct renames_copy *copy, struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *from = NULL;
    CLEANUP(disk_file_closep) struct disk_file *by = NULL;

    TRY(disk->open_read(disk, copy->from, &from, err));
    TRY(disk->open_write(disk, copy->by, 0644, &by, err));
    TRY(copy_pieces(from, by, copy->bytes, err));
    return disk->rename(disk, copy->by, copy->to, err);
}
