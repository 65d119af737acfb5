/*
 * What a visit is answered, read off what its cycle is about to store, and stored with it: so a
 * repeat gets what the first got, whatever became of that reply.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "server/engine/moves.h"
#include "server/engine/packed_reply.h"
#include "server/engine/reports.h"
#include "server/engine/visit.h"
#include "server/policy/moving.h"
#include "server/policy/returning.h"

struct answer {
    struct cycle *cycle;
    const struct visit_state *state;
    struct scheduler_reply *reply;
    const struct cycle_holding *held; /* the host's tasks of the set */
    size_t held_count;
};

static const struct task *own_task(const struct answer *answer, int64_t id, struct unit **ret_unit)
{
    return reports_own_task(&answer->cycle->set, answer->state->visit->host, id, ret_unit);
}

static bool has_all_bodies(const struct task *task)
{
    for (size_t i = 0; i < task->output_count; i++)
        if (!task->outputs[i].is_stored)
            return false;
    return true;
}

/* Lists are as long as the protocol allows; no host says more than it holds. */
static size_t room_for(const struct answer *answer, size_t most)
{
    return answer->held_count < most ? answer->held_count : most;
}

static void say(char ret_why[WHY_MAX + 1], const char *why)
{
    (void)snprintf(ret_why, WHY_MAX + 1, "%s", why);
}

/* May the host delete what it has of this task? Its bodies may be asked for while its unit has not
 * ended, so until then only "reported", unless they are here. */
static void acknowledge(const struct answer *answer, const struct visit_task *finished,
                        struct scheduler_ack *ret_ack)
{
    struct unit *unit = NULL;
    const struct task *task = own_task(answer, finished->task, &unit);

    *ret_ack = (struct scheduler_ack){.task = finished->task, .state = ACK_STORED};
    if (task == NULL || !digest_equals(&unit->digest, &finished->unit)) {
        ret_ack->state = ACK_DROPPED;
        say(ret_ack->why, "this host holds no such task");
        return;
    }
    if (task->state == TASK_REPORTED || task->state == TASK_AGREED ||
        task->state == TASK_INCONCLUSIVE) {
        bool is_over = unit->state == UNIT_ACCEPTED || unit->state == UNIT_FAILED;

        ret_ack->state = is_over || has_all_bodies(task) ? ACK_STORED : ACK_REPORTED;
    } else if (task->state == TASK_DROPPED || task->state == TASK_OVERDUE) {
        ret_ack->state = ACK_DROPPED;
        say(ret_ack->why, "the task was withdrawn");
    } else if (task->cause == CAUSE_OUTPUT) {
        say(ret_ack->why, "its outputs are not what its app declares");
    }
}

static void add_acks(struct answer *answer)
{
    const struct visit *visit = &answer->state->visit->request->visit;
    struct scheduler_reply *reply = answer->reply;

    reply->acks = must_alloc(visit->finished_count, sizeof *reply->acks);
    for (; reply->ack_count < visit->finished_count; reply->ack_count++)
        acknowledge(answer, &visit->finished[reply->ack_count], &reply->acks[reply->ack_count]);
}

/* --------------------------------------------------------------------------------------- grants */

/* Granted at this visit, or lost before it. */
static bool is_to_be_sent(const struct answer *answer, const struct task *task)
{
    const struct visit_state *state = answer->state;

    return visit_is_lost(state, task) ||
           (task->state == TASK_SENT && task->visit == state->visit->request->visit.number);
}

static void list_grants(struct answer *answer)
{
    struct scheduler_reply *reply = answer->reply;

    for (size_t i = 0; i < answer->held_count && reply->grant_count < SCHEDULER_WANT_MAX; i++) {
        struct unit *unit = NULL;
        const struct task *task = own_task(answer, answer->held[i].task, &unit);

        if (!is_to_be_sent(answer, task) || !visit_is_taken(answer->cycle, unit, task))
            continue;
        answer->cycle->counts.tasks_resent += visit_is_lost(answer->state, task);
        reply->grants[reply->grant_count++] = (struct scheduler_grant){
            .task = task->id,
            .app_version = app_find(&answer->cycle->engine->apps, unit->app_version)->digest,
            .variant = task->variant,
            .deadline_s = task->deadline_s,
            .digest = unit->digest};
    }
}

/* The envelopes come after the commit. */
static void add_grants(struct answer *answer)
{
    answer->reply->grants =
        must_alloc(room_for(answer, SCHEDULER_WANT_MAX), sizeof *answer->reply->grants);
    list_grants(answer);
}

/* ------------------------------------------------------------------------ uploads and verdicts */

static void add_uploads(struct answer *answer)
{
    struct scheduler_reply *reply = answer->reply;

    reply->uploads = must_alloc(room_for(answer, SCHEDULER_UPLOADS_MAX), sizeof *reply->uploads);
    for (size_t i = 0; i < answer->held_count; i++) {
        struct unit *unit = NULL;
        const struct task *task = own_task(answer, answer->held[i].task, &unit);
        struct scheduler_upload *upload = &reply->uploads[reply->upload_count];

        if (reply->upload_count == SCHEDULER_UPLOADS_MAX)
            return;
        if (unit->state != UNIT_AGREED || task->state != TASK_AGREED || !task->is_asked)
            continue;
        upload->task = task->id;
        for (size_t j = 0; j < task->output_count; j++)
            if (!task->outputs[j].is_stored)
                texts_add(&upload->names, task->outputs[j].name);
        reply->upload_count += upload->names.count > 0;
    }
}

