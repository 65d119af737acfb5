/*
 * Files, as a table of functions: the real disk (common/env/) or one that a test makes fail.
 *
 * Errors of every function: STATUS_NOT_FOUND (no such file or folder), STATUS_FULL (no room),
 * STATUS_INVALID (a socket or FIFO is there), STATUS_STORAGE (anything else). "Durable" means: it
 * survives a power cut once the call returned STATUS_OK. Paths are relative to the process or
 * absolute; names from a peer never become a path before they were checked (text_is_file_name()).
 */
#ifndef COMMON_BASE_DISK_H
#define COMMON_BASE_DISK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

#define DISK_PATH_MAX 1024

enum disk_kind { DISK_FILE, DISK_FOLDER, DISK_LINK, DISK_OTHER /* devices, sockets, FIFOs */ };

struct disk_entry {
    enum disk_kind kind; /* of the entry itself; links are not followed */
    int64_t size_bytes;
    int64_t changed_s; /* Unix seconds */
};

struct disk_space {
    int64_t total_bytes;
    int64_t free_bytes; /* for an unprivileged writer */
};

struct disk_names {
    char **names; /* owned, sorted bytewise, without "." and ".." */
    size_t count;
};

void disk_names_clear(struct disk_names *names);

/* An open file. Not for two threads at once. */
struct disk_file;

struct disk {
    /* The whole file, opened as by open_read(). STATUS_TOO_LARGE: more than the buffer's maximum.
     * Appends to `ret_content`. */
    enum status (*read)(struct disk *disk, const char *path, struct buffer *ret_content,
                        struct error *err);

    /* Replace the file in one step, durably: afterwards it is the old one or the new one, whole. */
    enum status (*write)(struct disk *disk, const char *path, const void *bytes, size_t length,
                         unsigned mode, struct error *err);

    /* A regular file or a link to one, never waiting. STATUS_INVALID: something else is there. */
    enum status (*open_read)(struct disk *disk, const char *path, struct disk_file **ret_file,
                             struct error *err);

    /* For reading and writing; made if it does not exist, never through a link. */
    enum status (*open_write)(struct disk *disk, const char *path, unsigned mode,
                              struct disk_file **ret_file, struct error *err);

    /* Up to `count` bytes at `offset`; *ret_count 0 at the end. */
    enum status (*read_at)(struct disk_file *file, int64_t offset, void *ret_bytes, size_t count,
                           size_t *ret_count, struct error *err);

    /* All of them, or a failure that may have written some. */
    enum status (*write_at)(struct disk_file *file, int64_t offset, const void *bytes, size_t count,
                            struct error *err);
    enum status (*truncate)(struct disk_file *file, int64_t size, struct error *err);
    enum status (*sync)(struct disk_file *file, struct error *err); /* content and size, durably */
    enum status (*size)(struct disk_file *file, int64_t *ret_size, struct error *err);
    int (*descriptor)(struct disk_file *file); /* for sendfile(); -1: this disk has none */
    void (*close)(struct disk_file *file);     /* NULL is fine */

    enum status (*look)(struct disk *disk, const char *path, struct disk_entry *ret_entry,
                        struct error *err);
    enum status (*list)(struct disk *disk, const char *path, struct disk_names *ret_names,
                        struct error *err);
    /* Durable, if both are in one folder; else once the other folder is synced, too. */
    enum status (*rename)(struct disk *disk, const char *from, const char *to, struct error *err);
    enum status (*remove)(struct disk *disk, const char *path, struct error *err); /* file */

    /* One level; an existing folder is fine. Durable once its parent is synced. */
    enum status (*make_folder)(struct disk *disk, const char *path, unsigned mode,
                               struct error *err);

    /* With all it holds; never follows a link. A missing one is fine. */
    enum status (*remove_tree)(struct disk *disk, const char *path, struct error *err);

    /* Make what was made, opened for writing or removed in this folder durable. */
    enum status (*sync_folder)(struct disk *disk, const char *path, struct error *err);

    enum status (*space)(struct disk *disk, const char *path, struct disk_space *ret_space,
                         struct error *err);

    /*
     * Hold `path` exclusively until the file is closed or the process ends.
     * STATUS_BUSY: another process holds it.
     */
    enum status (*lock)(struct disk *disk, const char *path, struct disk_file **ret_file,
                        struct error *err);
};

/* Closes by the table of the disk it came from: struct disk_file begins with that pointer. */
void disk_file_close(struct disk_file *file);
DEFINE_CLEANUP(struct disk_file *, disk_file_close)
struct disk *disk_file_disk(const struct disk_file *file);

/* "folder/name" into a fixed array. STATUS_TOO_LARGE beyond DISK_PATH_MAX. */
struct disk_path {
    char text[DISK_PATH_MAX];
};
enum status disk_join(struct disk_path *ret_path, struct error *err, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* "<folder>/<the rest>", for those who join beneath one folder. */
enum status disk_join_beneath(struct disk_path *ret_path, struct error *err, const char *folder,
                              const char *fmt, va_list args) PRINTF_LIKE(4, 0);

/* Is there a folder, or a link, which may lead to one? */
bool disk_has_folder(struct disk *disk, const char *path);

/* make_folder() for each missing part of the path; durable. STATUS_INVALID names a part that is a
 * file. */
enum status disk_make_folders(struct disk *disk, const char *path, unsigned mode,
                              struct error *err);

/* sync_folder() of the folder that this path is in. */
enum status disk_sync_parent(struct disk *disk, const char *path, struct error *err);

/* Does it exist (as anything)? A failure to tell counts as no. */
bool disk_has(struct disk *disk, const char *path);

#endif
