#include "server/policy/credit.h"

static const struct task *an_agreed_task(const struct unit *unit)
{
    for (size_t i = 0; i < unit->task_count; i++)
        if (unit->tasks[i].state == TASK_AGREED)
            return &unit->tasks[i];
    return NULL;
}

int64_t credit_owed(const struct unit *unit, size_t i)
{
    const struct task *task = &unit->tasks[i];
    const struct task *agreed = an_agreed_task(unit);
    bool is_right = agreed != NULL &&
                    (task->state == TASK_AGREED || task->state == TASK_INCONCLUSIVE) &&
                    digest_compare(&task->result, &agreed->result) == 0;

    if (unit->state != UNIT_ACCEPTED || !is_right || task->credit != 0)
        return 0;
    return unit->declared_ops > CREDIT_LEAST ? unit->declared_ops : CREDIT_LEAST;
}
