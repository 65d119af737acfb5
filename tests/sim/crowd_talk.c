/* What hosts of the crowd say, and what they make of the answer. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/agent/choose.h"
#include "client/agent/delay.h"
#include "client/agent/talk.h"
#include "common/base/text.h"
#include "tests/sim/crowd.h"

#define BULLETIN_MS 300000 /* the client's default */

static int64_t unfinished(const struct crowd_host *host)
{
    int64_t count = 0;

    for (size_t i = 0; i < host->task_count; i++)
        count += host->tasks[i].phase != CROWD_FINISHED ? 1 : 0;
    return count;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t wanted(const struct crowd *crowd, const struct crowd_host *host)
{
    const struct want_view view = {.cores = crowd_cores(crowd, host),
                                   .buffer_s = crowd->rule.buffer_s,
                                   .mean_task_ms = host->mean_task_ms,
                                   .unfinished = unfinished(host),
                                   .of_project = unfinished(host),
                                   .listed = (int64_t)host->task_count,
                                   .most_listed = SCHEDULER_HELD_MAX,
                                   .project_count = 1,
                                   .most_of_server = SCHEDULER_WANT_MAX,
                                   .disk_bytes = INT64_C(1) << 40};
    int64_t want = host->is_allowed ? choose_want(&view) : 0;

    if (crowd->rule.tasks_most > 0)
        want = least(want, crowd->rule.tasks_most - host->taken);
    return want > 0 ? want : 0;
}

static struct talk_view view_of(const struct crowd *crowd, const struct crowd_host *host)
{
    struct talk_view view = {.now = host->at_ms,
                             .return_at = host->return_ms,
                             .visited_at = host->visited_ms,
                             .visit_interval = crowd->rule.visit_interval_ms,
                             .hailed_at = host->hailed_ms,
                             .bulletin_at = TALK_NEVER, /* it tells only the idle of work */
                             .look_at = crowd->rule.is_deaf ? TALK_NEVER : host->look_ms,
                             .has_idle_core = unfinished(host) < crowd_cores(crowd, host),
                             .is_stopped = !host->is_on,
                             .is_enrolled = true,
                             .tasks_wanted = wanted(crowd, host),
                             .open_tasks = (int64_t)host->task_count};

    for (size_t i = 0; i < host->task_count; i++)
        view.reports += host->tasks[i].phase == CROWD_FINISHED ? 1 : 0;
    return view;
}

bool crowd_visits(const struct crowd *crowd, const struct crowd_host *host)
{
    const struct talk_view view = view_of(crowd, host);

    return talk_decide(&view).talk == TALK_VISIT;
}

bool crowd_looks(const struct crowd *crowd, const struct crowd_host *host)
{
    const struct talk_view view = view_of(crowd, host);

    return talk_decide(&view).talk == TALK_BULLETIN;
}

/* client/daemon/contact.c does so. */
void crowd_read(struct crowd_host *host, const struct bulletin_work *work)
{
    int64_t hailed_ms = host->at_ms + talk_hailed_ms(work->within_s, fake_env_draw(&host->chance));
    int64_t look_ms = talk_look_ms(work->look_s, BULLETIN_MS);

    if (work->mark != host->mark && hailed_ms < host->hailed_ms)
        host->hailed_ms = hailed_ms;
    host->mark = work->mark;
    host->look_ms = host->at_ms + delay_jittered_ms(look_ms, fake_env_draw(&host->chance));
}

int64_t crowd_next_ms(const struct crowd *crowd, const struct crowd_host *host)
{
    const struct talk_view view = view_of(crowd, host);
    const struct talk_decision decision = talk_decide(&view);

    return least(crowd_change_ms(host),
                 decision.talk == TALK_NOTHING ? decision.look_again : host->at_ms);
}

/* -------------------------------------------------------------------------------------- a visit */

static struct bytes answer_of(const struct crowd_host *host)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%lld", host->is_liar ? (long long)host->id : 0LL);
    return (struct bytes){.bytes = text_copy(text), .length = strlen(text)};
}

static void report(const struct crowd_host *host, const struct crowd_task *task,
                   struct scheduler_request *request)
{
    size_t place = request->visit.finished_count++;
    struct visit_task *finished = &request->visit.finished[place];
    struct scheduler_report *facts = &request->reports[place];
    struct named_output *output = must_alloc(1, sizeof *output);
    struct scheduler_body *body = must_alloc(1, sizeof *body);

    (void)text_fit(output->name.text, sizeof output->name.text, SIM_OUTPUT);
    body->name = output->name;
    body->body = answer_of(host);
    output->digest = digest_of(body->body.bytes, body->body.length);
    output->size = (int64_t)body->body.length;
    *finished = (struct visit_task){.task = task->id,
                                    .unit = task->unit->digest,
                                    .outcome = VISIT_DONE,
                                    .outputs = {.outputs = output, .count = 1}};
    *facts = (struct scheduler_report){.task = task->id,
                                       .has_exit_status = true,
                                       .cpu_ms = task->ran_ms,
                                       .wall_ms = task->ran_ms,
                                       .busy_ms = task->ran_ms + host->fetch_ms,
                                       .bodies = body,
                                       .body_count = 1};
}

