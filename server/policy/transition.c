#include "server/policy/transition.h"

#include <assert.h>

enum task_state transition_task(enum task_state from, enum task_event event)
{
    static const enum task_state after_sent[] = {
        [EVENT_REPORT] = TASK_REPORTED,   [EVENT_FAILURE] = TASK_ERROR,
        [EVENT_ABANDON] = TASK_ABANDONED, [EVENT_OVERDUE] = TASK_OVERDUE,
        [EVENT_WITHDRAW] = TASK_DROPPED,  [EVENT_RESUME] = TASK_SENT,
    };

    assert(event <= EVENT_RESUME);
    if (from == TASK_SENT)
        return after_sent[event];
    if ((from == TASK_OVERDUE || from == TASK_DROPPED) && event == EVENT_REPORT)
        return TASK_REPORTED;
    if (from == TASK_DROPPED && event == EVENT_RESUME)
        return TASK_SENT;
    return from;
}

bool transition_is_failure(enum task_state state)
{
    return state == TASK_ERROR || state == TASK_OUTVOTED || state == TASK_OVERDUE;
}
