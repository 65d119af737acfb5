/*
 * The answer to a visit. The decoder is the client's: what a server says is bounded and clamped
 * there (I7). The encoder is the server's.
 */
#ifndef PROTOCOL_SCHEDULER_REPLY_H
#define PROTOCOL_SCHEDULER_REPLY_H

#include "protocol/scheduler_request.h"

#define SCHEDULER_REPLY_MAX     (8 * 1024 * 1024) /* servers grant less rather than exceed it */
#define SCHEDULER_ENVELOPES_MAX (2 * SCHEDULER_WANT_MAX)
#define SCHEDULER_UPLOADS_MAX   256
#define SCHEDULER_DROPS_MAX     (SCHEDULER_HELD_MAX + VISIT_FINISHED_MAX)
#define SCHEDULER_VERDICTS_MAX  512
#define SCHEDULER_RETURN_MAX_S  INT64_C(86400) /* a later return_s is taken as this */

enum visit_ack {
    ACK_REPORTED = 1, /* durable, but keep the bodies: they may be asked for */
    ACK_STORED = 2,   /* nothing more is needed: delete after the grace */
    ACK_DROPPED = 3,  /* not this host's, or no longer wanted: delete after the grace */
};

struct scheduler_ack {
    int64_t task;
    enum visit_ack state;
    char why[WHY_MAX + 1]; /* "": not said */
};

struct scheduler_grant {
    int64_t task;
    char *unit;            /* owned: the envelope as JSON, or what came in its place */
    enum refusal refusal;  /* why that is no envelope; REFUSAL_NONE: it is one */
    struct digest refused; /* then: of its payload as it would be signed, else of its JSON */
    char why[WHY_MAX + 1]; /* then: in words */
    struct digest app_version;
    struct digest variant;
    int64_t deadline_s;
    struct digest receipt; /* to be kept with the task: see struct kept_task; none: not given */
    struct digest digest;  /* the unit's; the server's alone, not written */
};

/* Bodies wanted now, of a task reported earlier or just now. */
struct scheduler_upload {
    int64_t task;
    struct texts names; /* file names, 1..VISIT_OUTPUTS_MAX */
};

enum drop_reason {
    DROP_ACCEPTED = 1,
    DROP_FAILED = 2,
    DROP_CANCELLED = 3,
    DROP_OVERDUE = 4,
    DROP_UNKNOWN = 5,
    DROP_WITHDRAWN = 6,
    DROP_MOVED = 7, /* another host has it; like DROP_ACCEPTED not meant for what has begun */
};

struct scheduler_drop {
    int64_t task;
    enum drop_reason why;
};

enum verdict {
    VERDICT_ACCEPTED = 1,
    VERDICT_OUTVOTED = 2,
    VERDICT_INCONCLUSIVE = 3,
    VERDICT_ERROR = 4,
    VERDICT_UNIT_FAILED = 5,
};

struct scheduler_verdict {
    int64_t task;
    enum verdict verdict;
    int64_t credit; /* >= 0, declared operations */
};

struct scheduler_reply {
    int64_t visit; /* the number that is answered */
    int64_t time_s;
    size_t ack_count;           /* one per finished task of the visit, in its order */
    struct scheduler_ack *acks; /* owned, as are all lists here */
    size_t grant_count;         /* 0..SCHEDULER_WANT_MAX */
    struct scheduler_grant *grants;
    struct texts envelopes; /* app versions and variants: JSON objects that may be no envelopes */
    size_t upload_count;
    struct scheduler_upload *uploads;
    size_t drop_count;
    struct scheduler_drop *drops;
    size_t verdict_count;
    struct scheduler_verdict *verdicts;
    int64_t keyring_version;    /* 0: there is none */
    int64_t freshness_sequence; /* 0: there is none */
    int64_t clock_off_s;        /* the host's clock is so much ahead; < 0: behind; 0: not off */
    bool asks_for_kept;         /* it was restored: tell it what is kept, visit by visit */
    int64_t return_s;           /* 0..SCHEDULER_RETURN_MAX_S: seconds from now, clamped */
    char why[WHY_MAX + 1];      /* why there is no (more) work; "": not said */
};

void scheduler_reply_clear(struct scheduler_reply *reply); /* for CLEANUP(), too */

/*
 * The answer to `visit`: STATUS_INVALID also if it acknowledges anything but the visit's finished
 * tasks in order, or answers another number. A grant whose unit is an object, but no envelope, is
 * no such failure: it is refused alone.
 */
enum status scheduler_reply_decode(const char *body, size_t length, const struct visit *visit,
                                   struct scheduler_reply *ret_reply, struct error *err) MUST_USE;
char *scheduler_reply_encode(const struct scheduler_reply *reply);

const char *visit_ack_name(enum visit_ack ack);
const char *drop_reason_name(enum drop_reason reason);
const char *verdict_name(enum verdict verdict);

#endif
