#include "server/policy/fairness.h"

#include <assert.h>

#define SCALE 1024

int64_t fairness_weight(int32_t priority)
{
    int64_t weight = SCALE;

    assert(priority >= -FAIRNESS_PRIORITY_MAX && priority <= FAIRNESS_PRIORITY_MAX);
    if (priority % 2 != 0) /* half a step: the square root of two */
        weight = priority > 0 ? weight * 1448 / 1024 : weight * 724 / 1024;
    return priority >= 0 ? weight << (priority / 2) : weight >> (-priority / 2);
}

int64_t fairness_charge(int64_t virtual_time, int64_t cost, int32_t priority)
{
    int64_t weight = fairness_weight(priority);

    assert(cost >= 0);
    if (cost > INT64_MAX / SCALE / SCALE)
        cost = INT64_MAX / SCALE / SCALE;
    return virtual_time + cost * SCALE * SCALE / weight;
}

int64_t fairness_enter(int64_t own_virtual_time, int64_t present)
{
    return own_virtual_time > present ? own_virtual_time : present;
}

static int64_t urgency(const struct fairness_batch *batch)
{
    return batch->needed_by_s != 0 ? batch->needed_by_s : INT64_MAX;
}

int fairness_compare(const struct fairness_batch *a, const struct fairness_batch *b)
{
    int64_t apart = a->virtual_time - b->virtual_time;

    if (apart >= SCALE || apart <= -SCALE)
        return apart < 0 ? -1 : 1;
    if (urgency(a) != urgency(b))
        return urgency(a) < urgency(b) ? -1 : 1;
    return apart < 0 ? -1 : apart > 0;
}
