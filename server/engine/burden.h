/* What a host still has to compute, as its visit says and as estimated. */
#ifndef SERVER_ENGINE_BURDEN_H
#define SERVER_ENGINE_BURDEN_H

#include "server/engine/visit.h"

struct burden_task {
    int64_t task;
    int64_t sent_s;
    int64_t task_ms;   /* what it takes this host in all; 0: not known */
    int64_t left_ms;   /* of it; what is not known counts as SHARE_UNKNOWN_MS */
    bool is_waiting;   /* not begun */
    int64_t busy_ms;   /* that it took so far, as its host says; 0: not said */
    int done_permille; /* of one that began, as its host says; SCHEDULER_PROGRESS_UNSAID */
};

struct burden {
    struct burden_task *tasks; /* owned; begun ones first, each kind in the order of its grants */
    size_t count;
    int64_t ms; /* of all, one after the other */
};

void burden_clear(struct burden *burden);

/* After visit_take(), or after the answer with what was granted. */
struct burden burden_of(const struct cycle *cycle, const struct visit_state *state);

#endif
