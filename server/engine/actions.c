#include "server/engine/actions.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "db/query.h"
#include "server/engine/settle.h"
#include "server/engine/visit.h"

static bool take_row(void *context, const struct unit_view *view)
{
    struct action_command *action = context;

    if (view->unit->batch == action->row)
        action->unit_row = view->unit->id;
    return true;
}

/* A unit of another batch is none of this one. */
static enum status find_unit(struct store *store, struct action_command *action, struct error *err)
{
    action->unit_row = 0;
    if (action->action != ACTION_AGAIN || digest_is_none(&action->unit))
        return STATUS_OK;
    TRY(store->query->unit(store, &action->unit, take_row, action, err));
    return action->unit_row != 0 ? STATUS_OK : STATUS_NOT_FOUND;
}

enum status action_find(struct cycle *cycle, struct command *command, struct error *err)
{
    struct store *store = cycle->engine->store;
    struct action_command *action = &command->action;
    const char *missing = "there is no such batch";
    enum status status = store->query->batch_by_id(store, &action->batch, &action->row, err);

    if (status == STATUS_OK) {
        missing = "the batch has no such unit";
        status = find_unit(store, action, err);
    }
    if (status != STATUS_NOT_FOUND) {
        command->status = STATUS_OK;
        return status;
    }
    command->status = error_set(&command->err, STATUS_NOT_FOUND, "%s", missing);
    return STATUS_OK;
}

static void forget_failures(struct batch *batch)
{
    batch->ended_tasks = 0;
    batch->failed_tasks = 0;
    memset(batch->ended_hosts, 0, sizeof batch->ended_hosts);
    batch->is_changed = true;
}

static enum batch_state running_state(const struct batch *batch)
{
    return batch->is_closed ? BATCH_CLOSED : BATCH_OPEN;
}

static enum status close_batch(struct cycle *cycle, struct batch *batch)
{
    batch->is_closed = true;
    batch->is_changed = true;
    if (batch->state == BATCH_OPEN)
        settle_batch_state(cycle, batch, BATCH_CLOSED, "");
    return STATUS_OK;
}

static enum status release(struct cycle *cycle, struct batch *batch)
{
    if (batch->state != BATCH_HELD && batch->state != BATCH_PAUSED)
        return STATUS_OK;
    forget_failures(batch);
    settle_batch_state(cycle, batch, running_state(batch), "");
    return STATUS_OK;
}

/* A finished batch runs again with the first unit that does: settle_reopen(). The mark outlives a
 * crash between two slices. */
static enum status retry(struct cycle *cycle, struct batch *batch, struct action_command *action)
{
    action->units = batch->units_failed;
    batch->retry = (struct retry_counts){0};
    batch->is_changed = true;
    if (batch->units_failed == 0)
        return STATUS_OK;
    forget_failures(batch);
    batch->begun |= BEGUN_RETRY;
    if (batch->state == BATCH_PAUSED)
        settle_batch_state(cycle, batch, running_state(batch), "");
    return STATUS_OK;
}

/* Of one unit at once; of all that are open slice by slice. */
static enum status again(struct cycle *cycle, struct batch *batch, struct command *command)
{
    struct action_command *action = &command->action;
    struct unit *unit = work_unit(&cycle->set, action->unit_row);

    action->units = batch->units - batch->units_accepted - batch->units_failed;
    if (action->unit_row == 0) {
        batch->begun |= action->units > 0 ? BEGUN_AGAIN : 0;
        batch->is_changed = true;
        return STATUS_OK;
    }
    assert(unit != NULL);
    if (settle_again(unit))
        return STATUS_OK;
    return error_set(&command->err, STATUS_GONE,
                     unit->state == UNIT_OPEN ? "no copy is left of what the unit's signed "
                                                "max_tasks allows"
                                              : "the unit is no longer open");
}

