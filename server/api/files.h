/* What the resources that hold files share. */
#ifndef SERVER_API_FILES_H
#define SERVER_API_FILES_H

#include <stdbool.h>

#include "common/base/error.h"
#include "common/crypto/digest.h"

struct call;
struct http_reply;
struct store;

/* Whatever the bytes are, no browser shall run or show them as something of this site. `caching` is
 * for Cache-Control. */
void file_reply_safety(struct http_reply *reply, const char *caching);

/* May anyone have it? A file that the site does not know is not public. */
enum status file_is_public(const struct call *call, struct store *store,
                           const struct digest *digest, bool *ret_is_public, struct error *err)
    MUST_USE;

#endif
