/*
 * The site's files, named by what they hold: app files, inputs of units and large outputs. Behind a
 * table, so that a site's folder, a folder shared by several servers and an object store can each
 * be one.
 *
 * A file is there whole or not at all: what a crash leaves behind never has a file's name.
 * Functions may be called from several threads at a time, but for those of one writer.
 * Errors of every function: as struct disk has them; STATUS_FULL: no room.
 */
#ifndef SERVER_FILES_STORE_H
#define SERVER_FILES_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/disk.h"
#include "common/base/error.h"
#include "common/crypto/digest.h"

struct env;
struct file_store;

#define FILE_STORE_PARTS 256

/* A file on its way in. Not for two threads at once. */
struct file_writer;

/* One file, or something that is none. */
struct file_entry {
    struct digest digest; /* none: no file of ours */
    const char *path;     /* borrowed, for people */
    int64_t size_bytes;
    int64_t changed_s; /* Unix seconds: when it came */
};

struct file_visitor {
    /* Anything but STATUS_OK ends the walk with that status. */
    enum status (*visit)(void *context, const struct file_entry *entry, struct error *err);
    void *context;
};

/* Implementations embed this as their first member. */
struct file_store {
    /* Begin a file of at most max_bytes. */
    enum status (*begin)(struct file_store *store, int64_t max_bytes,
                         struct file_writer **ret_writer, struct error *err);

    /* STATUS_TOO_LARGE beyond its max_bytes. After a failure only abandon() makes sense. */
    enum status (*add)(struct file_writer *writer, const void *bytes, size_t count,
                       struct error *err);

    /*
     * The file is complete: durably there once this returns STATUS_OK. STATUS_INVALID with the code
     * "digest": it is not what `expected` says. Ends the writer whatever it returns. *ret_is_new
     * (may be NULL): it had not been there.
     */
    enum status (*finish)(struct file_writer *writer, const struct digest *expected,
                          bool *ret_is_new, struct error *err);
    void (*abandon)(struct file_writer *writer); /* NULL is fine */

    /* A durable file of the same disk, known to have this digest, becomes the store's. */
    enum status (*adopt)(struct file_store *store, const char *path, const struct digest *digest,
                         struct error *err);

    /* STATUS_NOT_FOUND: not there. */
    enum status (*look)(struct file_store *store, const struct digest *digest, int64_t *ret_size,
                        struct error *err);
    enum status (*open)(struct file_store *store, const struct digest *digest,
                        struct disk_file **ret_file, int64_t *ret_size, struct error *err);
    enum status (*remove)(struct file_store *store, const struct digest *digest,
                          struct error *err); /* a missing one is fine */

    /* Remove it, unless it came (once more) at or after before_s while nobody looked. */
    enum status (*collect)(struct file_store *store, const struct digest *digest, int64_t before_s,
                           struct error *err);

    /* Each file of a part (below FILE_STORE_PARTS; about as many lie in each), and each thing that
     * is none of ours but lies among them. */
    enum status (*walk)(struct file_store *store, unsigned part, const struct file_visitor *visitor,
                        struct error *err);
    enum status (*space)(struct file_store *store, struct disk_space *ret_space, struct error *err);
    void (*close)(struct file_store *store);

    struct disk *disk; /* of the files that open() returns */
};

/*
 * A folder of this disk: `path`/ab/cdef…, and `path`/incoming/ for files on their way. Several
 * servers may have it open, each with a number of its own, 1..256: what lay on its way for this one
 * is removed here, and what is surely nobody's (server/files/owned.h). Folders are made as needed.
 */
/* To look only: nothing is made, and nothing that was on its way is removed. */
enum status file_store_open_to_look(struct env *env, const char *path,
                                    struct file_store **ret_store, struct error *err) MUST_USE;
enum status file_store_open_folder(struct env *env, const char *path, int64_t server,
                                   struct file_store **ret_store, struct error *err) MUST_USE;
void file_store_close(struct file_store *store); /* NULL is fine */
DEFINE_CLEANUP(struct file_store *, file_store_close)

void file_writer_abandon(struct file_writer *writer); /* NULL is fine */
DEFINE_CLEANUP(struct file_writer *, file_writer_abandon)

enum status file_store_walk(struct file_store *store, const struct file_visitor *visitor,
                            struct error *err); /* all parts */

bool file_store_has(struct file_store *store, const struct digest *digest);

/* The file's bytes hash to its name; STATUS_INVALID with the code "digest": they do not. */
enum status file_store_verify(struct file_store *store, const struct digest *digest,
                              struct error *err);

#endif
