#include "server/engine/settle.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "server/policy/allowance.h"
#include "server/policy/credit.h"
#include "server/policy/delivery.h"
#include "server/policy/pausing.h"
#include "server/policy/quorum.h"
#include "server/policy/transition.h"

/* A unit whose bodies nobody delivers reopens, agrees again, …: so often at most in one go. */
#define ROUNDS_MAX (2 * UNIT_TASKS_MAX)

static void count_for_allowance(struct cycle *cycle, const struct unit *unit,
                                const struct task *task, enum allowance_outcome outcome)
{
    struct allowance *allowance =
        work_allowance(&cycle->set, task->at_dispatch.host, unit->app_version);
    struct allowance_facts facts = {
        .per_day = allowance->per_day, .day = allowance->day, .used = allowance->used};

    facts = allowance_after_end(&facts, outcome);
    allowance->per_day = facts.per_day;
    allowance->day = facts.day;
    allowance->used = facts.used;
    allowance->is_changed = true;
}

static void count_for_host(struct cycle *cycle, const struct unit *unit, const struct task *task)
{
    struct host *host = work_host(&cycle->set, task->at_dispatch.host);

    if (host == NULL)
        return;
    host->agreed += task->state == TASK_AGREED;
    host->outvoted += task->state == TASK_OUTVOTED;
    host->errors += task->state == TASK_ERROR;
    if (task->state == TASK_AGREED)
        count_for_allowance(cycle, unit, task, ALLOWANCE_AGREED);
    else if (transition_is_failure(task->state))
        count_for_allowance(cycle, unit, task, ALLOWANCE_FAILED);
    else
        return;
    host->is_changed = true;
}

static void remember_host(struct batch *batch, int64_t host)
{
    for (size_t i = 0; i < BATCH_HOSTS_SEEN; i++) {
        if (batch->ended_hosts[i] == 0)
            batch->ended_hosts[i] = host;
        if (batch->ended_hosts[i] == host)
            return;
    }
}

static bool is_end(enum task_state state)
{
    return state == TASK_AGREED || state == TASK_OUTVOTED || state == TASK_INCONCLUSIVE ||
           state == TASK_ERROR;
}

static void count_for_batch(struct cycle *cycle, const struct unit *unit, const struct task *task,
                            enum task_state before)
{
    struct batch *batch = work_batch(&cycle->set, unit->batch);

    if (batch == NULL || !is_end(task->state))
        return;
    batch->ended_tasks += !is_end(before);
    batch->failed_tasks += task->state == TASK_ERROR;
    remember_host(batch, task->at_dispatch.host);
    batch->is_changed = true;
}

/* Ends of which a host hears nothing more, unless it reports after all. */
static bool has_no_verdict(enum task_state state)
{
    return state == TASK_OVERDUE || state == TASK_DROPPED || state == TASK_ABANDONED;
}

void settle_task(struct cycle *cycle, struct unit *unit, struct task *task, enum task_state state)
{
    enum task_state before = task->state;

    if (before == state)
        return;
    task->state = state;
    task->is_told = has_no_verdict(state);
    task->is_changed = true;
    unit->is_changed = true;
    cycle_note(cycle, JOURNAL_TASK_STATE, task->id, state);
    count_for_host(cycle, unit, task);
    count_for_batch(cycle, unit, task, before);
    cycle->counts.tasks_failed += state == TASK_ERROR;
    cycle->counts.tasks_overdue += state == TASK_OVERDUE;
}

/* Those that still run one are told at their next visit that it is not wanted. */
static void withdraw_rest(struct cycle *cycle, struct unit *unit)
{
    for (size_t i = 0; i < unit->task_count; i++)
        settle_task(cycle, unit, &unit->tasks[i],
                    transition_task(unit->tasks[i].state, EVENT_WITHDRAW));
}

void settle_failure(struct cycle *cycle, struct unit *unit, enum unit_failure failure)
{
    struct batch *batch = work_batch(&cycle->set, unit->batch);

    assert(unit->state != UNIT_ACCEPTED && unit->state != UNIT_FAILED);
    unit->state = UNIT_FAILED;
    unit->failure = failure;
    unit->copies_wanted = 0;
    unit->extra = 0;
    unit->is_changed = true;
    withdraw_rest(cycle, unit);
    for (size_t i = 0; i < unit->task_count; i++)
        if (unit->tasks[i].state == TASK_REPORTED || unit->tasks[i].state == TASK_AGREED)
            settle_task(cycle, unit, &unit->tasks[i], TASK_INCONCLUSIVE);
    cycle_note(cycle, JOURNAL_UNIT_FAILED, unit->id, failure);
    cycle->counts.units_failed++;
    if (batch == NULL)
        return;
    batch->units_failed++;
    batch->is_changed = true;
}

