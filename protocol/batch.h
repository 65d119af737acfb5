/* A batch: how it is made, what may be done with it, and how it stands. */
#ifndef PROTOCOL_BATCH_H
#define PROTOCOL_BATCH_H

#include "common/crypto/digest.h"
#include "protocol/words.h"
#include "work-units/batch_id.h"

#define BATCH_REQUEST_MAX  4096
#define BATCH_REPLY_MAX    (16 * 1024)
#define BATCH_PRIORITY_MAX 10 /* and -BATCH_PRIORITY_MAX */
#define BATCH_COUNT_MAX    ID_MAX

struct batch_request {
    struct batch_id batch;
    char name[BATCH_NAME_MAX + 1]; /* a file name, unique on the site */
    struct digest app_version;
    int32_t priority;
    int64_t needed_by_s; /* 0: not said */
};

enum status batch_request_decode(const char *body, size_t length, struct batch_request *ret_request,
                                 struct error *err) MUST_USE;
char *batch_request_encode(const struct batch_request *request);

enum batch_action {
    ACTION_CLOSE = 1, /* no more units will come */
    ACTION_CANCEL = 2,
    ACTION_HOLD = 3, /* send nothing new */
    ACTION_RELEASE = 4,
    ACTION_RETRY = 5, /* try units that failed once more */
    ACTION_PRIORITY = 6,
    ACTION_AGAIN = 7, /* another copy of units whose copies are all out */
};

struct batch_action_request {
    enum batch_action action;
    int32_t priority;   /* of ACTION_PRIORITY alone */
    struct digest unit; /* of ACTION_AGAIN: this one alone; none: all of the batch */
};

enum status batch_action_decode(const char *body, size_t length,
                                struct batch_action_request *ret_request, struct error *err)
    MUST_USE;
char *batch_action_encode(const struct batch_action_request *request);

/* Numbered as the store numbers them. */
enum batch_phase {
    PHASE_OPEN = 1,
    PHASE_CLOSED = 2,
    PHASE_HELD = 3,
    PHASE_PAUSED = 4,
    PHASE_CANCELLED = 5,
    PHASE_FINISHED = 6,
};

/* Tasks by how they ended. */
struct task_outcomes {
    int64_t agreed, outvoted, inconclusive, error, overdue, dropped, abandoned;
};

/* What the last retry did: units tried again, and those that stay failed, by why. */
struct retry_status {
    bool is_there; /* anything of it to say */
    bool is_running;
    int64_t reopened;
    int64_t expired, revoked, spent;
};

struct batch_status {
    struct batch_id batch;
    char name[BATCH_NAME_MAX + 1];
    struct word app;
    struct digest app_version;
    enum batch_phase phase;
    char why[WHY_MAX + 1]; /* "": not said */
    int32_t priority;
    int64_t needed_by_s; /* 0: not said */
    int64_t created_s;
    int64_t units; /* received; the sum of the next seven */
    int64_t waiting, running, judging, agreed, accepted, failed, cancelled;
    int64_t tasks; /* ever made */
    struct task_outcomes outcomes;
    struct retry_status retry;
    int64_t finish_estimate_s; /* when it may be done, wall time; 0: cannot be told */
};

enum status batch_status_decode(const char *body, size_t length, struct batch_status *ret_status,
                                struct error *err) MUST_USE;
char *batch_status_encode(const struct batch_status *status);

/* All its units ended and no more will come. */
bool batch_has_ended(const struct batch_status *status);

const char *batch_phase_name(enum batch_phase phase);

#endif
