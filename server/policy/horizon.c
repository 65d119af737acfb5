#include "server/policy/horizon.h"

#include <assert.h>

#include "server/policy/estimate.h"

#define FIRST_MS 1000
#define MOST_MS  (INT64_C(400) * 86400 * 1000)
#define NEAR_MS  5000 /* an estimate is no better than that */
#define STEPS    8    /* halvings of an interval whose ends are a factor of two apart */

static int64_t done_by(const struct horizon_slot slots[], size_t count, int64_t length_ms,
                       int64_t at_ms)
{
    int64_t copies = 0;

    for (size_t i = 0; i < count; i++) {
        double span_ms = (double)(at_ms - slots[i].free_in_ms);

        if (span_ms > 0)
            copies += (int64_t)(span_ms * (double)slots[i].speed / ESTIMATE_SPEED_ONE /
                                (double)length_ms);
    }
    return copies;
}

int64_t horizon_ms(const struct horizon_slot slots[], size_t count, int64_t copies,
                   int64_t length_ms)
{
    int64_t early_ms = 0, late_ms = FIRST_MS;

    assert(copies >= 1 && length_ms >= 1);
    while (done_by(slots, count, length_ms, late_ms) < copies) {
        early_ms = late_ms;
        late_ms *= 2;
        if (late_ms > MOST_MS)
            return HORIZON_NEVER;
    }
    for (int i = 0; i < STEPS; i++) {
        int64_t middle_ms = early_ms + (late_ms - early_ms) / 2;

        if (done_by(slots, count, length_ms, middle_ms) < copies)
            early_ms = middle_ms;
        else
            late_ms = middle_ms;
    }
    return late_ms;
}

bool horizon_is_sooner(int64_t horizon_ms, int64_t ends_in_ms)
{
    return horizon_ms != HORIZON_NEVER && ends_in_ms > horizon_ms + NEAR_MS;
}

bool horizon_leaves(struct horizon_wait *wait, int64_t now_ms, int64_t ends_in_ms,
                    int64_t horizon_ms)
{
    if (!horizon_is_sooner(horizon_ms, ends_in_ms)) {
        *wait = (struct horizon_wait){0};
        return false;
    }
    if (wait->since_ms == 0)
        *wait = (struct horizon_wait){.since_ms = now_ms, .first_ms = horizon_ms};
    return now_ms - wait->since_ms < ends_in_ms - horizon_ms + wait->first_ms / 4;
}