static void pay(struct cycle *cycle, struct unit *unit)
{
    for (size_t i = 0; i < unit->task_count; i++) {
        struct task *task = &unit->tasks[i];
        int64_t owed = credit_owed(unit, i);
        struct host *host = work_host(&cycle->set, task->at_dispatch.host);

        if (owed == 0)
            continue;
        task->credit = owed;
        task->is_changed = true;
        unit->is_changed = true;
        cycle_note(cycle, JOURNAL_CREDIT, task->id, owed);
        cycle->counts.credit += owed;
        if (host == NULL)
            continue;
        host->credit += owed;
        host->is_changed = true;
    }
}

static void write_acceptance(struct cycle *cycle, const struct unit *unit)
{
    struct acceptance acceptance = {.unit = unit->id,
                                    .revision = unit->revision,
                                    .quorum = unit->rule.quorum,
                                    .independence = unit->rule.independence,
                                    .time_s = cycle->clock.now_s};

    for (size_t i = 0; i < unit->task_count; i++)
        if (unit->tasks[i].state == TASK_AGREED)
            acceptance.tasks[acceptance.task_count++] = unit->tasks[i].id;
    assert(acceptance.task_count >= unit->rule.quorum);
    work_add_acceptance(&cycle->set, acceptance);
}

/* The store keeps the outputs for the acceptance, and lets go of what its tasks brought besides. */
static void accept_result(struct cycle *cycle, struct unit *unit)
{
    struct batch *batch = work_batch(&cycle->set, unit->batch);

    unit->state = UNIT_ACCEPTED;
    unit->revision++;
    unit->is_changed = true;
    withdraw_rest(cycle, unit);
    write_acceptance(cycle, unit);
    cycle_note(cycle, JOURNAL_UNIT_ACCEPTED, unit->id, unit->revision);
    cycle->counts.units_accepted++;
    if (batch == NULL)
        return;
    batch->units_accepted++;
    batch->is_changed = true;
}

static void ask_for_body(struct cycle *cycle, struct unit *unit, struct task *task)
{
    int64_t wait_s = cycle->engine->config.body_wait_s;

    task->is_asked = true;
    task->asked_up_s = cycle->clock.up_s;
    task->is_changed = true;
    unit->is_changed = true;
    cycle_hint(cycle, (struct deadline_hint){
                          .up_s = cycle->clock.up_s + wait_s, .task = task->id, .unit = unit->id});
}

/* An agreement whose bodies cannot be had is none. Whoever came too late for it, and was right,
 * counts again: that host may have the body. */
static void give_agreement_up(struct cycle *cycle, struct unit *unit)
{
    for (size_t i = 0; i < unit->task_count; i++) {
        struct task *task = &unit->tasks[i];

        if (task->state == TASK_INCONCLUSIVE)
            settle_task(cycle, unit, task, TASK_REPORTED);
        if (task->state != TASK_AGREED)
            continue;
        task->cause = CAUSE_BODY;
        settle_task(cycle, unit, task, TASK_ERROR);
    }
    unit->state = UNIT_OPEN;
    unit->is_changed = true;
}

static bool settle_agreed(struct cycle *cycle, struct unit *unit)
{
    struct delivery_decision decision =
        delivery_decide(unit, cycle->clock.up_s, cycle->engine->config.body_wait_s);

    switch (decision.act) {
    case DELIVERY_DONE:
        accept_result(cycle, unit);
        return true;
    case DELIVERY_ASK:
        ask_for_body(cycle, unit, &unit->tasks[decision.task]);
        return false;
    case DELIVERY_WAIT:
        return false;
    case DELIVERY_FAILED:
        give_agreement_up(cycle, unit);
        return true;
    }
    abort();
}

static void apply(struct cycle *cycle, struct unit *unit, const struct quorum_decision *decision)
{
    for (size_t i = 0; i < unit->task_count; i++)
        settle_task(cycle, unit, &unit->tasks[i], decision->tasks[i]);
    if (decision->state == UNIT_FAILED) {
        settle_failure(cycle, unit, decision->failure);
        return;
    }
    unit->is_changed = unit->is_changed || unit->state != decision->state ||
                       unit->copies_wanted != decision->copies_wanted;
    unit->state = decision->state;
    unit->copies_wanted = decision->copies_wanted;
    if (unit->state != UNIT_OPEN)
        unit->extra = 0;
    if (unit->state == UNIT_AGREED)
        cycle_note(cycle, JOURNAL_UNIT_AGREED, unit->id, 0);
}

static void judge_late(struct cycle *cycle, struct unit *unit)
{
    for (size_t i = 0; i < unit->task_count; i++) {
        if (unit->tasks[i].state != TASK_REPORTED)
            continue;
        settle_task(cycle, unit, &unit->tasks[i],
                    unit->state == UNIT_FAILED ? TASK_INCONCLUSIVE : quorum_judge_late(unit, i));
    }
}

