/* What is written beside an upload in progress: a small JSON object that says whose it is. */
#ifndef SERVER_FILES_SIDECAR_H
#define SERVER_FILES_SIDECAR_H

#include "common/base/error.h"
#include "server/files/uploads.h"

#define SIDECAR_MAX_BYTES 2048

/* All but id and offset, which its name and the other file say. To be freed. */
char *sidecar_encode(const struct upload *upload);
enum status sidecar_decode(const char *bytes, size_t length, struct upload *ret_upload,
                           struct error *err) MUST_USE;

#endif
