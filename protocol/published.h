/* The short answers to an operator who published something. */
#ifndef PROTOCOL_PUBLISHED_H
#define PROTOCOL_PUBLISHED_H

#include "protocol/words.h"

#define PUBLISHED_MAX 4096

/* What was taken; of each answer some members. */
enum published_kind {
    PUBLISHED_KEYRING = 1,   /* number: its version; digest: the project's id */
    PUBLISHED_FRESHNESS = 2, /* number: its sequence */
    PUBLISHED_NOTICE = 3,    /* digest, as are the next two */
    PUBLISHED_APP_VERSION = 4,
    PUBLISHED_VARIANT = 5,
};

struct published {
    enum published_kind kind;
    int64_t number;
    struct digest digest;
};

/* The reader knows what he asked. */
enum status published_decode(const char *body, size_t length, enum published_kind kind,
                             struct published *ret_published, struct error *err) MUST_USE;
char *published_encode(const struct published *published);

/* POST /v1/batches/{id}/units */
struct units_received {
    int64_t received; /* lines */
    int64_t added;    /* `new`: not there before */
    int64_t known;    /* there already */
};

enum status units_received_decode(const char *body, size_t length, struct units_received *ret_units,
                                  struct error *err) MUST_USE;
char *units_received_encode(const struct units_received *units);

#endif
