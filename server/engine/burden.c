#include "server/engine/burden.h"

#include <stdlib.h>

#include "common/base/cleanup.h"
#include "server/engine/reports.h"
#include "server/engine/timing.h"

void burden_clear(struct burden *burden)
{
    free(burden->tasks);
    *burden = (struct burden){0};
}

static const struct held_task *find_held(const struct visit_state *state, int64_t task)
{
    const struct scheduler_request *request = state->visit->request;

    for (size_t i = 0; i < request->held_count; i++)
        if (request->held[i].task == task)
            return &request->held[i];
    return NULL;
}

/* A running task that says nothing is taken to be half done. */
static int64_t left_permille(const struct held_task *held)
{
    if (held == NULL || held->state == HELD_WAITING)
        return 1000;
    return held->progress_permille >= 0 ? 1000 - held->progress_permille : 500;
}

static struct burden_task describe(const struct cycle *cycle, const struct visit_state *state,
                                   const struct unit *unit, const struct task *task)
{
    const struct held_task *held = find_held(state, task->id);
    int64_t task_ms = timing_task_ms(cycle, state->visit->host, state->speed, unit);
    int64_t whole_ms = task_ms > 0 ? task_ms : SHARE_UNKNOWN_MS;

    return (struct burden_task){.task = task->id,
                                .sent_s = task->sent_s,
                                .task_ms = task_ms,
                                .left_ms = whole_ms * left_permille(held) / 1000,
                                .is_waiting = held == NULL || held->state == HELD_WAITING,
                                .busy_ms = held != NULL ? held->busy_ms : 0,
                                .done_permille = held != NULL && held->state == HELD_RUNNING
                                                     ? held->progress_permille
                                                     : SCHEDULER_PROGRESS_UNSAID};
}

/* Finished ones, whose report is to come, are none any more. */
static bool is_to_do(const struct visit_state *state, const struct task *task)
{
    const struct held_task *held = find_held(state, task->id);

    return task->state == TASK_SENT && (held == NULL || held->state != HELD_FINISHED);
}

static int compare(const void *a, const void *b)
{
    const struct burden_task *x = a, *y = b;

    if (x->is_waiting != y->is_waiting)
        return x->is_waiting ? 1 : -1;
    if (x->sent_s != y->sent_s)
        return x->sent_s < y->sent_s ? -1 : 1;
    return x->task < y->task ? -1 : x->task > y->task;
}

struct burden burden_of(const struct cycle *cycle, const struct visit_state *state)
{
    struct burden burden = {0};
    size_t count;
    const struct cycle_holding *held = cycle_holdings(cycle, state->visit->host, &count);

    burden.tasks = must_alloc(count, sizeof *burden.tasks);
    for (size_t i = 0; i < count; i++) {
        struct unit *unit = NULL;
        const struct task *task =
            reports_own_task(&cycle->set, state->visit->host, held[i].task, &unit);

        if (!is_to_do(state, task))
            continue;
        burden.tasks[burden.count] = describe(cycle, state, unit, task);
        burden.ms += burden.tasks[burden.count++].left_ms;
    }
    qsort(burden.tasks, burden.count, sizeof *burden.tasks, compare);
    return burden;
}
