#include "server/engine/reports.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "protocol/cause.h"
#include "server/engine/settle.h"
#include "server/engine/timing.h"
#include "server/engine/visit.h"
#include "server/policy/transition.h"

/* What a report makes of a task. */
struct finding {
    enum task_event event;
    enum task_cause cause;
    int32_t detail;
    const char *why; /* NULL: as the host says */
};

struct task *reports_own_task(const struct work_set *set, int64_t host, int64_t id,
                              struct unit **ret_unit)
{
    struct task *task = NULL;
    struct unit *unit = work_unit_of_task(set, id, &task);

    if (unit == NULL || task->at_dispatch.host != host)
        return NULL;
    *ret_unit = unit;
    return task;
}

static const struct scheduler_body *find_body(const struct scheduler_report *report,
                                              const char *name)
{
    for (size_t i = 0; i < report->body_count; i++)
        if (strcmp(report->bodies[i].name.text, name) == 0)
            return &report->bodies[i];
    return NULL;
}

static bool is_body_of(const struct scheduler_body *body, const struct named_output *output)
{
    struct digest digest = digest_of(body->body.bytes, body->body.length);

    return (int64_t)body->body.length == output->size && digest_equals(&digest, &output->digest);
}

/* Cannot overflow: an app has at most APP_OUTPUTS_MAX outputs, none above LIMITS_BYTES_MAX. */
static int64_t all_bytes(const struct named_outputs *outputs)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < outputs->count; i++)
        bytes += outputs->outputs[i].size;
    return bytes;
}

/* The unit signed less than the sum of what its app allows for each. */
static const char *total_fault(struct cycle *cycle, const struct unit *unit,
                               const struct named_outputs *outputs)
{
    char words[128];
    int64_t bytes = all_bytes(outputs);

    if (bytes <= unit->output_bytes)
        return NULL;
    (void)snprintf(words, sizeof words,
                   "the outputs have %" PRId64 " bytes together, the unit allows %" PRId64, bytes,
                   unit->output_bytes);
    return cycle_keep_text(cycle, words);
}

/* NULL: the outputs are what the app version declares. Else words; static or the cycle's. */
static const char *outputs_fault(struct cycle *cycle, const struct app_version *app,
                                 const struct named_outputs *outputs)
{
    char words[TEXT_FILE_NAME_MAX + 64];

    for (size_t i = 0; i < app->output_count; i++) {
        const struct app_output *declared = &app->outputs[i];
        const struct named_output *output = named_outputs_find(outputs, declared->name.text);

        if (output != NULL && output->size <= declared->max_bytes)
            continue;
        (void)snprintf(words, sizeof words, "output %s is %s", declared->name.text,
                       output == NULL ? "missing" : "larger than its app allows");
        return cycle_keep_text(cycle, words);
    }
    for (size_t i = 0; i < outputs->count; i++) {
        if (app_version_output(app, outputs->outputs[i].name.text) != NULL)
            continue;
        (void)snprintf(words, sizeof words, "output %s is none that its app declares",
                       outputs->outputs[i].name.text);
        return cycle_keep_text(cycle, words);
    }
    return NULL;
}

static const char *bodies_fault(struct cycle *cycle, const struct visit_task *finished,
                                const struct scheduler_report *report)
{
    char words[TEXT_FILE_NAME_MAX + 64];

    for (size_t i = 0; i < report->body_count; i++) {
        const struct scheduler_body *body = &report->bodies[i];
        const struct named_output *output = named_outputs_find(&finished->outputs, body->name.text);

        if (output != NULL && is_body_of(body, output))
            continue;
        (void)snprintf(words, sizeof words, "the body of output %s is not what was reported",
                       body->name.text);
        return cycle_keep_text(cycle, words);
    }
    return NULL;
}

static struct finding judge_done(struct cycle *cycle, const struct unit *unit,
                                 const struct visit_task *finished,
                                 const struct scheduler_report *report)
{
    const struct app *app = app_find(&cycle->engine->apps, unit->app_version);
    const char *fault;

    assert(app != NULL);
    fault = outputs_fault(cycle, &app->version, &finished->outputs);
    if (fault == NULL)
        fault = total_fault(cycle, unit, &finished->outputs);
    if (fault == NULL)
        fault = bodies_fault(cycle, finished, report);
    if (fault == NULL)
        return (struct finding){.event = EVENT_REPORT};
    return (struct finding){.event = EVENT_FAILURE, .cause = CAUSE_OUTPUT, .why = fault};
}

static struct finding judge_error(const struct scheduler_report *report)
{
    struct cause cause = cause_of_error(report);

    return (struct finding){.event = EVENT_FAILURE, .cause = cause.cause, .detail = cause.detail};
}

/*
 * Was it right to refuse what it was granted? So says the trust of now; and where a key of the
 * project was revoked, what is good now may have been signed anew since it was granted. A host that
 * only says so gains nothing that giving the task up would not give it.
 */
static bool is_refused_rightly(const struct cycle *cycle, const struct unit *unit,
                               const struct task *task, enum refusal refusal)
{
    return !visit_is_taken(cycle, unit, task) ||
           (refusal == REFUSAL_REVOKED_KEY && cycle->engine->trust.keyring.revoked_count > 0);
}

