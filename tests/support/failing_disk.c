#include "tests/support/failing_disk.h"

#include <string.h>

#include "common/base/text.h"

struct disk_file {
    struct disk *disk; /* first */
    struct disk_file *real;
    char path[DISK_PATH_MAX];
};

static struct failing_disk *of(struct disk *disk)
{
    return (struct failing_disk *)disk;
}

static enum status step(struct disk *disk, bool needs_room, struct error *err)
{
    struct failing_disk *failing = of(disk);

    if (failing->steps_left == 0 && (failing->kind == FAILING_POWER || needs_room))
        failing->is_down = true;
    else if (failing->steps_left > 0)
        failing->steps_left--;
    if (failing->is_down && (failing->kind == FAILING_POWER || needs_room))
        return failing->kind == FAILING_ROOM ? error_set(err, STATUS_FULL, "the disk is full")
                                             : error_set(err, STATUS_STORAGE, "no power");
    return STATUS_OK;
}

static enum status powered(struct disk *disk, struct error *err)
{
    if (of(disk)->is_down && of(disk)->kind == FAILING_POWER)
        return error_set(err, STATUS_STORAGE, "no power");
    return STATUS_OK;
}

static enum status readable(struct disk *disk, const char *path, struct error *err)
{
    const char *end = of(disk)->unreadable;

    TRY(powered(disk, err));
    if (end != NULL && strlen(path) >= strlen(end) &&
        strcmp(path + strlen(path) - strlen(end), end) == 0) {
        (void)error_set(err, STATUS_STORAGE, "the disk does not give that file");
        error_detail(err, "told by the disk");
        return STATUS_STORAGE;
    }
    return STATUS_OK;
}

static int slot_of(struct failing_disk *disk, const char *path)
{
    for (int i = 0; i < FAILING_FILES_MAX; i++)
        if (strcmp(disk->unsynced[i].path, path) == 0)
            return i;
    return -1;
}

static void forget(struct failing_disk *disk, const char *path)
{
    int slot = slot_of(disk, path);

    if (slot >= 0)
        disk->unsynced[slot].path[0] = '\0';
}

static void remember(struct failing_disk *disk, const char *path, int64_t synced)
{
    int slot = slot_of(disk, path);

    if (slot >= 0)
        return;
    slot = slot_of(disk, "");
    if (slot < 0)
        abort();
    (void)text_fit(disk->unsynced[slot].path, DISK_PATH_MAX, path);
    disk->unsynced[slot].synced = synced;
}

static bool is_in(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    if (strcmp(folder, ".") == 0)
        return strchr(path, '/') == NULL;
    return strncmp(path, folder, length) == 0 && path[length] == '/' &&
           strchr(path + length + 1, '/') == NULL;
}

static void note_made(struct failing_disk *disk, const char *path)
{
    disk->next_made = (disk->next_made + 1) % FAILING_FILES_MAX;
    (void)text_fit(disk->made[disk->next_made], DISK_PATH_MAX, path);
}

static void forget_made(struct failing_disk *disk, const char *path)
{
    for (int i = 0; i < FAILING_FILES_MAX; i++)
        if (strcmp(disk->made[i], path) == 0)
            disk->made[i][0] = '\0';
}

static void settle_folder(struct failing_disk *disk, const char *folder)
{
    for (int i = 0; i < FAILING_FILES_MAX; i++)
        if (is_in(disk->made[i], folder))
            disk->made[i][0] = '\0';
}

/* What the real disk does after a rename. */
static void settle_parent(struct failing_disk *disk, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct disk_path parent;

    if (slash != NULL && disk_join(&parent, NULL, "%.*s", (int)(slash - path), path) == STATUS_OK)
        settle_folder(disk, parent.text);
}

static enum status read_whole(struct disk *disk, const char *path, struct buffer *ret_content,
                              struct error *err)
{
    TRY(readable(disk, path, err));
    return of(disk)->real->read(of(disk)->real, path, ret_content, err);
}