static enum status set_priority(struct cycle *cycle, struct batch *batch, int32_t priority)
{
    if (batch->priority == priority)
        return STATUS_OK;
    batch->priority = priority;
    batch->is_changed = true;
    cycle_note(cycle, JOURNAL_BATCH_PRIORITY, batch->id, priority);
    return STATUS_OK;
}

/* Doing again what is done already is no mistake: a repeat is answered like the first. */
static bool is_over_for(const struct batch *batch, enum batch_action action)
{
    if (batch->state == BATCH_CANCELLED)
        return action != ACTION_CANCEL;
    return batch->state == BATCH_FINISHED && action != ACTION_CLOSE && action != ACTION_RETRY;
}

static enum status act(struct cycle *cycle, struct batch *batch, struct command *command)
{
    struct action_command *action = &command->action;

    switch (action->action) {
    case ACTION_CLOSE:
        return batch->is_closed ? STATUS_OK : close_batch(cycle, batch);
    case ACTION_CANCEL:
        action->units = batch->units - batch->units_accepted - batch->units_failed;
        settle_batch_state(cycle, batch, BATCH_CANCELLED, "");
        return STATUS_OK;
    case ACTION_HOLD:
        settle_batch_state(cycle, batch, BATCH_HELD, "");
        return STATUS_OK;
    case ACTION_RELEASE:
        return release(cycle, batch);
    case ACTION_RETRY:
        return retry(cycle, batch, action);
    case ACTION_PRIORITY:
        return set_priority(cycle, batch, action->priority);
    case ACTION_AGAIN:
        return again(cycle, batch, command);
    }
    abort();
}

void action_take(struct cycle *cycle, struct command *command)
{
    struct action_command *action = &command->action;
    struct batch *batch;

    if (command->status != STATUS_OK)
        return;
    batch = work_batch(&cycle->set, action->row);
    assert(batch != NULL);
    action->units = 0;
    if (is_over_for(batch, action->action))
        command->status =
            error_set(&command->err, STATUS_GONE, "the batch %s",
                      batch->state == BATCH_CANCELLED ? "was cancelled" : "has finished");
    else
        command->status = act(cycle, batch, command);
}

/* One that is under way already begins anew: so a batch's retry ends, and its mark goes, once. */
static void begin_act(struct engine *engine, int64_t batch, enum batch_action action)
{
    for (size_t i = 0; i < engine->act_count; i++) {
        if (engine->acts[i].batch != batch || engine->acts[i].action != action)
            continue;
        engine->acts[i].after = 0;
        return;
    }
    engine->acts = reallocarray(engine->acts, engine->act_count + 1, sizeof *engine->acts);
    if (engine->acts == NULL)
        abort();
    engine->acts[engine->act_count++] = (struct act){.batch = batch, .action = action};
}

void actions_resume(struct engine *engine, const struct batch *batch)
{
    if ((batch->begun & BEGUN_RETRY) != 0)
        begin_act(engine, batch->id, ACTION_RETRY);
    if ((batch->begun & BEGUN_AGAIN) != 0)
        begin_act(engine, batch->id, ACTION_AGAIN);
    if (batch->state == BATCH_CANCELLED &&
        batch->units_accepted + batch->units_failed < batch->units)
        begin_act(engine, batch->id, ACTION_CANCEL);
}

void action_follow_up(struct engine *engine, const struct command *command)
{
    const struct action_command *action = &command->action;
    bool concerns_units = action->action == ACTION_CANCEL || action->action == ACTION_RETRY ||
                          (action->action == ACTION_AGAIN && action->unit_row == 0);

    if (command->status == STATUS_OK && concerns_units && action->units > 0)
        begin_act(engine, action->row, action->action);
}

/* -------------------------------------------------------------------------------- slice by slice
 */

struct slice {
    struct act *act;
    int64_t units[ENGINE_SLICE];
    size_t count;
};

/*
 * Where no validity can be judged, nothing is called expired: a clock that was wrong may have ended
 * it, and one that is right will again.
 */
