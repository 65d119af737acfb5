/*
 * The nouns every decision of the server is about: a work unit and its tasks, as they stand. Plain
 * data; what may happen to it is decided in server/policy/, what is kept of it in db/. The signed
 * manifests are in files of their own. Enum values are stored: never renumber one.
 */
#ifndef WORK_UNITS_UNIT_H
#define WORK_UNITS_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/crypto/digest.h"
#include "work-units/independence.h"

#define UNIT_TASKS_MAX   16 /* copies ever made of one unit */
#define UNIT_OUTPUTS_MAX 64 /* outputs an app version may declare */

/* Outputs of one task that hold at most so much in all travel inside the visit. */
#define UNIT_INLINE_MAX_BYTES (64 * 1024)

/*
 * Who holds a task. Never 0. Hosts without an account get the volunteer of their address prefix;
 * a volunteer without an organisation counts as one of its own: minus its id.
 */
struct identity {
    int64_t host;
    int64_t volunteer;
    int64_t organisation;
};

/* The one of the three that `independence` names. */
int64_t identity_named(const struct identity *identity, enum independence independence);

enum task_state {
    TASK_SENT = 1,
    TASK_REPORTED = 2, /* a good report is durable; its unit is not decided */
    TASK_AGREED = 3,
    TASK_OUTVOTED = 4,
    TASK_INCONCLUSIVE = 5, /* right but shares identity, or the unit ended otherwise */
    TASK_ERROR = 6,        /* it ran and failed, or the client refused it: see `cause` */
    TASK_OVERDUE = 7,      /* its deadline passed; a late right report may still turn it */
    TASK_DROPPED = 8,      /* withdrawn by the server */
    TASK_ABANDONED = 9,    /* given up by its volunteer */
};

/* Why a task is TASK_ERROR, and with what it was abandoned; also how a result is grouped for
 * people. */
enum task_cause {
    CAUSE_NONE = 0,
    CAUSE_EXIT = 1,      /* exit status other than 0; `cause_detail` is it */
    CAUSE_SIGNAL = 2,    /* `cause_detail` is its number */
    CAUSE_LIMIT = 3,     /* `cause_detail`: enum task_limit */
    CAUSE_OUTPUT = 4,    /* outputs missing, extra, misnamed or too large */
    CAUSE_REFUSED = 5,   /* the client would not run it; `cause_detail`: enum refusal */
    CAUSE_BODY = 6,      /* agreed, but its body was never delivered or was another */
    CAUSE_UNSTARTED = 7, /* TASK_ABANDONED: its volunteer left before it was started */
};

enum task_limit {
    LIMIT_NONE = 0,
    LIMIT_CPU = 1,
    LIMIT_WALL = 2,
    LIMIT_MEMORY = 3,
    LIMIT_DISK = 4,
    LIMIT_OUTPUT = 5,
    LIMIT_PROCESSES = 6,
};

struct output {
    char *name; /* owned; within the file-name profile */
    struct digest digest;
    int64_t size_bytes;
    bool is_stored; /* this site holds the body, durably */
};

struct task {
    int64_t id; /* 0: to be made when saved */
    enum task_state state;
    enum task_cause cause;
    int32_t cause_detail;
    struct identity at_dispatch; /* as stored when the task was made */
    struct identity now;         /* as the host's account stands today */
    char *prefix;  /* owned; "" with an account, else where its host was at dispatch */
    int64_t visit; /* the host's visit that was granted it */
    struct digest variant;
    int64_t sent_s;
    int64_t deadline_up_s;  /* of the server's up-time clock, see server/policy/deadline.h */
    int64_t deadline_s;     /* the same as wall time, for people and hosts */
    int64_t reported_s;     /* 0: not yet */
    struct digest result;   /* over all outputs, see result_digest(); none before a good report */
    size_t output_count;    /* 0..UNIT_OUTPUTS_MAX; only of good reports */
    struct output *outputs; /* owned, in the order of the app version's outputs */
    int64_t cpu_ms;
    int64_t credit;     /* given for it, once; in declared operations */
    bool is_asked;      /* its bodies were asked for (unit agreed): the host may upload */
    int64_t asked_up_s; /* when, of the up-time clock */
    bool is_told;       /* its host has been told the verdict */
    bool is_changed;    /* to be saved, together with its unit */
    struct task_row {   /* as it stands in the store; the store's, nobody else touches it */
        enum task_state state;
        bool is_live;
    } row;
};

