/* The commands that share a cycle, and who carries out the others. */
#include <assert.h>
#include <stdlib.h>

#include "server/engine/actions.h"
#include "server/engine/cycle.h"
#include "server/engine/enrolments.h"
#include "server/engine/gathering.h"
#include "server/engine/publications.h"
#include "server/engine/rollbacks.h"
#include "server/engine/settle.h"
#include "server/engine/tails.h"
#include "server/engine/uploads.h"
#include "server/engine/visit.h"
#include "server/engine/withdrawals.h"

/* More than wanted that is looked at, draw by draw, if the first ones are not to be had: together
 * no more than 64 of a bucket. At first none: hints are mostly right, and each unit that is looked
 * at is loaded with its tasks. Not where tails_are_most(): a draw of all that waits comes before
 * these there, for the hints do not say whom such a copy may go to, nor which is needed most. */
static const size_t spares[] = {0, 2, 12, 46};

struct shared {
    struct command **commands;
    size_t count;
    struct visit_state *visits; /* owned; [0..visit_count) in use */
    size_t visit_count;
    struct gathering names; /* owned */
    struct id_list touched; /* owned; units about which something is decided */
};

static void forget_visits(struct shared *shared)
{
    for (size_t i = 0; i < shared->visit_count; i++)
        visit_end(&shared->visits[i]);
    shared->visit_count = 0;
}

static void shared_clear(struct shared *shared)
{
    forget_visits(shared);
    free(shared->visits);
    free(shared->touched.ids);
    gathering_clear(&shared->names);
}

static void start_anew(struct shared *shared)
{
    forget_visits(shared);
    shared->touched.count = 0;
    gathering_clear(&shared->names);
}

static void name_task(struct shared *shared, int64_t task)
{
    id_list_add(&shared->names.tasks, task);
    id_list_add(&shared->touched, TASK_UNIT(task));
}

static enum status name_visit(struct cycle *cycle, struct shared *shared, struct command *command,
                              struct error *err)
{
    struct visit_state *state = &shared->visits[shared->visit_count++];
    const struct visit *visit = &command->visit.request->visit;

    visit_begin(cycle, state, command);
    visit_gather(state, &shared->names);
    for (size_t i = 0; i < visit->finished_count; i++)
        id_list_add(&shared->touched, TASK_UNIT(visit->finished[i].task));
    TRY(visit_find_kept(cycle, state, err));
    for (size_t i = 0; i < state->kept_count; i++)
        id_list_add(&shared->names.units, state->kept[i].unit);
    return STATUS_OK;
}

static enum status name_command(struct cycle *cycle, struct shared *shared, struct command *command,
                                struct error *err)
{
    switch (command->kind) {
    case COMMAND_VISIT:
        return name_visit(cycle, shared, command, err);
    case COMMAND_ENROL:
        gathering_add_key(&shared->names, &command->enrol.key);
        return STATUS_OK;
    case COMMAND_MAY_UPLOAD:
        name_task(shared, command->may_upload.task);
        return STATUS_OK;
    case COMMAND_UPLOADED:
        name_task(shared, command->uploaded.task);
        return STATUS_OK;
    case COMMAND_BATCH_ACTION:
        TRY(action_find(cycle, command, err));
        if (command->status == STATUS_OK)
            id_list_add(&shared->names.batches, command->action.row);
        if (command->status == STATUS_OK && command->action.unit_row != 0)
            id_list_add(&shared->names.units, command->action.unit_row);
        return STATUS_OK;
    case COMMAND_WITHDRAW_HOST:
        id_list_add(&shared->names.hosts, command->withdraw.host);
        return STATUS_OK;
    default:
        abort();
    }
}

static enum status gather(struct cycle *cycle, struct shared *shared, struct error *err)
{
    struct work_request request;

    for (size_t i = 0; i < shared->count; i++)
        TRY(name_command(cycle, shared, shared->commands[i], err));
    request = gathering_request(&shared->names);
    request.with_tasks_of_hosts = true;
    TRY(cycle_load(cycle, &request, err));
    TRY(cycle_load_holders(cycle, shared->touched.ids, shared->touched.count, err));
    cycle_index(cycle);
    return STATUS_OK;
}

static enum status take_command(struct cycle *cycle, struct command *command, struct error *err)
{
    switch (command->kind) {
    case COMMAND_ENROL:
        return enrolment_take(cycle, command, err);
    case COMMAND_MAY_UPLOAD:
        uploads_judge(cycle, command);
        return STATUS_OK;
    case COMMAND_UPLOADED:
        uploads_take(cycle, command);
        return STATUS_OK;
    case COMMAND_BATCH_ACTION:
        action_take(cycle, command);
        return STATUS_OK;
    case COMMAND_WITHDRAW_HOST:
        withdrawal_take(cycle, command);
        return STATUS_OK;
    default:
        return STATUS_OK; /* a visit: taken apart */
    }
}

/* Draw for all visits, load what was drawn in one go, grant. */
static enum status grant_some(struct cycle *cycle, struct shared *shared, size_t spare,
                              struct error *err)
{
    CLEANUP(gathering_clear) struct gathering drawn = {0};
    struct work_request request;

