/* POST /v1/files/missing: which of these files does the site not have yet? */
#ifndef PROTOCOL_FILES_MISSING_H
#define PROTOCOL_FILES_MISSING_H

#include "protocol/words.h"

#define FILES_MISSING_MAX       (128 * 1024) /* bytes, of request and reply */
#define FILES_MISSING_FILES_MAX 1000

enum status files_missing_request_decode(const char *body, size_t length, struct digests *ret_files,
                                         struct error *err) MUST_USE;
char *files_missing_request_encode(const struct digest *files, size_t count);

enum status files_missing_reply_decode(const char *body, size_t length, struct digests *ret_missing,
                                       struct error *err) MUST_USE;
char *files_missing_reply_encode(const struct digest *missing, size_t count);

#endif
