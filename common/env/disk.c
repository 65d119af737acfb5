#define _GNU_SOURCE 1 /* flock(), O_NOFOLLOW */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/base/tree.h"
#include "common/env/real.h"

#define LIST_MAX_NAMES 4000000

struct disk_file {
    struct disk *disk;
    int descriptor;
};

static void close_descriptor(int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor);
}

/* Whose the thing is, or the folder that it would be in; by number: names may be asked of a
 * network. False: that cannot be seen. */
static bool find_owner(const char *path, struct stat *ret_facts, char ret_found[DISK_PATH_MAX])
{
    (void)text_fit(ret_found, DISK_PATH_MAX, path);
    while (lstat(ret_found, ret_facts) != 0) {
        char *slash = strrchr(ret_found, '/');

        if (slash == NULL || slash == ret_found)
            return false;
        *slash = '\0';
    }
    return true;
}

/* What gives a thing back that belongs to `owner`: nothing is known for what is ours and immutable.
 */
static void add_remedy(struct error *err, const char *facts, long owner, int cause)
{
    long own = (long)geteuid();

    if (owner != own)
        error_detail(err, "%s: give it back with chown %ld", facts, own);
    else
        error_detail(err, "%s%s", facts, cause == EACCES ? ": give it back with chmod u+rwX" : "");
}

/* Permission is lacking: the remedy is an owner, or a mode. */
static enum status forbidden(struct error *err, const char *what, const char *path, int cause)
{
    char found[DISK_PATH_MAX];
    struct stat facts;

    error_set(err, STATUS_STORAGE, "%s",
              cause == EROFS ? "the file system is read-only"
                             : "this program's user has no permission");
    if (cause == EROFS || !find_owner(path, &facts, found)) {
        error_detail(err, "%s %s: %s", what, path, strerror(cause));
    } else {
        CLEANUP(freep)
        char *text = text_format("%s: %s; %.100s belongs to uid %ld, mode %03o, and this runs as "
                                 "uid %ld",
                                 what, strerror(cause), found, (long)facts.st_uid,
                                 (unsigned)(facts.st_mode & 07777), (long)geteuid());

        add_remedy(err, text, (long)facts.st_uid, cause);
    }
    return STATUS_STORAGE;
}

static enum status failure(struct error *err, const char *what, const char *path)
{
    int cause = errno;
    enum status status = STATUS_STORAGE;

    if (cause == EACCES || cause == EPERM || cause == EROFS)
        return forbidden(err, what, path, cause);
    if (cause == ENOENT || cause == ENOTDIR)
        status = STATUS_NOT_FOUND;
    else if (cause == ENOSPC || cause == EDQUOT)
        status = STATUS_FULL;
    else if (cause == ENXIO) /* a socket, or a FIFO without a reader */
        status = STATUS_INVALID;
    error_set(err, status,
              status == STATUS_NOT_FOUND ? "no such file"
              : status == STATUS_FULL    ? "the disk is full"
              : status == STATUS_INVALID ? "not a regular file"
                                         : "the disk failed");
    error_detail(err, "%s %s: %s", what, path, strerror(cause));
    return status;
}

static enum status open_file(struct disk *disk, const char *path, int flags, unsigned mode,
                             struct disk_file **ret_file, struct error *err)
{
    int descriptor = open(path, flags | O_CLOEXEC, (mode_t)mode);

    if (descriptor < 0)
        return failure(err, "open", path);
    *ret_file = must_alloc(1, sizeof **ret_file);
    **ret_file = (struct disk_file){.disk = disk, .descriptor = descriptor};
    return STATUS_OK;
}

/* Nobody waits for a FIFO's other end: O_NONBLOCK means nothing to a regular file. */
static enum status open_read(struct disk *disk, const char *path, struct disk_file **ret_file,
                             struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    struct stat facts;

    TRY(open_file(disk, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, &file, err));
    if (fstat(file->descriptor, &facts) != 0)
        return failure(err, "stat", path);
    if (!S_ISREG(facts.st_mode)) {
        error_set(err, STATUS_INVALID, "not a regular file");
        error_detail(err, "open %s", path);
        return STATUS_INVALID;
    }
    *ret_file = TAKE(file);
    return STATUS_OK;
}

