/* server/policy/transition: no event does what the table does not say. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/transition.h"

Test(transition, a_sent_task_takes_every_event)
{
    cr_expect(eq(int, transition_task(TASK_SENT, EVENT_REPORT), TASK_REPORTED));
    cr_expect(eq(int, transition_task(TASK_SENT, EVENT_FAILURE), TASK_ERROR));
    cr_expect(eq(int, transition_task(TASK_SENT, EVENT_ABANDON), TASK_ABANDONED));
    cr_expect(eq(int, transition_task(TASK_SENT, EVENT_OVERDUE), TASK_OVERDUE));
    cr_expect(eq(int, transition_task(TASK_SENT, EVENT_WITHDRAW), TASK_DROPPED));
    cr_expect(eq(int, transition_task(TASK_SENT, EVENT_RESUME), TASK_SENT));
    cr_expect(eq(int, transition_task(TASK_DROPPED, EVENT_RESUME), TASK_SENT));
}

Test(transition, late_work_still_counts_and_decided_tasks_stay)
{
    for (enum task_event event = EVENT_REPORT; event <= EVENT_WITHDRAW; event++) {
        for (enum task_state from = TASK_REPORTED; from <= TASK_ABANDONED; from++) {
            bool is_late = event == EVENT_REPORT && (from == TASK_OVERDUE || from == TASK_DROPPED);

            cr_expect(eq(int, transition_task(from, event), is_late ? TASK_REPORTED : from),
                      "%s, event %d", task_state_name(from), event);
        }
    }
}
