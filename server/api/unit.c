/* GET /v1/units/{hex}: one unit and its tasks. */
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "db/query.h"
#include "db/store.h"
#include "protocol/cause.h"
#include "protocol/unit_status.h"
#include "server/api/call.h"
#include "server/api/handlers.h"
#include "server/api/surroundings.h"
#include "server/api/views.h"

#define STDERR_MAX (16 * 1024)

struct looking {
    struct unit_status status;
    struct unit unit; /* what waiting_of_unit() looks at; owns nothing */
    struct surroundings surroundings;
};

static void free_looking(void *state)
{
    struct looking *looking = state;

    unit_status_clear(&looking->status);
    free(looking);
}

/* What an open unit's tasks brought is shown to nobody: it could be copied. */
static void take_outputs(const struct unit *unit, const struct task *task,
                         struct named_outputs *ret_outputs)
{
    if (unit->state != UNIT_ACCEPTED && unit->state != UNIT_FAILED)
        return;
    ret_outputs->outputs = must_alloc(task->output_count, sizeof *ret_outputs->outputs);
    for (; ret_outputs->count < task->output_count; ret_outputs->count++) {
        const struct output *output = &task->outputs[ret_outputs->count];
        struct named_output *named = &ret_outputs->outputs[ret_outputs->count];

        (void)text_fit(named->name.text, sizeof named->name.text, output->name);
        named->digest = output->digest;
        named->size = output->size_bytes;
    }
}

static void take_task(const struct unit *unit, const struct task *task,
                      const struct report_view *report, struct task_status *ret_status)
{
    const struct cause cause = {.cause = task->cause, .detail = task->cause_detail};

    *ret_status = (struct task_status){
        .task = task->id,
        .state = task->state,
        .host = task->at_dispatch.host,
        .volunteer = task->at_dispatch.volunteer,
        .sent_s = task->sent_s,
        .deadline_s = task->deadline_s,
        .reported_s = task->reported_s,
        .has_exit_status = report->visit != 0 &&
                           (task->cause == CAUSE_EXIT || task->cause == CAUSE_NONE ||
                            task->cause == CAUSE_OUTPUT) &&
                           report->exit_status >= 0 && report->exit_status <= 255,
        .exit_status = report->exit_status,
        .signal = task->cause == CAUSE_SIGNAL ? task->cause_detail : 0,
        .limit = task->cause == CAUSE_LIMIT ? (enum task_limit)task->cause_detail : LIMIT_NONE,
        .refusal = task->cause == CAUSE_REFUSED ? (enum refusal)task->cause_detail : REFUSAL_NONE,
        .stderr_tail = show_text(report->stderr_tail, STDERR_MAX),
        .credit = task->credit,
    };
    if (task->cause != CAUSE_NONE)
        cause_words(&cause, report->why != NULL ? report->why : "", ret_status->why);
    take_outputs(unit, task, &ret_status->outputs);
}

static void keep_for_waiting(const struct unit *from, struct unit *to)
{
    to->state = from->state;
    to->rule = from->rule;
    to->app_version = from->app_version;
    to->not_before_s = from->not_before_s;
    to->memory_bytes = from->memory_bytes;
    to->disk_bytes = from->disk_bytes;
    to->output_bytes = from->output_bytes;
    to->signer = from->signer;
    to->copies_wanted = from->copies_wanted;
    to->task_count = from->task_count;
    for (size_t i = 0; i < from->task_count; i++) {
        const struct task *task = &from->tasks[i];

        to->tasks[i] = (struct task){.state = task->state,
                                     .cause = task->cause,
                                     .at_dispatch = task->at_dispatch,
                                     .result = task->result};
    }
}

static bool take(void *context, const struct unit_view *view)
{
    struct looking *looking = context;
    struct unit_status *status = &looking->status;
    const struct unit *unit = view->unit;

    status->unit = unit->digest;
    status->batch = view->batch;
    status->index = unit->index;
    status->state = unit->state;
    (void)text_fit(status->name.text, sizeof status->name.text, view->name);
    (void)text_fit(status->why, sizeof status->why, show_unit_why(unit->state, unit->failure));
    status->tasks = must_alloc(unit->task_count, sizeof *status->tasks);
    for (; status->task_count < unit->task_count; status->task_count++)
        take_task(unit, &unit->tasks[status->task_count], &view->reports[status->task_count],
                  &status->tasks[status->task_count]);
    keep_for_waiting(unit, &looking->unit);
    return true;
}

static enum status read_all(struct call *call, struct store *store, struct error *err)
{
    struct looking *looking = call->state;
    struct waiting_facts facts;
    struct digest digest;

    TRY(call_digest(call, 0, &digest, err));
    TRY(store->query->unit(store, &digest, take, looking, err));
    TRY(surroundings_read(call, store, &looking->unit, &looking->surroundings, &facts, err));
    signatures_of_unit(&looking->surroundings.judge, &looking->unit, &facts.signatures);
    waiting_of_unit(&looking->unit, &facts, &looking->status.waits_for);
    return STATUS_OK;
}

static void look(struct call *call, struct store *store)
{
    struct looking *looking = call->state;
    struct error err;

    if (read_all(call, store, &err) == STATUS_OK)
        call_json(call, 200, unit_status_encode(&looking->status));
    else
        call_fail(call, &err);
}

void unit_get(struct call *call)
{
    (void)call_state(call, sizeof(struct looking), free_looking);
    call_read(call, look);
}