static enum status open_write(struct disk *disk, const char *path, unsigned mode,
                              struct disk_file **ret_file, struct error *err)
{
    return open_file(disk, path, O_RDWR | O_CREAT | O_NOFOLLOW, mode, ret_file, err);
}

static enum status read_at(struct disk_file *file, int64_t offset, void *ret_bytes, size_t count,
                           size_t *ret_count, struct error *err)
{
    ssize_t got;

    do
        got = pread(file->descriptor, ret_bytes, count, offset);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return failure(err, "read", "");
    *ret_count = (size_t)got;
    return STATUS_OK;
}

static enum status write_at(struct disk_file *file, int64_t offset, const void *bytes, size_t count,
                            struct error *err)
{
    const char *from = bytes;

    while (count > 0) {
        ssize_t written = pwrite(file->descriptor, from, count, offset);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return failure(err, "write", "");
        from += written;
        offset += written;
        count -= (size_t)written;
    }
    return STATUS_OK;
}

static enum status truncate_file(struct disk_file *file, int64_t size, struct error *err)
{
    return ftruncate(file->descriptor, size) == 0 ? STATUS_OK : failure(err, "truncate", "");
}

static enum status sync_file(struct disk_file *file, struct error *err)
{
    return fdatasync(file->descriptor) == 0 ? STATUS_OK : failure(err, "sync", "");
}

static enum status file_size(struct disk_file *file, int64_t *ret_size, struct error *err)
{
    struct stat facts;

    if (fstat(file->descriptor, &facts) != 0)
        return failure(err, "stat", "");
    *ret_size = facts.st_size;
    return STATUS_OK;
}

static int file_descriptor(struct disk_file *file)
{
    return file->descriptor;
}

static void close_file(struct disk_file *file)
{
    if (file == NULL)
        return;
    (void)close(file->descriptor);
    free(file);
}

static enum status read_all(struct disk_file *file, struct buffer *content, struct error *err)
{
    size_t got = 1;
    int64_t offset = 0;

    while (got > 0) {
        char chunk[16384];

        TRY(read_at(file, offset, chunk, sizeof chunk, &got, err));
        TRY(buffer_append(content, chunk, got, err));
        offset += (int64_t)got;
    }
    return STATUS_OK;
}

static enum status read_whole(struct disk *disk, const char *path, struct buffer *ret_content,
                              struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;

    TRY(open_read(disk, path, &file, err));
    return read_all(file, ret_content, err);
}

static enum status sync_folder(struct disk *disk, const char *path, struct error *err)
{
    CLEANUP(close_descriptor) int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    (void)disk;
    if (descriptor < 0 || fsync(descriptor) != 0)
        return failure(err, "sync folder", path);
    return STATUS_OK;
}

static enum status write_synced(struct disk *disk, const char *path, const void *bytes,
                                size_t length, unsigned mode, struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;

    TRY(open_file(disk, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode, &file, err));
    if (fchmod(file->descriptor, (mode_t)mode) != 0)
        return failure(err, "chmod", path);
    TRY(write_at(file, 0, bytes, length, err));
    return sync_file(file, err);
}

/* The name of the temporary file is fixed: a leftover of a crash is overwritten next time. */
static enum status write_whole(struct disk *disk, const char *path, const void *bytes,
                               size_t length, unsigned mode, struct error *err)
{
    struct disk_path temporary;
    enum status status;

    TRY(disk_join(&temporary, err, "%s.new", path));
    status = write_synced(disk, temporary.text, bytes, length, mode, err);
    if (status == STATUS_OK && rename(temporary.text, path) != 0)
        status = failure(err, "rename", path);
    if (status != STATUS_OK) {
        (void)unlink(temporary.text);
        return status;
    }
    return disk_sync_parent(disk, path, err);
}

static enum status look(struct disk *disk, const char *path, struct disk_entry *ret_entry,
                        struct error *err)
{
    struct stat facts;

