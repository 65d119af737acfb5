/* The table behind uploads.h, for the two files that work on it. */
#ifndef SERVER_FILES_UPLOAD_TABLE_H
#define SERVER_FILES_UPLOAD_TABLE_H

#include <pthread.h>

#include "common/base/disk.h"
#include "server/files/uploads.h"

enum upload_state {
    UPLOAD_RESTING,
    UPLOAD_WRITTEN,  /* a writer has it */
    UPLOAD_COMPLETE, /* a file of the site; the engine is being told */
    UPLOAD_DONE,     /* the engine knows; nothing of it is on disk here */
};

struct upload_entry {
    struct upload facts;
    enum upload_state state;
    int64_t touched_s;
    struct hasher hasher; /* over the first `hashed` bytes */
    int64_t hashed;
    struct upload_entry *next;
};

struct uploads {
    struct env *env;
    struct file_store *files;
    struct upload_limits limits;
    struct disk_path path;
    pthread_mutex_t mutex; /* guards the list and each entry's state; a writer owns the rest */
    struct upload_entry *entries;
};

/* With the mutex held. NULL: there is none, or it is another host's. */
struct upload_entry *upload_find(const struct uploads *uploads, const char *id, int64_t host);

enum status upload_part_path(const struct uploads *uploads, const char *id,
                             struct disk_path *ret_path, struct error *err);
void upload_remove_files(const struct uploads *uploads, const char *id);

/* Failures with the words for them. */
enum status upload_not_found(struct error *err);
enum status upload_is_busy(struct error *err);

#endif
