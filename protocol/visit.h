/*
 * The statement of a visit: the finished tasks of a host, signed by its key. The payload's bytes
 * are what is verified and kept; they are decoded after that.
 */
#ifndef PROTOCOL_VISIT_H
#define PROTOCOL_VISIT_H

#include "protocol/words.h"

#define VISIT_TYPE         "application/vnd.dugnad.visit+json"
#define VISIT_PAYLOAD_MAX  (64 * 1024) /* may allow fewer tasks than the next line */
#define VISIT_FINISHED_MAX 64
#define VISIT_OUTPUTS_MAX  64 /* of one task */

enum visit_outcome {
    VISIT_DONE = 1,
    VISIT_ERROR = 2,     /* it ran and failed */
    VISIT_REFUSED = 3,   /* the client would not run it */
    VISIT_ABANDONED = 4, /* the volunteer gave it up */
};

struct visit_task {
    int64_t task;       /* 1..ID_MAX */
    struct digest unit; /* the unit it is a copy of */
    enum visit_outcome outcome;
    struct named_outputs outputs; /* none unless VISIT_DONE; else 1..VISIT_OUTPUTS_MAX */
};

struct visit {
    struct digest project;
    int64_t number;              /* 1..ID_MAX, rises with every visit of the host */
    size_t finished_count;       /* 0..VISIT_FINISHED_MAX; each task once */
    struct visit_task *finished; /* owned */
};

void visit_clear(struct visit *visit);

/* A payload, already taken out of its envelope. */
enum status visit_decode(const char *payload, size_t length, struct visit *ret_visit,
                         struct error *err) MUST_USE;

/* To be signed. Longer than VISIT_PAYLOAD_MAX: name fewer tasks. */
char *visit_encode(const struct visit *visit);

/* NULL: the statement does not name this task. */
const struct visit_task *visit_find_task(const struct visit *visit, int64_t task);

const char *visit_outcome_name(enum visit_outcome outcome);

#endif
