#include "server/policy/moving.h"

int64_t moving_patience_ms(int64_t task_ms)
{
    int64_t half_ms = task_ms > 0 ? task_ms / 2 : MOVING_MOST_MS;

    if (half_ms < MOVING_LEAST_MS)
        return MOVING_LEAST_MS;
    return half_ms < MOVING_MOST_MS ? half_ms : MOVING_MOST_MS;
}

static size_t count_dropped(const struct unit *unit)
{
    size_t count = 0;

    for (size_t i = 0; i < unit->task_count; i++)
        count += unit->tasks[i].state == TASK_DROPPED;
    return count;
}

bool moving_is_allowed(const struct unit *unit, size_t i)
{
    uint32_t needed = unit->copies_wanted + 1 + unit->rule.quorum;

    return unit->state == UNIT_OPEN && unit->tasks[i].state == TASK_SENT &&
           count_dropped(unit) < MOVING_MOST && needed <= unit_room(unit);
}

/* One that failed before, and was forgiven, does not come back. */
static bool is_withdrawn(const struct task *task)
{
    return task->state == TASK_DROPPED && task->reported_s == 0;
}

/* Of the copies that wait those count that the agreement needs. */
static bool is_wanted(const struct unit *unit)
{
    return unit->state == UNIT_OPEN && unit->copies_wanted > unit->extra;
}

bool moving_is_undone(const struct unit *unit, size_t i)
{
    return is_withdrawn(&unit->tasks[i]) && is_wanted(unit);
}

bool moving_is_done(const struct unit *unit, size_t i)
{
    return is_withdrawn(&unit->tasks[i]) && !is_wanted(unit);
}