static enum held_state held_state_of(const struct crowd_task *task)
{
    if (task->phase == CROWD_FINISHED)
        return HELD_FINISHED;
    return task->phase == CROWD_RUNNING ? HELD_RUNNING : HELD_WAITING;
}

static int progress_of(const struct crowd *crowd, const struct crowd_task *task)
{
    if (task->phase != CROWD_RUNNING || crowd->rule.is_silent)
        return SCHEDULER_PROGRESS_UNSAID;
    return (int)(task->ran_ms * 1000 / (task->ran_ms + task->left_ms + 1));
}

static void add_tasks(const struct crowd *crowd, const struct crowd_host *host,
                      struct scheduler_request *request)
{
    request->visit.finished = must_alloc(VISIT_FINISHED_MAX, sizeof *request->visit.finished);
    request->reports = must_alloc(VISIT_FINISHED_MAX, sizeof *request->reports);
    request->held = must_alloc(SCHEDULER_HELD_MAX, sizeof *request->held);
    for (size_t i = 0; i < host->task_count; i++) {
        const struct crowd_task *task = &host->tasks[i];

        if (task->phase == CROWD_FINISHED && request->visit.finished_count < VISIT_FINISHED_MAX)
            report(host, task, request);
        else
            request->held[request->held_count++] =
                (struct held_task){.task = task->id,
                                   .state = held_state_of(task),
                                   .progress_permille = progress_of(crowd, task),
                                   .busy_ms = task->ran_ms};
    }
}

void crowd_ask(const struct crowd *crowd, struct crowd_host *host, int64_t now_s,
               struct scheduler_request *ret_request)
{
    *ret_request =
        (struct scheduler_request){.visit = {.project = crowd->project, .number = ++host->visit},
                                   .host = {.cores = crowd_cores(crowd, host),
                                            .memory_bytes = INT64_C(1) << 34,
                                            .disk_bytes = INT64_C(1) << 36,
                                            .time_s = now_s,
                                            .client = "crowd 1"},
                                   .want_tasks = wanted(crowd, host),
                                   .want_seconds = crowd->rule.buffer_s};
    texts_add(&ret_request->host.platforms, "x86_64-linux-gnu");
    add_tasks(crowd, host, ret_request);
}

/* ------------------------------------------------------------------------------------ its answer
 */

static void forget(struct crowd_host *host, int64_t id)
{
    for (size_t i = 0; i < host->task_count; i++) {
        if (host->tasks[i].id != id)
            continue;
        host->running -= host->tasks[i].phase == CROWD_RUNNING ? 1 : 0;
        host->tasks[i] = host->tasks[--host->task_count];
        return;
    }
}

/* client/daemon/answer.c lets those that began go on where the server could not know it. */
static void drop(struct crowd_host *host, const struct scheduler_drop *drop)
{
    bool is_for_unbegun = drop->why == DROP_ACCEPTED || drop->why == DROP_MOVED;

    for (size_t i = 0; i < host->task_count && is_for_unbegun; i++)
        if (host->tasks[i].id == drop->task && host->tasks[i].phase == CROWD_RUNNING)
            return;
    forget(host, drop->task);
}

static void take(struct crowd_host *host, const struct scheduler_grant *grant,
                 struct crowd_unit *unit)
{
    if (host->tasks == NULL)
        host->tasks = must_alloc(SCHEDULER_HELD_MAX, sizeof *host->tasks);
    assert(host->task_count < SCHEDULER_HELD_MAX);
    host->taken++;
    host->tasks[host->task_count++] =
        (struct crowd_task){.id = grant->task,
                            .unit = unit,
                            .deadline_s = grant->deadline_s,
                            .phase = CROWD_FETCHING,
                            .fetch_ms = host->fetch_ms,
                            .left_ms = (int64_t)((double)unit->length_ms / host->speed) + 1};
}

static bool holds(const struct crowd_host *host, int64_t id)
{
    for (size_t i = 0; i < host->task_count; i++)
        if (host->tasks[i].id == id)
            return true;
    return false;
}

void crowd_hear(struct crowd_host *host, const struct scheduler_reply *reply,
                const struct crowd_finder *finder)
{
    for (size_t i = 0; i < reply->ack_count; i++)
        forget(host, reply->acks[i].task);
    for (size_t i = 0; i < reply->drop_count; i++)
        drop(host, &reply->drops[i]);
    for (size_t i = 0; i < reply->grant_count; i++)
        if (!holds(host, reply->grants[i].task))
            take(host, &reply->grants[i],
                 finder->find(finder->context, reply->grants[i].task / 16));
    host->visited_ms = host->at_ms;
    host->hailed_ms = TALK_NEVER;
    host->return_ms = host->at_ms + delay_told_ms(reply->return_s, fake_env_draw(&host->chance));
}
