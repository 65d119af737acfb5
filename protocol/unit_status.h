/* GET /v1/units/{hex}: how one unit stands, and each of its tasks. */
#ifndef PROTOCOL_UNIT_STATUS_H
#define PROTOCOL_UNIT_STATUS_H

#include "protocol/words.h"
#include "work-units/refusal.h"
#include "work-units/unit.h"

#define UNIT_STATUS_MAX       (2 * 1024 * 1024)
#define UNIT_STATUS_WAITS_MAX 16

/* One task of it. The outputs of a unit that is still open are not shown. */
struct task_status {
    int64_t task;
    enum task_state state;
    int64_t host;
    int64_t volunteer;
    int64_t sent_s;
    int64_t deadline_s;
    int64_t reported_s; /* 0: not yet */
    struct named_outputs outputs;
    bool has_exit_status;
    int exit_status;       /* 0..255 */
    int signal;            /* 0: none */
    enum task_limit limit; /* LIMIT_NONE */
    enum refusal refusal;  /* REFUSAL_NONE */
    char why[WHY_MAX + 1]; /* how it failed, in words; "": it did not */
    char *stderr_tail;     /* owned, fit to be shown, up to 16 KiB; NULL: none */
    int64_t credit;
};

struct unit_status {
    struct digest unit;
    struct batch_id batch;
    struct file_name name;
    int64_t index;
    enum unit_state state;
    char why[WHY_MAX + 1];     /* "": not said */
    struct texts waits_for;    /* sentences, each up to WHY_MAX bytes */
    size_t task_count;         /* 0..UNIT_TASKS_MAX */
    struct task_status *tasks; /* owned */
};

void unit_status_clear(struct unit_status *unit);
enum status unit_status_decode(const char *body, size_t length, struct unit_status *ret_unit,
                               struct error *err) MUST_USE;
char *unit_status_encode(const struct unit_status *unit);

#endif
