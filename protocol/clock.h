/* POST /v1/clock: an operator says that the server's clock is right. Asked with an empty object. */
#ifndef PROTOCOL_CLOCK_H
#define PROTOCOL_CLOCK_H

#include "protocol/words.h"

#define CLOCK_MAX 1024

struct clock_reply {
    bool was_in_doubt; /* else there was nothing to confirm */
    int64_t time_s;    /* what the server takes for now */
};

enum status clock_reply_decode(const char *body, size_t length, struct clock_reply *ret_reply,
                               struct error *err) MUST_USE;
char *clock_reply_encode(const struct clock_reply *reply);

#endif
