/* An output on its way from the site to a file, checked while it comes. */
#ifndef OPERATOR_DOWNLOAD_H
#define OPERATOR_DOWNLOAD_H

#include "operator/profile.h"
#include "protocol/words.h"

/*
 * GET /v1/outputs/… into `path`, which appears whole and durable or not at all. A file there that
 * has the digest already is left alone. STATUS_UNTRUSTED, code RESULT_WRONG_BODY: other bytes came.
 */
enum status download_output(struct profile *profile, const struct named_output *output,
                            const struct disk_path *path, struct error *err) MUST_USE;

/* A plain file of that size and digest. A failure to tell counts as no. */
bool output_is_there(struct disk *disk, const struct named_output *output, const char *path);

#endif
