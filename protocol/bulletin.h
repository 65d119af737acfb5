/* GET /v1/bulletin: the small public document that clients poll for news. */
#ifndef PROTOCOL_BULLETIN_H
#define PROTOCOL_BULLETIN_H

#include "protocol/words.h"

#define BULLETIN_MAX         (512 * 1024)
#define BULLETIN_NOTICES_MAX 16

/* As clients heed it, whatever is said. */
#define BULLETIN_LOOK_LEAST_S  30
#define BULLETIN_LOOK_MOST_S   300
#define BULLETIN_WITHIN_MOST_S 600

/* For clients that have nothing to do. */
struct bulletin_work {
    int64_t mark;     /* another one than before: there may be work, so visit ... */
    int64_t within_s; /* ... at a random moment within so long; 0.. */
    int64_t look_s;   /* so often to look at the bulletin; 0.. */
};

/* `calls` and `client` of the message are always empty in this version. */
struct bulletin {
    char *freshness;         /* owned envelope; NULL: none */
    int64_t keyring_version; /* 0: none */
    struct texts notices;    /* envelopes */
    struct bulletin_work work;
};

void bulletin_clear(struct bulletin *bulletin);
enum status bulletin_decode(const char *body, size_t length, struct bulletin *ret_bulletin,
                            struct error *err) MUST_USE;
char *bulletin_encode(const struct bulletin *bulletin);

#endif
