#include "server/policy/delivery.h"

#include <assert.h>

static bool has_delivered(const struct task *task)
{
    for (size_t i = 0; i < task->output_count; i++)
        if (!task->outputs[i].is_stored)
            return false;
    return true;
}

struct delivery_decision delivery_decide(const struct unit *unit, int64_t up_now_s,
                                         int64_t patience_s)
{
    struct delivery_decision decision = {.act = DELIVERY_FAILED};

    assert(unit->state == UNIT_AGREED);
    for (size_t i = 0; i < unit->task_count; i++) {
        const struct task *task = &unit->tasks[i];

        if (task->state != TASK_AGREED)
            continue;
        if (has_delivered(task))
            return (struct delivery_decision){.act = DELIVERY_DONE, .task = i};
        if (task->is_asked && up_now_s < task->asked_up_s + patience_s)
            decision = (struct delivery_decision){.act = DELIVERY_WAIT, .task = i};
        else if (!task->is_asked && decision.act == DELIVERY_FAILED)
            decision = (struct delivery_decision){.act = DELIVERY_ASK, .task = i};
    }
    return decision;
}