static struct finding judge_refused(const struct cycle *cycle, const struct unit *unit,
                                    const struct task *task, enum refusal refusal)
{
    return (struct finding){.event = is_refused_rightly(cycle, unit, task, refusal) ? EVENT_ABANDON
                                                                                    : EVENT_FAILURE,
                            .cause = CAUSE_REFUSED,
                            .detail = (int32_t)refusal};
}

static struct finding judge(struct cycle *cycle, const struct unit *unit, const struct task *task,
                            const struct visit_task *finished,
                            const struct scheduler_report *report)
{
    switch (finished->outcome) {
    case VISIT_DONE:
        return judge_done(cycle, unit, finished, report);
    case VISIT_ERROR:
        return judge_error(report);
    case VISIT_REFUSED:
        return judge_refused(cycle, unit, task, report->refusal);
    case VISIT_ABANDONED:
        return (struct finding){.event = EVENT_ABANDON,
                                .cause = report->is_unstarted ? CAUSE_UNSTARTED : CAUSE_NONE};
    }
    abort();
}

void reports_mark_stored(struct unit *unit, const struct digest *digest)
{
    for (size_t i = 0; i < unit->task_count; i++) {
        struct task *task = &unit->tasks[i];

        for (size_t j = 0; j < task->output_count; j++) {
            if (task->outputs[j].is_stored || !digest_equals(&task->outputs[j].digest, digest))
                continue;
            task->outputs[j].is_stored = true;
            task->is_changed = true;
            unit->is_changed = true;
        }
    }
}

/* In the order of the app version: so that equal outputs are equal digests. */
static void take_outputs(struct cycle *cycle, struct unit *unit, struct task *task,
                         const struct visit_task *finished, const struct scheduler_report *report)
{
    const struct app_version *app = &app_find(&cycle->engine->apps, unit->app_version)->version;

    assert(task->outputs == NULL);
    task->outputs = must_alloc(app->output_count, sizeof *task->outputs);
    for (size_t i = 0; i < app->output_count; i++) {
        const char *name = app->outputs[i].name.text;
        const struct named_output *output = named_outputs_find(&finished->outputs, name);
        const struct scheduler_body *body = find_body(report, name);

        task->outputs[task->output_count++] = (struct output){.name = text_copy(name),
                                                              .digest = output->digest,
                                                              .size_bytes = output->size,
                                                              .is_stored = body != NULL};
        if (body != NULL)
            work_add_body(&cycle->set, (struct body_record){.digest = output->digest,
                                                            .bytes = body->body.bytes,
                                                            .length = body->body.length});
    }
    task->result = result_digest(task->outputs, task->output_count);
    for (size_t i = 0; i < task->output_count; i++)
        if (task->outputs[i].is_stored)
            reports_mark_stored(unit, &task->outputs[i].digest);
}

static void take_facts(struct cycle *cycle, const struct task *task, int64_t visit,
                       const struct scheduler_report *report, const char *why)
{
    work_add_report(&cycle->set,
                    (struct report_record){.task = task->id,
                                           .visit = visit,
                                           .exit_status = report->exit_status,
                                           .wall_ms = report->wall_ms,
                                           .peak_memory_bytes = report->peak_memory_bytes,
                                           .why = why,
                                           .stderr_tail = report->stderr_tail.bytes,
                                           .stderr_length = report->stderr_tail.length});
}

/* The first report stands, whatever became of the task since: a retry that forgave its error asks
 * other hosts, not this one again. */
static void take_one(struct cycle *cycle, struct unit *unit, struct task *task,
                     const struct scheduler_request *request, size_t i)
{
    const struct visit_task *finished = &request->visit.finished[i];
    const struct scheduler_report *report = &request->reports[i];
    struct finding finding;
    enum task_state state;

    if (task->reported_s != 0)
        return;
    finding = judge(cycle, unit, task, finished, report);
    state = transition_task(task->state, finding.event);
    if (state == task->state)
        return;
    task->cause = finding.cause;
    task->cause_detail = finding.detail;
    task->reported_s = cycle->clock.now_s;
    task->cpu_ms = report->cpu_ms;
    if (finding.event == EVENT_REPORT) {
        take_outputs(cycle, unit, task, finished, report);
        timing_learn(cycle, unit, task, report->busy_ms);
    }
    take_facts(cycle, task, request->visit.number, report,
               finding.why != NULL ? finding.why : report->why);
    settle_task(cycle, unit, task, state);
    cycle->counts.tasks_reported++;
}

void reports_take(struct cycle *cycle, int64_t host, const struct scheduler_request *request)
{
    for (size_t i = 0; i < request->visit.finished_count; i++) {
        const struct visit_task *finished = &request->visit.finished[i];
        struct unit *unit = NULL;
        struct task *task = reports_own_task(&cycle->set, host, finished->task, &unit);

        if (task != NULL && digest_equals(&unit->digest, &finished->unit))
            take_one(cycle, unit, task, request, i);
    }
}