static enum status write_whole(struct disk *disk, const char *path, const void *bytes,
                               size_t length, unsigned mode, struct error *err)
{
    TRY(step(disk, true, err));
    TRY(of(disk)->real->write(of(disk)->real, path, bytes, length, mode, err));
    of(disk)->syncs += 2; /* what it wrote beside the file, and the folder */
    of(disk)->renames++;
    settle_parent(of(disk), path);
    return STATUS_OK;
}

static enum status wrap(struct disk *disk, const char *path, struct disk_file *real,
                        struct disk_file **ret_file)
{
    *ret_file = must_alloc(1, sizeof **ret_file);
    (*ret_file)->disk = disk;
    (*ret_file)->real = real;
    (void)text_fit((*ret_file)->path, DISK_PATH_MAX, path);
    return STATUS_OK;
}

static enum status open_read(struct disk *disk, const char *path, struct disk_file **ret_file,
                             struct error *err)
{
    struct disk_file *real = NULL;

    TRY(readable(disk, path, err));
    TRY(of(disk)->real->open_read(of(disk)->real, path, &real, err));
    return wrap(disk, path, real, ret_file);
}

static enum status open_write(struct disk *disk, const char *path, unsigned mode,
                              struct disk_file **ret_file, struct error *err)
{
    struct disk_file *real = NULL;

    TRY(step(disk, true, err));
    if (!disk_has(of(disk)->real, path))
        note_made(of(disk), path);
    TRY(of(disk)->real->open_write(of(disk)->real, path, mode, &real, err));
    return wrap(disk, path, real, ret_file);
}

static enum status read_at(struct disk_file *file, int64_t offset, void *ret_bytes, size_t count,
                           size_t *ret_count, struct error *err)
{
    TRY(powered(file->disk, err));
    TRY(of(file->disk)->real->read_at(file->real, offset, ret_bytes, count, ret_count, err));
    of(file->disk)->moved_bytes += (int64_t)*ret_count;
    return STATUS_OK;
}

static enum status write_at(struct disk_file *file, int64_t offset, const void *bytes, size_t count,
                            struct error *err)
{
    struct failing_disk *disk = of(file->disk);
    int64_t size = 0;

    TRY(disk->real->size(file->real, &size, err));
    TRY(step(file->disk, true, err));
    remember(disk, file->path, size);
    disk->moved_bytes += (int64_t)count;
    return disk->real->write_at(file->real, offset, bytes, count, err);
}

static enum status truncate_file(struct disk_file *file, int64_t size, struct error *err)
{
    TRY(step(file->disk, false, err));
    return of(file->disk)->real->truncate(file->real, size, err);
}

static enum status sync_file(struct disk_file *file, struct error *err)
{
    TRY(step(file->disk, false, err));
    forget(of(file->disk), file->path);
    of(file->disk)->syncs++;
    return of(file->disk)->real->sync(file->real, err);
}

static enum status file_size(struct disk_file *file, int64_t *ret_size, struct error *err)
{
    TRY(powered(file->disk, err));
    return of(file->disk)->real->size(file->real, ret_size, err);
}

static int file_descriptor(struct disk_file *file)
{
    (void)file;
    return -1;
}

static void close_file(struct disk_file *file)
{
    if (file == NULL)
        return;
    disk_file_close(file->real);
    free(file);
}

static enum status look(struct disk *disk, const char *path, struct disk_entry *ret_entry,
                        struct error *err)
{
    TRY(powered(disk, err));
    return of(disk)->real->look(of(disk)->real, path, ret_entry, err);
}

static enum status list(struct disk *disk, const char *path, struct disk_names *ret_names,
                        struct error *err)
{
    TRY(powered(disk, err));
    return of(disk)->real->list(of(disk)->real, path, ret_names, err);
}

