/*
 * How long tasks will run on this host: as those of their app version did of late, by the
 * operations that their units declare; else as declared, on the reference host
 * (work-units/work_unit.h). The server does the same for its grants (server/policy/estimate.h).
 */
#ifndef CLIENT_AGENT_DURATIONS_H
#define CLIENT_AGENT_DURATIONS_H

#include <stddef.h>
#include <stdint.h>

#include "common/crypto/digest.h"

#define DURATIONS_MAX        32      /* app versions; of more, those that ended last are known */
#define DURATIONS_UNKNOWN_MS 3600000 /* a task that nothing is known of is taken to run so long */

struct duration {
    struct digest app_version;
    double ms_per_op; /* of a unit that declares none: as if it declared those of a second */
};

/* Zeroed: none. The one that was learned last is the last. */
struct durations {
    struct duration all[DURATIONS_MAX];
    size_t count;
};

/* A task is known by these, all signed. */
struct duration_unit {
    const struct digest *app_version;
    int64_t declared_ops; /* 0: nothing is declared */
    int64_t wall_s;       /* it is stopped then; >= 1 */
};

/* One ended well that ran so long, without interruption. */
void durations_learn(struct durations *durations, const struct duration_unit *unit, int64_t ran_ms);

/* 1..wall_s * 1000 */
int64_t durations_estimate_ms(const struct durations *durations, const struct duration_unit *unit);

#endif
