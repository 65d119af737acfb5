#include "server/policy/withdrawing.h"

bool withdrawing_is_allowed(const struct unit *unit, size_t i)
{
    size_t places = UNIT_TASKS_MAX - unit->task_count;

    if (unit->tasks[i].state != TASK_SENT)
        return false;
    return unit->state != UNIT_OPEN || unit->copies_wanted + 1 <= places;
}
