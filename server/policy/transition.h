/*
 * What may become of a task: one table, so that no event can do what the table does not say.
 * quorum.h decides the rest (reported tasks of a unit that ends).
 */
#ifndef SERVER_POLICY_TRANSITION_H
#define SERVER_POLICY_TRANSITION_H

#include "work-units/unit.h"

enum task_event {
    EVENT_REPORT,   /* its host hands in a good report */
    EVENT_FAILURE,  /* its host says that it failed, or hands in outputs that break the contract */
    EVENT_ABANDON,  /* its volunteer gives it up */
    EVENT_OVERDUE,  /* its deadline passed */
    EVENT_WITHDRAW, /* the server takes it back: cancelled, revoked, clone, unit ended, moved */
    EVENT_RESUME,   /* its host has begun it before another one took it: it goes on */
};

/*
 * The task's next state; its own again if the event changes nothing, for instance the second report
 * of a task, or any event of one that is decided. An overdue or withdrawn one may still report.
 */
enum task_state transition_task(enum task_state from, enum task_event event);

/* Did this end count as a failure of the host, for allowances and self-pausing? */
bool transition_is_failure(enum task_state state);

#endif
