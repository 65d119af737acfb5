/*
 * POST /v1/files/bundle: many small files in one answer.
 *
 * The request names them. The answer is a run of frames in the order asked: the file's digest (32
 * bytes), how many bytes it has (8, the most significant first), and these bytes. A file that is
 * not there, is larger than FILES_BUNDLE_FILE_MAX, or would make the answer hold more than
 * FILES_BUNDLE_BYTES_MAX of files is left out: it is to be had by GET /v1/files/{hex}.
 */
#ifndef PROTOCOL_FILES_BUNDLE_H
#define PROTOCOL_FILES_BUNDLE_H

#include "protocol/words.h"

#define FILES_BUNDLE_MAX        (16 * 1024) /* bytes of a request */
#define FILES_BUNDLE_FILES_MAX  128
#define FILES_BUNDLE_FILE_MAX   (256 * 1024)      /* bytes of one file */
#define FILES_BUNDLE_BYTES_MAX  (4 * 1024 * 1024) /* of all files of an answer */
#define FILES_BUNDLE_HEAD_BYTES (DIGEST_BYTES + 8)

enum status files_bundle_request_decode(const char *body, size_t length, struct digests *ret_files,
                                        struct error *err) MUST_USE;
char *files_bundle_request_encode(const struct digest *files, size_t count);

/* What stands before each file. */
struct files_bundle_head {
    struct digest digest;
    int64_t size; /* 0..FILES_BUNDLE_FILE_MAX */
};

/* STATUS_INVALID: a larger file than there may be. */
enum status files_bundle_head_decode(const uint8_t bytes[FILES_BUNDLE_HEAD_BYTES],
                                     struct files_bundle_head *ret_head, struct error *err)
    MUST_USE;
void files_bundle_head_encode(const struct files_bundle_head *head,
                              uint8_t ret_bytes[FILES_BUNDLE_HEAD_BYTES]);

#endif