/* As signed. No code but a signer's changes a member, and no server can choose a weaker one. */
struct unit_rule {
    uint32_t quorum;       /* agreeing tasks needed, 1..max_tasks */
    uint32_t copies;       /* tasks made at first, quorum..max_tasks */
    uint32_t max_failures; /* one more fails the unit */
    uint32_t max_tasks;    /* 1..UNIT_TASKS_MAX; see unit_tasks_charged() */
    enum independence independence;
};

enum unit_state {
    UNIT_OPEN = 1,
    UNIT_JUDGING = 2,  /* a slow judgement is running */
    UNIT_AGREED = 3,   /* its body is being fetched */
    UNIT_ACCEPTED = 4, /* and durable; an acceptance row says by what rule and which tasks */
    UNIT_FAILED = 5,
};

enum unit_failure {
    FAILURE_NONE = 0,
    FAILURE_ERRORS = 1,    /* more than max_failures tasks ended in an error */
    FAILURE_DISSENT = 2,   /* max_tasks can no longer bring an agreement */
    FAILURE_SPLIT = 3,     /* two different outputs have a quorum each: a person must look */
    FAILURE_EXPIRED = 4,   /* its signed validity ended first */
    FAILURE_CANCELLED = 5, /* by the operator */
    FAILURE_REVOKED = 6,   /* it, its batch or its app version was revoked */
};

struct unit {
    int64_t id;      /* of this store; the unit's identity is its digest */
    int64_t version; /* of the row as loaded; the store's, nobody else writes it */
    struct digest digest;
    int64_t batch;       /* row id */
    int64_t app_version; /* row id */
    int64_t index;       /* within the batch */
    struct unit_rule rule;
    int64_t deadline_span_s; /* how long a task may take, as signed */
    int64_t declared_ops;    /* as signed: credit and estimates */
    int64_t memory_bytes;    /* as signed: what a host must have */
    int64_t disk_bytes;      /* of the slot */
    int64_t output_bytes;    /* of all outputs together */
    int64_t not_before_s;    /* its signed validity */
    int64_t not_after_s;
    int64_t signer;     /* of its envelope: trust_check_signer() */
    char *classes;      /* owned; allowed by the signed `only`, space separated; "": any */
    char *platforms;    /* the same for platforms */
    char *pinned_class; /* owned; of the first task's variant: all others must be of it; "": none */
    enum unit_state state;
    enum unit_failure failure;
    uint32_t copies_wanted; /* tasks to make beyond those that are out */
    uint32_t extra;         /* of these, or of later ones: not for the agreement, but to have it
                             * sooner */
    uint32_t revision;      /* of its acceptance: 0 none yet, then 1, 2 … after a reopening */
    bool is_changed;        /* to be saved */
    struct unit_row {       /* as it stands in the store; the store's, nobody else touches it */
        enum unit_state state;
        uint8_t phase;
    } row;
    size_t task_count; /* 0..UNIT_TASKS_MAX; only ever appended to */
    struct task tasks[UNIT_TASKS_MAX];
};

/* Most that a task of it takes of a host's disk: its slot, and the copies of its outputs. */
static inline int64_t unit_room_bytes(const struct unit *unit)
{
    return unit->disk_bytes + unit->output_bytes;
}

/* Tasks that use up max_tasks: what a volunteer handed back, or the server took back and was not
 * reported after all, brought nothing, and costs nothing. */
uint32_t unit_tasks_charged(const struct unit *unit);

/* How many more tasks may be made of it. */
uint32_t unit_room(const struct unit *unit);

/* Release what the unit owns. */
void unit_clear(struct unit *unit);
void task_clear(struct task *task);

/*
 * What `exact` compares: SHA-256 over "dugnad-result-v1\n" and, per output in order,
 * "name\nsha256:…\nsize\n". Two tasks agree exactly if all names, digests and sizes are equal.
 */
struct digest result_digest(const struct output *outputs, size_t count);

/* Stable words: "sent", "reported" …; for logs, API and pages. */
const char *task_state_name(enum task_state state);
const char *unit_state_name(enum unit_state state);
const char *unit_failure_name(enum unit_failure failure);
const char *task_limit_name(enum task_limit limit);
/* False: no such name. */
bool task_state_parse(const char *name, enum task_state *ret_state);
bool task_limit_parse(const char *name, enum task_limit *ret_limit);

#endif
