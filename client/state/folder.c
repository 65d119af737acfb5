#include "client/state/folder.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"

static const char *const parts[] = {"aside", "cache", "projects"};

/* What the lock is in, and nothing else: many try who do not get it, several times a second. */
static enum status make_place(const struct data_folder *folder, struct error *err)
{
    struct disk *disk = folder->env->disk;

    if (disk_has_folder(disk, folder->path.text))
        return STATUS_OK;
    return disk_make_folders(disk, folder->path.text, 0700, err);
}

/* The folder again: whoever made it may have been killed before it was durable. */
static enum status make_parts(const struct data_folder *folder, struct error *err)
{
    struct disk *disk = folder->env->disk;
    struct disk_path path;

    TRY(disk_make_folders(disk, folder->path.text, 0700, err));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        TRY(data_folder_join(folder, &path, err, "%s", parts[i]));
        TRY(disk->make_folder(disk, path.text, 0700, err));
    }
    return disk->sync_folder(disk, folder->path.text, err);
}

enum status data_folder_open(struct env *env, const char *path, struct data_folder *ret_folder,
                             struct error *err)
{
    CLEANUP(data_folder_close) struct data_folder folder = {.env = env};
    struct disk_path lock;
    enum status status;

    TRY(disk_join(&folder.path, err, "%s", path));
    TRY(make_place(&folder, err));
    TRY(data_folder_join(&folder, &lock, err, "lock"));
    status = env->disk->lock(env->disk, lock.text, &folder.lock, err);
    if (status == STATUS_BUSY)
        return error_set(err, STATUS_BUSY,
                         "another dugnad-client works in this data folder; only one can");
    TRY(status);
    TRY(make_parts(&folder, err));
    *ret_folder = folder;
    folder.lock = NULL;
    return STATUS_OK;
}

void data_folder_close(struct data_folder *folder)
{
    disk_file_close(folder->lock);
    folder->lock = NULL;
}

enum status data_folder_join(const struct data_folder *folder, struct disk_path *ret_path,
                             struct error *err, const char *fmt, ...)
{
    enum status status;
    va_list args;

    va_start(args, fmt);
    status = disk_join_beneath(ret_path, err, folder->path.text, fmt, args);
    va_end(args);
    return status;
}

void data_folder_put_aside(const struct data_folder *folder, const char *path,
                           const struct error *why)
{
    struct disk *disk = folder->env->disk;
    const char *slash = strrchr(path, '/');
    struct disk_path aside;
    struct error err = {0};

    LOG(LOG_WARN, "file.unreadable", LOG_S("file", path), LOG_S("why", why->text));
    if (data_folder_join(folder, &aside, &err, "aside/%lld-%s",
                         (long long)folder->env->now_s(folder->env),
                         slash != NULL ? slash + 1 : path) != STATUS_OK ||
        disk->rename(disk, path, aside.text, &err) != STATUS_OK)
        log_failure(LOG_WARN, "file.not-put-aside", &err);
}

enum status data_folder_read(const struct data_folder *folder, const char *path, size_t max,
                             struct buffer *ret_content, struct error *err)
{
    struct disk *disk = folder->env->disk;

    buffer_init(ret_content, max);
    return disk->read(disk, path, ret_content, err);
}