/* One step; true: there may be another. */
static bool settle_step(struct cycle *cycle, struct unit *unit)
{
    struct quorum_decision decision;

    switch (unit->state) {
    case UNIT_OPEN:
        decision = quorum_decide(unit);
        apply(cycle, unit, &decision);
        return unit->state != UNIT_OPEN;
    case UNIT_AGREED:
        judge_late(cycle, unit);
        return settle_agreed(cycle, unit);
    case UNIT_ACCEPTED:
        judge_late(cycle, unit);
        pay(cycle, unit);
        return false;
    case UNIT_FAILED:
        judge_late(cycle, unit);
        return false;
    case UNIT_JUDGING:
        return false;
    }
    abort();
}

void settle_unit(struct cycle *cycle, struct unit *unit)
{
    for (int i = 0; i < ROUNDS_MAX && settle_step(cycle, unit); i++)
        continue;
}

void settle_batch_state(struct cycle *cycle, struct batch *batch, enum batch_state state,
                        const char *why)
{
    if (batch->state == state)
        return;
    batch->state = state;
    free(batch->why);
    batch->why = text_copy(why);
    batch->is_changed = true;
    cycle_note(cycle, JOURNAL_BATCH_STATE, batch->id, state);
}

/* What a task counts as when its unit is tried again: errors are forgiven, reports count again,
 * unless it was they that contradicted each other. */
static enum task_state forgiven(const struct unit *unit, const struct task *task)
{
    if (task->state == TASK_ERROR)
        return TASK_DROPPED;
    if (task->state == TASK_INCONCLUSIVE && unit->failure != FAILURE_SPLIT)
        return TASK_REPORTED;
    return task->state;
}

bool settle_reopen(struct cycle *cycle, struct unit *unit)
{
    struct batch *batch = work_batch(&cycle->set, unit->batch);
    struct unit trial = *unit; /* shallow: to try what would become of it */

    assert(unit->state == UNIT_FAILED);
    trial.state = UNIT_OPEN;
    for (size_t i = 0; i < unit->task_count; i++)
        trial.tasks[i].state = forgiven(unit, &unit->tasks[i]);
    if (quorum_decide(&trial).state == UNIT_FAILED)
        return false;

    for (size_t i = 0; i < unit->task_count; i++)
        settle_task(cycle, unit, &unit->tasks[i], trial.tasks[i].state);
    unit->state = UNIT_OPEN;
    unit->failure = FAILURE_NONE;
    unit->is_changed = true;
    cycle_note(cycle, JOURNAL_UNIT_REOPENED, unit->id, 0);
    if (batch == NULL)
        return true;
    batch->units_failed--;
    batch->is_changed = true;
    if (batch->state == BATCH_FINISHED)
        settle_batch_state(cycle, batch, batch->is_closed ? BATCH_CLOSED : BATCH_OPEN, "");
    return true;
}

bool settle_again(struct unit *unit)
{
    if (unit->state != UNIT_OPEN || unit->copies_wanted >= unit_room(unit))
        return false;
    if (unit->copies_wanted > 0)
        return true;
    unit->extra++;
    unit->is_changed = true;
    return true;
}

static int64_t hosts_seen(const struct batch *batch)
{
    int64_t count = 0;

    for (size_t i = 0; i < BATCH_HOSTS_SEEN; i++)
        count += batch->ended_hosts[i] != 0;
    return count;
}

static void pause_if_due(struct cycle *cycle, struct batch *batch)
{
    struct pausing_facts facts = {.ended_tasks = batch->ended_tasks,
                                  .failed_tasks = batch->failed_tasks,
                                  .hosts = hosts_seen(batch)};
    char why[160];

    if ((batch->state != BATCH_OPEN && batch->state != BATCH_CLOSED) || !pausing_is_due(&facts))
        return;
    (void)snprintf(why, sizeof why,
                   "paused itself: %lld of %lld tasks that ended failed; see the failures, then "
                   "release it",
                   (long long)batch->failed_tasks, (long long)batch->ended_tasks);
    settle_batch_state(cycle, batch, BATCH_PAUSED, why);
}

void settle_batch(struct cycle *cycle, struct batch *batch)
{
    bool has_ended =
        batch->is_closed && batch->units_accepted + batch->units_failed == batch->units;

    if (batch->state == BATCH_CANCELLED || batch->state == BATCH_FINISHED)
        return;
    if (has_ended)
        settle_batch_state(cycle, batch, BATCH_FINISHED, "");
    else
        pause_if_due(cycle, batch);
}

void settle_all(struct cycle *cycle)
{
    for (size_t i = 0; i < cycle->set.unit_count; i++)
        if (cycle->set.units[i].is_changed)
            settle_unit(cycle, &cycle->set.units[i]);
    for (size_t i = 0; i < cycle->set.batch_count; i++)
        if (cycle->set.batches[i].is_changed)
            settle_batch(cycle, &cycle->set.batches[i]);
}
