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

/* The same of GET /v1/files/…, for a task's slot: with the mode that the file has there. */
enum status download_file(struct profile *profile, const struct slot_file *file,
                          const struct disk_path *path, struct error *err) MUST_USE;

/* A plain file of that size and digest. A failure to tell counts as no. */
bool output_is_there(struct disk *disk, const struct named_output *output, const char *path);

#endif
