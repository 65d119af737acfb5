/* What a host sends to POST /v1/scheduler: one message for everything there is to say. */
#ifndef PROTOCOL_SCHEDULER_REQUEST_H
#define PROTOCOL_SCHEDULER_REQUEST_H

#include "common/crypto/envelope.h"
#include "protocol/refused.h"
#include "protocol/visit.h"
#include "work-units/limits.h"
#include "work-units/unit.h"

#define SCHEDULER_REQUEST_MAX     (1024 * 1024)
#define SCHEDULER_HELD_MAX        256
#define SCHEDULER_WANT_MAX        64
#define SCHEDULER_STDERR_MAX      (16 * 1024)
#define SCHEDULER_PLATFORMS_MAX   8
#define SCHEDULER_LAYERS_MAX      16
#define SCHEDULER_HAVE_MAX        64
#define SCHEDULER_CLIENT_MAX      64 /* bytes of the client's name and version */
#define SCHEDULER_SPAN_MAX_MS     (INT64_C(400) * 86400 * 1000 * 1024) /* 400 days on 1024 cores */
#define SCHEDULER_KEPT_MAX        64
#define SCHEDULER_REFUSED_MAX     16
#define SCHEDULER_PROGRESS_UNSAID (-1)

/* A small output, carried along. */
struct scheduler_body {
    struct file_name name;
    struct bytes body; /* of the size that the statement says; its digest is not checked here */
};

/* What the statement does not say about a finished task. */
struct scheduler_report {
    int64_t task;
    bool has_exit_status;
    int exit_status;       /* 0..255 */
    int signal;            /* 1..64; 0: none */
    enum task_limit limit; /* the one that was hit; LIMIT_NONE */
    enum refusal refusal;  /* not REFUSAL_NONE exactly if the outcome is VISIT_REFUSED */
    struct digest refused; /* what was refused; none */
    char why[WHY_MAX + 1]; /* "": not said */
    bool is_unstarted; /* abandoned, though it could have been computed: its program never ran */
    int64_t cpu_ms;
    int64_t wall_ms; /* that its program ran */
    int64_t busy_ms; /* that the task took: fetching, running, collecting; 0: not said */
    int64_t peak_memory_bytes;
    struct bytes stderr_tail;      /* untrusted text, up to SCHEDULER_STDERR_MAX */
    size_t body_count;             /* only of done tasks; UNIT_INLINE_MAX_BYTES in all */
    struct scheduler_body *bodies; /* owned; named by the statement, each at most once */
};

enum held_state { HELD_WAITING = 1, HELD_RUNNING = 2, HELD_FINISHED = 3 };

struct held_task {
    int64_t task;
    enum held_state state;
    int progress_permille; /* 0..1000, or SCHEDULER_PROGRESS_UNSAID */
    int64_t busy_ms;       /* that its program ran so far, without suspensions; 0: not said */
};

/* A finished task whose outputs the host keeps: the server said that it was restored. */
struct kept_task {
    int64_t task;          /* as it was granted */
    struct digest unit;    /* of which it is */
    struct digest receipt; /* that came with the grant: nobody else's work can be claimed */
};

struct scheduler_host {
    char client[SCHEDULER_CLIENT_MAX + 1]; /* "dugnad-client 0.1.0" */
    struct texts platforms;                /* words, 1..SCHEDULER_PLATFORMS_MAX, best first */
    struct texts layers;                   /* words, 0..SCHEDULER_LAYERS_MAX */
    int64_t cores;                         /* 1..LIMITS_CORES_MAX */
    int64_t memory_bytes;                  /* what tasks may use, together */
    int64_t disk_bytes;                    /* for one task: its slot, and copies of its outputs */
    int64_t time_s;                        /* its clock */
};

struct scheduler_request {
    struct envelope statement;        /* NOT verified: envelope_is_signed_by() the host's key */
    struct visit visit;               /* its payload */
    struct scheduler_report *reports; /* owned; visit.finished_count: [i] is finished[i]'s */
    size_t held_count;
    struct held_task *held; /* owned; each task once, and none of the finished ones */
    size_t kept_count;      /* 0..SCHEDULER_KEPT_MAX */
    struct kept_task *kept; /* owned */
    size_t refused_count;   /* 0..SCHEDULER_REFUSED_MAX */
    struct refused_thing refused[SCHEDULER_REFUSED_MAX];
    struct scheduler_host host;
    int64_t want_tasks;   /* 0..SCHEDULER_WANT_MAX */
    int64_t want_seconds; /* 0: no matter */
    struct digests have_app_versions;
    struct digests have_variants;
};

void scheduler_request_clear(struct scheduler_request *request); /* for CLEANUP(), too */

enum status scheduler_request_decode(const char *body, size_t length,
                                     struct scheduler_request *ret_request, struct error *err)
    MUST_USE;

/* `visit` is not written: it is the statement's payload. */
char *scheduler_request_encode(const struct scheduler_request *request);

#endif
