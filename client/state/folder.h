/*
 * The data folder of one daemon, and the one lock that keeps a second daemon out of it.
 *
 *     lock  control.sock  settings.json  aside/
 *     proof/                           where the machine is proved: client/daemon/proof.h
 *     cache/<hex>                      files by their digest, shared by all projects
 *     projects/<43 base64url>/         see client/state/project_files.h
 */
#ifndef CLIENT_STATE_FOLDER_H
#define CLIENT_STATE_FOLDER_H

#include "common/base/disk.h"
#include "common/base/env.h"
#include "common/base/error.h"

/* Zeroed: none. */
struct data_folder {
    struct env *env; /* borrowed */
    struct disk_path path;
    struct disk_file *lock; /* owned */
};

/*
 * Take the lock, then make what is missing, durably. STATUS_BUSY: another process has the lock (the
 * words say so), and nothing was written or synced in its folder; otherwise as struct disk says.
 */
enum status data_folder_open(struct env *env, const char *path, struct data_folder *ret_folder,
                             struct error *err) MUST_USE;
void data_folder_close(struct data_folder *folder); /* for CLEANUP(), too */

/* "<folder>/<the rest>". */
enum status data_folder_join(const struct data_folder *folder, struct disk_path *ret_path,
                             struct error *err, const char *fmt, ...) PRINTF_LIKE(4, 5);

/*
 * A file that cannot be read as what it should be: keep it under aside/ for a person to look at,
 * name it in the log, and go on without it. `why` is the failure of reading it.
 */
void data_folder_put_aside(const struct data_folder *folder, const char *path,
                           const struct error *why);

/* Read a whole file of up to `max` bytes. */
enum status data_folder_read(const struct data_folder *folder, const char *path, size_t max,
                             struct buffer *ret_content, struct error *err) MUST_USE;

#endif
