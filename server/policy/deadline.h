/*
 * When a task is overdue, and whether time can be judged at all.
 *
 * Deadlines count the server's *up-time*: seconds that it has been running, added up over restarts.
 * A server that was down for a week has not used up anybody's deadline.
 */
#ifndef SERVER_POLICY_DEADLINE_H
#define SERVER_POLICY_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

/* Beyond so much between wall and monotonic time the wall clock is not believed. */
#define CLOCK_MAX_DRIFT_S 3600

/* A server that starts so long after its last commit asks first: it may be its clock that is wrong.
 */
#define CLOCK_MAX_STANDSTILL_S (60 * 86400)

/* What the clocks say now, and what they said when last believed. */
struct clock_facts {
    int64_t now_s;           /* wall clock */
    int64_t now_mono_ms;     /* monotonic */
    int64_t started_s;       /* wall clock when this server started, or was last confirmed */
    int64_t started_mono_ms; /* monotonic then */
    int64_t last_commit_s;   /* wall time of the newest commit in the store; 0: none */
    bool is_confirmed;       /* an operator vouched for the clock since it started */
};

enum clock_judgement {
    CLOCK_SOUND,
    CLOCK_JUMPED,            /* wall and monotonic time parted by more than CLOCK_MAX_DRIFT_S */
    CLOCK_BEFORE_COMMIT,     /* the last commit lies in the future by more than CLOCK_MAX_DRIFT_S */
    CLOCK_LONG_AFTER_COMMIT, /* the server started more than CLOCK_MAX_STANDSTILL_S after it */
};

/*
 * Unless CLOCK_SOUND nothing expires and no validity is judged until an operator confirms; the
 * confirmation resets `started_…` and vouches for the last commit, wherever it lies.
 */
enum clock_judgement clock_judge(const struct clock_facts *facts);

/* "the clock jumped 31 days ahead; …": what to do, for logs and pages. Static. */
const char *clock_judgement_words(enum clock_judgement judgement);

/* Up-time now: `base_up_s` was stored when the server ran last. */
int64_t deadline_up_now(int64_t base_up_s, const struct clock_facts *facts);

struct deadline {
    int64_t up_s;   /* of the up-time clock: what counts */
    int64_t wall_s; /* for people and hosts */
};

/* A task made now may take `span_s`, but never longer than its unit is valid. */
struct deadline deadline_of_task(int64_t span_s, int64_t not_after_s, int64_t up_now_s,
                                 int64_t now_s);

#endif