static enum status rename_file(struct disk *disk, const char *from, const char *to,
                               struct error *err)
{
    int slot;

    TRY(step(disk, false, err));
    slot = slot_of(of(disk), from);
    if (slot >= 0)
        (void)text_fit(of(disk)->unsynced[slot].path, DISK_PATH_MAX, to);
    TRY(of(disk)->real->rename(of(disk)->real, from, to, err));
    of(disk)->syncs++; /* the folder */
    of(disk)->renames++;
    forget_made(of(disk), from);
    settle_parent(of(disk), to);
    return STATUS_OK;
}

static enum status remove_file(struct disk *disk, const char *path, struct error *err)
{
    TRY(step(disk, false, err));
    forget(of(disk), path);
    forget_made(of(disk), path);
    return of(disk)->real->remove(of(disk)->real, path, err);
}

static enum status make_folder(struct disk *disk, const char *path, unsigned mode,
                               struct error *err)
{
    TRY(step(disk, true, err));
    if (!disk_has(of(disk)->real, path))
        note_made(of(disk), path);
    return of(disk)->real->make_folder(of(disk)->real, path, mode, err);
}

static enum status remove_tree(struct disk *disk, const char *path, struct error *err)
{
    TRY(step(disk, false, err));
    forget_made(of(disk), path);
    return of(disk)->real->remove_tree(of(disk)->real, path, err);
}

static enum status sync_folder(struct disk *disk, const char *path, struct error *err)
{
    TRY(step(disk, false, err));
    TRY(of(disk)->real->sync_folder(of(disk)->real, path, err));
    of(disk)->syncs++;
    settle_folder(of(disk), path);
    return STATUS_OK;
}

static enum status space(struct disk *disk, const char *path, struct disk_space *ret_space,
                         struct error *err)
{
    TRY(powered(disk, err));
    *ret_space = of(disk)->told;
    if (of(disk)->told.total_bytes > 0)
        return STATUS_OK;
    return of(disk)->real->space(of(disk)->real, path, ret_space, err);
}

static enum status lock_file(struct disk *disk, const char *path, struct disk_file **ret_file,
                             struct error *err)
{
    struct disk_file *real = NULL;

    TRY(powered(disk, err));
    TRY(of(disk)->real->lock(of(disk)->real, path, &real, err));
    return wrap(disk, path, real, ret_file);
}

void failing_disk_init(struct failing_disk *ret_disk, struct disk *real)
{
    *ret_disk = (struct failing_disk){
        .base = {.read = read_whole,
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
                 .lock = lock_file},
        .real = real,
        .steps_left = -1,
    };
}

void failing_disk_arm(struct failing_disk *disk, enum failing_kind kind, int steps)
{
    disk->kind = kind;
    disk->steps_left = steps;
    disk->is_down = false;
}

static void cut(struct failing_disk *disk, const char *path, int64_t synced)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;

    if (disk->real->open_write(disk->real, path, 0600, &file, NULL) == STATUS_OK)
        (void)disk->real->truncate(file, synced, NULL);
}

static void take_back_made(struct failing_disk *disk)
{
    for (int i = 0; i < FAILING_FILES_MAX; i++)
        if (*disk->made[i] != '\0')
            (void)disk->real->remove_tree(disk->real, disk->made[i], NULL);
}

bool failing_disk_repair(struct failing_disk *disk)
{
    bool had_failed = disk->is_down;

    for (int i = 0; i < FAILING_FILES_MAX; i++) {
        if (*disk->unsynced[i].path != '\0' && had_failed && disk->kind == FAILING_POWER)
            cut(disk, disk->unsynced[i].path, disk->unsynced[i].synced);
        disk->unsynced[i].path[0] = '\0';
    }
    if (had_failed && disk->kind == FAILING_POWER)
        take_back_made(disk);
    memset(disk->made, 0, sizeof disk->made);
    disk->steps_left = -1;
    disk->is_down = false;
    return had_failed;
}
