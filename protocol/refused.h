/*
 * Signed things of a site's own that a client refuses, and that are no task's: told to the site by
 * code and digest with the next visit, for nobody else would ever know. What is wrong with a task
 * is told in its report.
 */
#ifndef PROTOCOL_REFUSED_H
#define PROTOCOL_REFUSED_H

#include "common/crypto/digest.h"
#include "work-units/refusal.h"

enum refused_kind {
    REFUSED_ENVELOPE = 1,  /* one of an answer's `envelopes`, for it is none */
    REFUSED_KEYRING = 2,   /* of GET /v1/project */
    REFUSED_FRESHNESS = 3, /* of GET /v1/project or the bulletin */
};
#define REFUSED_KINDS 3

struct refused_thing {
    enum refused_kind what;
    enum refusal refusal; /* not REFUSAL_NONE */
    struct digest digest; /* see refused_identity() */
};

const char *refused_kind_name(enum refused_kind kind);

struct members;
struct writer;

/* The code "refusal" of an object: never REFUSAL_NONE. */
enum refusal members_refusal(struct members *members);

/* Its members in an object, which may have others besides. */
struct refused_thing members_refused(struct members *members);
void write_refused(struct writer *writer, const struct refused_thing *thing);

/*
 * Of the JSON that should be an envelope: of its payload as it would be signed, wherever that can
 * be told; else of the JSON's own bytes.
 */
struct digest refused_identity(const char *json);

#endif
