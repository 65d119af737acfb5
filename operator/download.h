/* An output or a file on its way from the site to a file here, checked while it comes. */
#ifndef OPERATOR_DOWNLOAD_H
#define OPERATOR_DOWNLOAD_H

#include "operator/profile.h"
#include "protocol/words.h"
#include "sandbox/task_slot.h"

/*
 * GET /v1/outputs/… into `path`, which appears whole and durable or not at all. A file there that
 * has the digest already is left alone. STATUS_UNTRUSTED, code RESULT_WRONG_BODY: other bytes came.
 */
enum status download_output(struct profile *profile, const struct named_output *output,
                            const struct disk_path *path, struct error *err) MUST_USE;

/* One on its way; several may be. */
struct download;

/*
 * Begin the same of GET /v1/files/…, for a task's slot: with the mode that the file has there.
 * *ret_download NULL: it is there already.
 */
enum status download_begin(struct profile *profile, const struct slot_file *file,
                           const struct disk_path *path, struct download **ret_download,
                           struct error *err) MUST_USE;

/* Never waits. True: *ret_status is how it ended, session->was_refused whether the site said so. */
bool download_is_over(struct download *download, enum status *ret_status, struct error *err)
    MUST_USE;

/* What is not over is broken off, and leaves nothing. NULL is fine. */
void download_free(struct download *download);
DEFINE_CLEANUP(struct download *, download_free)

/* A plain file of that size and digest. A failure to tell counts as no. */
bool output_is_there(struct disk *disk, const struct named_output *output, const char *path);

#endif
