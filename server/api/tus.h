/* What the resources under /v1/uploads share. */
#ifndef SERVER_API_TUS_H
#define SERVER_API_TUS_H

#include <stdbool.h>

#include "common/base/error.h"

struct call;
struct http_reply;

#define TUS_VERSION "1.0.0"

/* With the fields that every tus answer has. */
void tus_reply(struct http_reply *ret_reply, int http);

/* Answer with the failure; "busy" of one upload is tus's 423. */
void tus_fail(struct call *call, const struct error *err);

/* False: the peer does not say that it speaks our version; it was answered with 412. */
bool tus_speaks(struct call *call);

#endif
