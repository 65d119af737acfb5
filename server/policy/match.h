/*
 * May this host have a copy of this unit, and by which variant? Every no has its reason, so that
 * "no work" can say why.
 */
#ifndef SERVER_POLICY_MATCH_H
#define SERVER_POLICY_MATCH_H

#include <stddef.h>

#include "work-units/unit.h"

#define MATCH_PLATFORMS_MAX 8
#define MATCH_LAYERS_MAX    16

/* What the host says of itself, and who it is. Texts are borrowed. */
struct match_host {
    struct identity identity;
    const char *prefix; /* without an account: its address prefix now; else "" */
    const char *platforms[MATCH_PLATFORMS_MAX]; /* best first */
    size_t platform_count;
    const char *layers[MATCH_LAYERS_MAX]; /* active sandbox layers */
    size_t layer_count;
    int64_t memory_bytes; /* for one task */
    int64_t disk_bytes;   /* the same: unit_room_bytes() */
};

/* A build of the unit's app version. Texts are borrowed. */
struct match_variant {
    struct digest digest;
    const char *platform;
    const char *class_name;
    bool is_untrusted; /* its signature does not hold now */
};

struct match_app {
    const struct match_variant *variants; /* borrowed */
    size_t variant_count;
    const char *const *layers; /* sandbox layers that its signed version requires */
    size_t layer_count;
    bool is_revoked;
    bool is_untrusted; /* likewise */
    bool is_too_large; /* an output may become larger than what the site takes */
};

/* X(symbol, words for "no work: …") */
#define MATCH_TABLE(X)                                                                             \
    X(YES, "it may")                                                                               \
    X(NOT_WANTED, "no copy is wanted")                                                             \
    X(NOT_YET, "its work is not valid yet")                                                        \
    X(EXPIRED, "its work is no longer valid")                                                      \
    X(REVOKED, "its app version was revoked")                                                      \
    X(UNTRUSTED, "the key that signed its app was revoked or has run out")                         \
    X(UNSIGNED, "the key that signed its work was revoked or has run out")                         \
    X(TOO_LARGE, "its outputs may become larger than what this site takes")                        \
    X(PLATFORM, "there is no build for your platform")                                             \
    X(CLASS, "its copies run on another class of machines")                                        \
    X(LAYERS, "your machine lacks an isolation layer that it requires")                            \
    X(MEMORY, "it needs more memory than you give")                                                \
    X(DISK, "it needs more disk than you give")                                                    \
    X(IDENTITY, "you had a copy already, other volunteers must confirm it")

enum match_result {
#define X(symbol, words) MATCH_##symbol,
    MATCH_TABLE(X)
#undef X
        MATCH_COUNT,
};

const char *match_words(enum match_result result);

/*
 * MATCH_YES: *ret_variant is the one to run (borrowed from `app`); else it is untouched.
 * `now_s`: the wall clock, or 0 where no validity may be judged.
 */
enum match_result match_unit(const struct unit *unit, const struct match_host *host,
                             const struct match_app *app, int64_t now_s,
                             const struct match_variant **ret_variant);

#endif