/* Is there something to say of the task, and what? */
static bool verdict_of(const struct unit *unit, const struct task *task,
                       struct scheduler_verdict *ret_verdict)
{
    bool is_over = unit->state == UNIT_ACCEPTED || unit->state == UNIT_FAILED;

    *ret_verdict = (struct scheduler_verdict){.task = task->id, .credit = task->credit};
    if (task->is_told)
        return false;
    switch (task->state) {
    case TASK_AGREED:
        ret_verdict->verdict = VERDICT_ACCEPTED;
        return is_over;
    case TASK_OUTVOTED:
        ret_verdict->verdict = VERDICT_OUTVOTED;
        return true;
    case TASK_INCONCLUSIVE:
        ret_verdict->verdict =
            unit->state == UNIT_FAILED ? VERDICT_UNIT_FAILED : VERDICT_INCONCLUSIVE;
        return is_over;
    case TASK_ERROR:
        ret_verdict->verdict = VERDICT_ERROR;
        return true;
    case TASK_SENT:
    case TASK_REPORTED:
    case TASK_OVERDUE:
    case TASK_DROPPED:
    case TASK_ABANDONED:
        return false;
    }
    abort();
}

static void add_verdicts(struct answer *answer)
{
    struct scheduler_reply *reply = answer->reply;

    reply->verdicts = must_alloc(room_for(answer, SCHEDULER_VERDICTS_MAX), sizeof *reply->verdicts);
    for (size_t i = 0; i < answer->held_count && reply->verdict_count < SCHEDULER_VERDICTS_MAX;
         i++) {
        struct unit *unit = NULL;
        const struct task *task = own_task(answer, answer->held[i].task, &unit);

        reply->verdict_count += verdict_of(unit, task, &reply->verdicts[reply->verdict_count]);
    }
}

/* ----------------------------------------------------------------------------------------- drops
 */

static enum drop_reason reason_of_end(const struct unit *unit)
{
    if (unit->state != UNIT_FAILED)
        return DROP_ACCEPTED;
    return unit->failure == FAILURE_CANCELLED ? DROP_CANCELLED : DROP_FAILED;
}

/* 0: nobody has taken it yet. */
static enum drop_reason reason_of_withdrawal(const struct unit *unit, size_t i)
{
    if (moving_is_undone(unit, i))
        return 0;
    return moving_is_done(unit, i) ? DROP_MOVED : DROP_WITHDRAWN;
}

/* 0: keep it. A late task goes on as long as its unit can still use it; a copy that is not needed
 * any more, but is right as far as anybody knows, to its end and its credit once it has begun. */
static enum drop_reason drop_reason_of(const struct answer *answer, const struct held_task *held)
{
    struct unit *unit = NULL;
    const struct task *task = own_task(answer, held->task, &unit);

    if (task == NULL)
        return DROP_UNKNOWN;
    if (task->state == TASK_DROPPED && unit->state != UNIT_FAILED && held->state == HELD_RUNNING)
        return 0;
    if (unit->state == UNIT_ACCEPTED || unit->state == UNIT_FAILED)
        return reason_of_end(unit);
    switch (task->state) {
    case TASK_SENT:
    case TASK_REPORTED:
    case TASK_AGREED:
        return 0;
    case TASK_INCONCLUSIVE: /* right, and asked if those who agreed do not deliver */
        return unit->state == UNIT_AGREED ? 0 : DROP_FAILED;
    case TASK_OVERDUE:
        return unit->state == UNIT_OPEN ? 0 : DROP_OVERDUE;
    case TASK_DROPPED:
        return reason_of_withdrawal(unit, (size_t)(task - unit->tasks));
    case TASK_OUTVOTED:
    case TASK_ERROR:
    case TASK_ABANDONED:
        return DROP_FAILED;
    }
    abort();
}

/* Finished, and its report still to come: that may earn credit, or serve a retry. What was ended
 * for good is let go all the same. */
static bool will_report(const struct answer *answer, const struct held_task *held)
{
    struct unit *unit = NULL;
    const struct task *task = own_task(answer, held->task, &unit);

    return task != NULL && held->state == HELD_FINISHED && task->reported_s == 0 &&
           unit->failure < FAILURE_EXPIRED;
}

static void add_drops(struct answer *answer)
{
    const struct scheduler_request *request = answer->state->visit->request;
    struct scheduler_reply *reply = answer->reply;

    reply->drops = must_alloc(request->held_count, sizeof *reply->drops);
    for (size_t i = 0; i < request->held_count; i++) {
        int64_t task = request->held[i].task;
        enum drop_reason why = drop_reason_of(answer, &request->held[i]);

        if (why == DROP_UNKNOWN && reply->asks_for_kept)
            continue; /* granted since the copy: its unit may still want it */
        if (why != 0 && !will_report(answer, &request->held[i]))
            reply->drops[reply->drop_count++] = (struct scheduler_drop){.task = task, .why = why};
    }
}