    (void)disk;
    if (lstat(path, &facts) != 0)
        return failure(err, "stat", path);
    *ret_entry = (struct disk_entry){.kind = S_ISREG(facts.st_mode)   ? DISK_FILE
                                             : S_ISDIR(facts.st_mode) ? DISK_FOLDER
                                             : S_ISLNK(facts.st_mode) ? DISK_LINK
                                                                      : DISK_OTHER,
                                     .size_bytes = facts.st_size,
                                     .changed_s = facts.st_mtim.tv_sec};
    return STATUS_OK;
}

static void close_folder(DIR *folder)
{
    (void)closedir(folder);
}
DEFINE_CLEANUP(DIR *, close_folder)

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_name(struct disk_names *names, const char *name)
{
    if ((names->count & (names->count - 1)) == 0) {
        size_t capacity = names->count > 0 ? names->count * 2 : 1;
        char **grown = realloc(names->names, capacity * sizeof *grown);

        if (grown == NULL)
            abort();
        names->names = grown;
    }
    names->names[names->count++] = text_copy(name);
}

static enum status list(struct disk *disk, const char *path, struct disk_names *ret_names,
                        struct error *err)
{
    CLEANUP(close_folderp) DIR *folder = opendir(path);
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    struct dirent *entry;

    (void)disk;
    if (folder == NULL)
        return failure(err, "list", path);
    while ((errno = 0, entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (names.count == LIST_MAX_NAMES)
            return error_set(err, STATUS_TOO_LARGE, "a folder has up to %d files", LIST_MAX_NAMES);
        add_name(&names, entry->d_name);
    }
    if (errno != 0)
        return failure(err, "list", path);
    if (names.count > 0)
        qsort(names.names, names.count, sizeof *names.names, compare_names);
    *ret_names = names;
    names = (struct disk_names){0};
    return STATUS_OK;
}

static enum status rename_file(struct disk *disk, const char *from, const char *to,
                               struct error *err)
{
    if (rename(from, to) != 0)
        return failure(err, "rename", from);
    return disk_sync_parent(disk, to, err);
}

static enum status remove_file(struct disk *disk, const char *path, struct error *err)
{
    (void)disk;
    return unlink(path) == 0 ? STATUS_OK : failure(err, "remove", path);
}

static enum status make_folder(struct disk *disk, const char *path, unsigned mode,
                               struct error *err)
{
    (void)disk;
    if (mkdir(path, (mode_t)mode) != 0 && errno != EEXIST)
        return failure(err, "make folder", path);
    return STATUS_OK;
}

static enum status remove_tree(struct disk *disk, const char *path, struct error *err)
{
    (void)disk;
    if (tree_remove(path) != 0 && errno != ENOENT)
        return failure(err, "remove", path);
    return STATUS_OK;
}

static enum status space(struct disk *disk, const char *path, struct disk_space *ret_space,
                         struct error *err)
{
    struct statvfs facts;

    (void)disk;
    if (statvfs(path, &facts) != 0)
        return failure(err, "statvfs", path);
    *ret_space =
        (struct disk_space){.total_bytes = (int64_t)facts.f_blocks * (int64_t)facts.f_frsize,
                            .free_bytes = (int64_t)facts.f_bavail * (int64_t)facts.f_frsize};
    return STATUS_OK;
}

static enum status lock_file(struct disk *disk, const char *path, struct disk_file **ret_file,
                             struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;

    TRY(open_write(disk, path, 0600, &file, err));
    if (flock(file->descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return error_set(err, STATUS_BUSY, "another process holds it");
        return failure(err, "lock", path);
    }
    *ret_file = TAKE(file);
    return STATUS_OK;
}

struct disk *disk_real(void)
{
    static struct disk disk = {
        .read = read_whole,
        .write = write_whole,
        .open_read = open_read,
        .open_write = open_write,
        .read_at = read_at,
        .write_at = write_at,
        .truncate = truncate_file,
        .sync = sync_file,
        .size = file_size,
        .descriptor = file_descriptor,
        .close = close_file,
        .look = look,
        .list = list,
        .rename = rename_file,
        .remove = remove_file,
        .make_folder = make_folder,
        .remove_tree = remove_tree,
        .sync_folder = sync_folder,
        .space = space,
        .lock = lock_file,
    };

    return &disk;
}
