#include "common/base/disk.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Every implementation's struct disk_file begins like this. */
struct disk_file {
    struct disk *disk;
};

void disk_names_clear(struct disk_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
    free(names->names);
    *names = (struct disk_names){0};
}

void disk_file_close(struct disk_file *file)
{
    if (file != NULL)
        file->disk->close(file);
}

struct disk *disk_file_disk(const struct disk_file *file)
{
    return file->disk;
}

enum status disk_join(struct disk_path *ret_path, struct error *err, const char *fmt, ...)
{
    va_list args;
    int length;

    va_start(args, fmt);
    length = vsnprintf(ret_path->text, sizeof ret_path->text, fmt, args);
    va_end(args);
    if (length < 0 || (size_t)length >= sizeof ret_path->text)
        return error_set(err, STATUS_TOO_LARGE, "a path has up to %d bytes", DISK_PATH_MAX - 1);
    return STATUS_OK;
}

enum status disk_join_beneath(struct disk_path *ret_path, struct error *err, const char *folder,
                              const char *fmt, va_list args)
{
    struct disk_path rest;
    int length = vsnprintf(rest.text, sizeof rest.text, fmt, args);

    if (length < 0 || (size_t)length >= sizeof rest.text)
        return error_set(err, STATUS_TOO_LARGE, "a path has up to %d bytes", DISK_PATH_MAX - 1);
    return disk_join(ret_path, err, "%s/%s", folder, rest.text);
}

enum status disk_sync_parent(struct disk *disk, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    struct disk_path parent;

    if (slash == NULL)
        return disk->sync_folder(disk, ".", err);
    TRY(disk_join(&parent, err, "%.*s", (int)(slash > path ? slash - path : 1), path));
    return disk->sync_folder(disk, parent.text, err);
}

/* Synced even if it was there: whoever made it may have been killed before. */
static enum status make_folder(struct disk *disk, const char *path, unsigned mode,
                               struct error *err)
{
    struct disk_entry entry;

    if (disk->look(disk, path, &entry, NULL) == STATUS_OK &&
        (entry.kind == DISK_FILE || entry.kind == DISK_OTHER))
        return error_set(err, STATUS_INVALID, "%.200s is a file, and not a folder", path);
    TRY(disk->make_folder(disk, path, mode, err));
    return disk_sync_parent(disk, path, err);
}

bool disk_has_folder(struct disk *disk, const char *path)
{
    struct disk_entry entry;

    return disk->look(disk, path, &entry, NULL) == STATUS_OK &&
           (entry.kind == DISK_FOLDER || entry.kind == DISK_LINK);
}

enum status disk_make_folders(struct disk *disk, const char *path, unsigned mode, struct error *err)
{
    struct disk_path part;

    TRY(disk_join(&part, err, "%s", path));
    for (char *slash = strchr(part.text + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!disk_has_folder(disk, part.text))
            TRY(make_folder(disk, part.text, mode, err));
        *slash = '/';
    }
    return make_folder(disk, path, mode, err);
}

bool disk_has(struct disk *disk, const char *path)
{
    struct disk_entry entry;

    return disk->look(disk, path, &entry, NULL) == STATUS_OK;
}