static bool is_valid_now(const struct cycle *cycle, const struct unit *unit)
{
    return cycle_judged_s(cycle) < unit->not_after_s;
}

/* Of a batch that was cancelled meanwhile, a retry reopens nothing more. */
static void retry_unit(struct cycle *cycle, struct unit *unit, struct batch *batch)
{
    struct retry_counts *counts = &batch->retry;

    batch->is_changed = true;
    if (unit->failure == FAILURE_REVOKED || visit_unit_is_revoked(cycle, unit))
        counts->revoked++;
    else if (!is_valid_now(cycle, unit))
        counts->expired++;
    else if (unit->failure != FAILURE_CANCELLED && batch->state != BATCH_CANCELLED &&
             settle_reopen(cycle, unit))
        counts->reopened++;
    else
        counts->spent++;
}

/* After a crash a retry begins anew, and counts anew what it leaves. */
static void begin_counts(struct cycle *cycle, const struct act *act)
{
    struct batch *batch = work_batch(&cycle->set, act->batch);

    if (act->action == ACTION_RETRY && act->after == 0)
        batch->retry = (struct retry_counts){.reopened = batch->retry.reopened};
}

static void change_unit(struct cycle *cycle, struct unit *unit, enum batch_action action)
{
    struct batch *batch = work_batch(&cycle->set, unit->batch);
    bool is_over = unit->state == UNIT_ACCEPTED || unit->state == UNIT_FAILED;

    if (action == ACTION_CANCEL && !is_over)
        settle_failure(cycle, unit, FAILURE_CANCELLED);
    if (action == ACTION_RETRY && unit->state == UNIT_FAILED)
        retry_unit(cycle, unit, batch);
    if (action == ACTION_AGAIN && batch->state != BATCH_CANCELLED)
        (void)settle_again(unit);
}

/* In the transaction of its last slice. */
static void end_begun(struct cycle *cycle, const struct act *act)
{
    struct batch *batch = work_batch(&cycle->set, act->batch);
    uint32_t ended = act->action == ACTION_RETRY   ? BEGUN_RETRY
                     : act->action == ACTION_AGAIN ? BEGUN_AGAIN
                                                   : 0;

    if ((batch->begun & ended) == 0)
        return;
    batch->begun &= ~ended;
    batch->is_changed = true;
}

static enum status do_slice(struct cycle *cycle, void *context, struct error *err)
{
    struct slice *slice = context;
    struct store *store = cycle->engine->store;
    enum live_scope scope = slice->act->action == ACTION_RETRY ? UNITS_FAILED : UNITS_NOT_ENDED;
    struct work_request request = {
        .units = slice->units, .batches = &slice->act->batch, .batch_count = 1};

    TRY(store->publish->units_of_batch(store, slice->act->batch, scope, slice->act->after,
                                       slice->units, ENGINE_SLICE, &slice->count, err));
    request.unit_count = slice->count;
    TRY(cycle_load(cycle, &request, err));
    TRY(cycle_load_holders(cycle, slice->units, slice->count, err));
    begin_counts(cycle, slice->act);
    for (size_t i = 0; i < cycle->set.unit_count; i++)
        change_unit(cycle, &cycle->set.units[i], slice->act->action);
    if (slice->count < ENGINE_SLICE)
        end_begun(cycle, slice->act);
    settle_all(cycle);
    return STATUS_OK;
}

enum status actions_go_on(struct engine *engine, struct error *err)
{
    struct slice slice;
    const struct cycle_work work = {.run = do_slice, .context = &slice};

    if (engine->act_count == 0)
        return STATUS_OK;
    slice.act = &engine->acts[0];
    TRY(cycle_do(engine, &work, NULL, err));
    if (slice.count > 0)
        slice.act->after = slice.units[slice.count - 1];
    if (slice.count < ENGINE_SLICE) {
        engine->act_count--;
        memmove(engine->acts, engine->acts + 1, engine->act_count * sizeof *engine->acts);
    }
    return STATUS_OK;
}