    for (size_t i = 0; i < shared->visit_count; i++) {
        struct visit_state *state = &shared->visits[i];

        if (!visit_draw(cycle, state, spare))
            continue;
        for (size_t j = 0; j < state->candidate_count; j++)
            id_list_add(&drawn.units, state->candidates[j]);
    }
    if (drawn.units.count == 0)
        return STATUS_OK;
    request = gathering_request(&drawn);
    TRY(cycle_load(cycle, &request, err));
    for (size_t i = 0; i < shared->visit_count; i++)
        visit_grant(cycle, &shared->visits[i]);
    return STATUS_OK;
}

/* Once all is decided: what each visit is answered is stored with it. */
static enum status compose(struct cycle *cycle, struct shared *shared, struct error *err)
{
    cycle_index(cycle);
    for (size_t i = 0; i < shared->visit_count; i++)
        if (shared->visits[i].is_new)
            visit_compose(cycle, &shared->visits[i]);
    return visit_recall(cycle, shared->visits, shared->visit_count, err);
}

static enum status run_shared(struct cycle *cycle, void *context, struct error *err)
{
    struct shared *shared = context;

    start_anew(shared);
    TRY(gather(cycle, shared, err));
    for (size_t i = 0; i < shared->visit_count; i++)
        visit_take(cycle, &shared->visits[i]);
    for (size_t i = 0; i < shared->count; i++)
        TRY(take_command(cycle, shared->commands[i], err));
    settle_all(cycle);
    for (size_t i = 0; i < shared->visit_count; i++)
        visit_grant_kept(cycle, &shared->visits[i]);
    for (size_t i = 0; i < shared->visit_count; i++)
        visit_count(cycle, &shared->visits[i]);
    for (size_t i = 0; i < shared->visit_count; i++)
        visit_share(cycle, &shared->visits[i]);
    if (tails_are_most(cycle->engine))
        TRY(grant_some(cycle, shared, QUEUE_DRAW_MAX, err));
    for (size_t i = 0; i < sizeof spares / sizeof spares[0]; i++)
        TRY(grant_some(cycle, shared, spares[i], err));
    return compose(cycle, shared, err);
}

static void answer_visits(struct cycle *cycle, struct shared *shared)
{
    for (size_t i = 0; i < shared->visit_count; i++) {
        struct visit_state *state = &shared->visits[i];

        if (state->is_answered)
            continue;
        rollbacks_note(cycle, state);
        state->command->status = visit_answer(cycle, state, &state->command->err);
        if (state->command->status == STATUS_OK)
            visit_expect(cycle, state);
    }
}

static void answer_shared(struct cycle *cycle, void *context)
{
    struct shared *shared = context;

    answer_visits(cycle, shared);
    for (size_t i = 0; i < shared->count; i++) {
        struct command *command = shared->commands[i];

        if (command->kind == COMMAND_ENROL)
            enrolment_answer(cycle, command);
        if (command->kind == COMMAND_BATCH_ACTION)
            action_follow_up(cycle->engine, command);
        if (command->kind == COMMAND_WITHDRAW_HOST)
            withdrawal_follow_up(cycle->engine, command);
    }
}

/* What was composed was not stored: it is not said. */
static void fail_all(struct command **commands, size_t count, const struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (commands[i]->kind == COMMAND_VISIT)
            scheduler_reply_clear(commands[i]->visit.reply);
        commands[i]->status = err->status;
        commands[i]->err = *err;
    }
}

/* All in one transaction; if that fails, each alone, so that none suffers for another. */
static void run_together(struct engine *engine, struct command **commands, size_t count)
{
    CLEANUP(shared_clear) struct shared shared = {.commands = commands, .count = count};
    const struct cycle_work work = {.run = run_shared, .context = &shared};
    struct error err = {0};

    if (count == 0)
        return;
    shared.visits = must_alloc(count, sizeof *shared.visits);
    if (cycle_do(engine, &work, answer_shared, &err) == STATUS_OK)
        return;
    if (count == 1) {
        fail_all(commands, 1, &err);
        return;
    }
    for (size_t i = 0; i < count; i++)
        run_together(engine, &commands[i], 1);
}

static bool shares_a_cycle(enum command_kind kind)
{
    return kind == COMMAND_VISIT || kind == COMMAND_ENROL || kind == COMMAND_MAY_UPLOAD ||
           kind == COMMAND_UPLOADED || kind == COMMAND_BATCH_ACTION ||
           kind == COMMAND_WITHDRAW_HOST;
}

void engine_run(struct engine *engine, struct command **commands, size_t count)
{
    struct command *shared[ENGINE_COMMANDS_MAX];
    size_t shared_count = 0;

    assert(count >= 1 && count <= ENGINE_COMMANDS_MAX);
    for (size_t i = 0; i < count; i++) {
        assert(commands[i]->kind >= COMMAND_VISIT && commands[i]->kind < COMMAND_KINDS);
        engine->counts.commands[commands[i]->kind]++;
        commands[i]->err = (struct error){0};
        if (shares_a_cycle(commands[i]->kind))
            shared[shared_count++] = commands[i];
        else
            publication_run(engine, commands[i]);
    }
    run_together(engine, shared, shared_count);
    engine_show(engine);
    for (size_t i = 0; i < count; i++)
        if (commands[i]->done != NULL)
            commands[i]->done(commands[i], commands[i]->context);
}