/* ----------------------------------------------------------------------------- when and why not */

static const char *why_nothing_waits(const struct visit_state *state)
{
    const struct queue_lack *lack = &state->lack;

    if (lack->nearest > MATCH_NOT_WANTED)
        return match_words(lack->nearest);
    if (lack->is_paused)
        return "its batch paused itself, because most of its tasks fail";
    if (lack->is_held)
        return "its batch is held by the project's operator";
    if (lack->is_empty)
        return "nothing waits: all work that was published is done or with other volunteers";
    return "other volunteers were faster";
}

static void add_why(struct answer *answer)
{
    const struct visit_state *state = answer->state;
    const struct engine *engine = answer->cycle->engine;
    char *why = answer->reply->why;

    if (state->granted >= state->wanted)
        return;
    switch (state->stop) {
    case VISIT_STOPPED:
        (void)snprintf(why, WHY_MAX + 1, "no work now: %s", engine->stops.why);
        return;
    case VISIT_STALE:
        say(why, digest_is_none(&engine->trust.project)
                     ? "no work now: the project has published nothing yet"
                     : "no work now: the project's freshness has run out; its operator has to "
                       "renew it");
        return;
    case VISIT_ALLOWANCE:
        say(why, "no more work now: your host's allowance is used up; it rises when its results "
                 "agree, and counts anew every day (UTC)");
        return;
    case VISIT_SHARE:
        say(why, "no more work now: your host has its share; what is left is for other hosts, so "
                 "that it is done sooner");
        return;
    case VISIT_FREE:
        (void)snprintf(why, WHY_MAX + 1, "no %swork now: %s", state->granted > 0 ? "more " : "",
                       why_nothing_waits(state));
        return;
    }
    abort();
}

/* Half of what is left to the host's nearest deadline, but never sooner than configured. */
static int64_t before_deadlines(const struct answer *answer, int64_t return_s)
{
    int64_t least_s = answer->cycle->engine->config.min_return_s;

    for (size_t i = 0; i < answer->held_count; i++) {
        struct unit *unit = NULL;
        const struct task *task = own_task(answer, answer->held[i].task, &unit);
        int64_t half_s = (task->deadline_up_s - answer->cycle->clock.up_s) / 2;

        if (task->state == TASK_SENT && half_s < return_s)
            return_s = half_s > least_s ? half_s : least_s;
    }
    return return_s;
}

static void add_return(struct answer *answer)
{
    struct engine *engine = answer->cycle->engine;
    const struct visit_state *state = answer->state;
    const struct host_hint *hint = host_hints_find(&engine->hosts, state->visit->host);
    bool is_in_vain = visit_came_in_vain(state);
    struct returning_facts facts = {.least_s = engine->config.min_return_s,
                                    .soon_s = engine->config.soon_return_s,
                                    .was_granted = answer->reply->grant_count > 0,
                                    .random = chance_bits(&engine->chance)};
    int64_t return_s;

    if (is_in_vain)
        facts.empty_visits = (hint != NULL ? hint->empty_visits : 0) + 1;
    facts.has_hope = is_in_vain && moves_are_near(engine);
    facts.has_share = state->has_share && state->granted < state->wanted && state->share.idle == 0;
    facts.idle_in_s = facts.has_share ? share_idle_in_ms(&state->share) / 1000 : 0;
    return_s = returning_delay_s(&facts);
    if (return_s > engine->config.max_return_s)
        return_s = engine->config.max_return_s;
    answer->reply->return_s = before_deadlines(answer, return_s);
}

static void fill(struct answer *answer)
{
    const struct engine *engine = answer->cycle->engine;
    struct scheduler_reply *reply = answer->reply;

    reply->visit = answer->state->visit->request->visit.number;
    reply->time_s = answer->cycle->clock.now_s;
    reply->clock_off_s = visit_clock_off_s(answer->cycle, answer->state);
    reply->keyring_version = engine->trust.keyring.version;
    if (engine->trust.has_freshness)
        reply->freshness_sequence = engine->trust.freshness.sequence;
    reply->asks_for_kept = visit_asks_for_kept(answer->cycle);
    add_acks(answer);
    add_grants(answer);
    add_uploads(answer);
    add_drops(answer);
    add_verdicts(answer);
    add_return(answer);
    add_why(answer);
}

void visit_compose(struct cycle *cycle, struct visit_state *state)
{
    struct answer answer = {.cycle = cycle, .state = state, .reply = state->visit->reply};

    assert(state->is_new && state->packed == NULL);
    answer.held = cycle_holdings(cycle, state->visit->host, &answer.held_count);
    fill(&answer);
    state->packed = packed_reply_make(answer.reply, &state->packed_length);
    work_add_answer(&cycle->set, (struct answer_record){.host = state->visit->host,
                                                        .visit = answer.reply->visit,
                                                        .reply = state->packed,
                                                        .length = state->packed_length});
}
