/* GET /v1/bulletin: the small public document that clients poll for news. */
#ifndef PROTOCOL_BULLETIN_H
#define PROTOCOL_BULLETIN_H

#include "protocol/words.h"

#define BULLETIN_MAX         (512 * 1024)
#define BULLETIN_NOTICES_MAX 16

/* `calls` and `client` of the message are always empty in this version. */
struct bulletin {
    char *freshness;         /* owned envelope; NULL: none */
    int64_t keyring_version; /* 0: none */
    struct texts notices;    /* envelopes */
};

void bulletin_clear(struct bulletin *bulletin);
enum status bulletin_decode(const char *body, size_t length, struct bulletin *ret_bulletin,
                            struct error *err) MUST_USE;
char *bulletin_encode(const struct bulletin *bulletin);

#endif
