#include "server/engine/visit.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "server/engine/moves.h"
#include "server/engine/reports.h"
#include "server/engine/rollbacks.h"
#include "server/engine/settle.h"
#include "server/policy/host_clock.h"
#include "server/policy/transition.h"

enum visit_stop visit_stop_of_site(const struct engine *engine, const struct engine_clock *clock)
{
    if (engine->stops.issuing)
        return VISIT_STOPPED;
    if (digest_is_none(&engine->trust.project) || !engine->trust.has_freshness)
        return VISIT_STALE;
    if (!clock->is_in_doubt && trust_may_start(&engine->trust, clock->now_s, NULL) != REFUSAL_NONE)
        return VISIT_STALE;
    return VISIT_FREE;
}

/* No more than its next visit can name beside what this one does. */
static size_t most_wanted(const struct scheduler_request *request)
{
    size_t room = SCHEDULER_HELD_MAX - request->held_count, wanted = (size_t)request->want_tasks;

    assert(request->held_count <= SCHEDULER_HELD_MAX && wanted <= SCHEDULER_WANT_MAX);
    return wanted < room ? wanted : room;
}

void visit_end(struct visit_state *state)
{
    free(state->packed);
    *state = (struct visit_state){0};
}

bool visit_came_in_vain(const struct visit_state *state)
{
    return state->granted == 0 && state->wanted > 0 && state->stop != VISIT_SHARE;
}

void visit_begin(struct cycle *cycle, struct visit_state *state, struct command *command)
{
    struct visit_command *visit = &command->visit;

    *state = (struct visit_state){.command = command,
                                  .visit = visit,
                                  .serial = ++cycle->engine->visit_serial,
                                  .wanted = most_wanted(visit->request)};
    command->status = STATUS_OK;
    scheduler_reply_clear(visit->reply); /* of a run that a conflict made void */
    if (state->wanted > 0)
        state->stop = visit_stop_of_site(cycle->engine, &cycle->clock);
}

void visit_gather(const struct visit_state *state, struct gathering *gathering)
{
    const struct scheduler_request *request = state->visit->request;

    id_list_add(&gathering->hosts, state->visit->host);
    for (size_t i = 0; i < request->visit.finished_count; i++)
        id_list_add(&gathering->tasks, request->visit.finished[i].task);
    for (size_t i = 0; i < request->held_count; i++)
        id_list_add(&gathering->tasks, request->held[i].task);
}

/* ------------------------------------------------------------------------------------- numbers */

static void refuse_clone(struct visit_state *state)
{
    state->is_answered = true;
    state->command->status =
        error_set(&state->command->err, STATUS_CONFLICT,
                  "clone: another instance of this host, or an older image of it, has visited; "
                  "enrol with a new key");
    error_code(&state->command->err, "clone");
}

/* Nobody can say which of two instances is the right one: what they were given is taken back. */
static void withdraw_clone(struct cycle *cycle, struct visit_state *state, struct host *host)
{
    const struct cycle_holding *held;
    size_t count;

    host->is_withdrawn = true;
    host->incarnation++;
    host->is_changed = true;
    cycle->counts.clones++;
    cycle_note(cycle, JOURNAL_HOST_WITHDRAWN, host->id, state->visit->request->visit.number);
    held = cycle_holdings(cycle, host->id, &count);
    for (size_t i = 0; i < count; i++) {
        struct unit *unit = NULL;
        struct task *task = reports_own_task(&cycle->set, host->id, held[i].task, &unit);

        settle_task(cycle, unit, task, transition_task(task->state, EVENT_WITHDRAW));
    }
    refuse_clone(state);
}

static void set_text(char **text, const char *value)
{
    if (*text != NULL && strcmp(*text, value) == 0)
        return;
    free(*text);
    *text = text_copy(value);
}

static void note_offer(const struct scheduler_host *facts, struct host_offer *offer)
{
    CLEANUP(buffer_clear) struct buffer layers = {.max = SCHEDULER_LAYERS_MAX * (WORD_MAX + 1) + 2};

    for (size_t i = 0; i < facts->layers.count; i++)
        (void)buffer_printf(&layers, NULL, "%s%s ", i == 0 ? " " : "", facts->layers.texts[i]);
    offer->cores = facts->cores;
    offer->memory_bytes = facts->memory_bytes;
    offer->disk_bytes = facts->disk_bytes;
    set_text(&offer->layers, buffer_text(&layers));
}

static void note_visit(struct cycle *cycle, const struct visit_state *state, struct host *host)
{
    const struct scheduler_request *request = state->visit->request;
    const struct texts *platforms = &request->host.platforms;

    host->visit = request->visit.number;
    host->visit_request = state->visit->request_digest;
    host->seen_s = cycle->clock.now_s;
    host->seen_up_s = cycle->clock.up_s;
    set_text(&host->platform, platforms->count > 0 ? platforms->texts[0] : "");
    set_text(&host->client, request->host.client);
    note_offer(&request->host, &host->offer);
    host->is_changed = true;
    if (request->refused_count > 0) {
        host->refused = request->refused[0];
        host->refused_s = cycle->clock.now_s;
    }
    if (request->visit.finished_count > 0)
        work_add_visit(&cycle->set,
                       (struct visit_record){.host = host->id,
                                             .number = host->visit,
                                             .statement = state->visit->statement,
                                             .statement_length = state->visit->statement_length,
                                             .time_s = cycle->clock.now_s});
}

/* That it came again with a higher number says that the answer before reached it. */
static void mark_told(struct cycle *cycle, const struct visit_state *state)
{
    const struct host_hint *hint = host_hints_find(&cycle->engine->hosts, state->visit->host);

    if (hint == NULL || hint->told_visit >= state->visit->request->visit.number)
        return;
    for (size_t i = 0; i < hint->told_count; i++) {
        struct unit *unit = NULL;
        struct task *task = reports_own_task(&cycle->set, state->visit->host, hint->told[i], &unit);

        if (task == NULL || task->is_told)
            continue;
        task->is_told = true;
        task->is_changed = true;
        unit->is_changed = true;
    }
}

/* What it lost, it gets again (visit_answer()): that much less is wanted anew. And what is out,
 * counts for the allowance. */
static void count_lost(struct cycle *cycle, struct visit_state *state)
{
    size_t count;
    const struct cycle_holding *held = cycle_holdings(cycle, state->visit->host, &count);

    for (size_t i = 0; i < count; i++) {
        struct unit *unit = NULL;
        const struct task *task =
            reports_own_task(&cycle->set, state->visit->host, held[i].task, &unit);

        state->tasks_out += task->state == TASK_SENT;
        state->wanted -= state->wanted > 0 && visit_is_lost(state, task);
    }
}

void visit_take(struct cycle *cycle, struct visit_state *state)
{
    const struct visit *visit = &state->visit->request->visit;
    struct host *host = work_host(&cycle->set, state->visit->host);
    bool is_repeat;

    if (host == NULL) {
        state->is_answered = true;
        state->command->status =
            error_set(&state->command->err, STATUS_UNAUTHORIZED, "there is no such host; enrol");
        return;
    }
    is_repeat = visit->number == host->visit &&
                digest_equals(&host->visit_request, &state->visit->request_digest);
    state->visit->is_repeat = is_repeat;
    if (host->is_withdrawn) {
        refuse_clone(state);
    } else if (visit->number <= host->visit && !is_repeat) {
        withdraw_clone(cycle, state, host);
    } else if (is_repeat) {
        cycle->counts.visits_repeated++;
    } else {
        state->is_new = true;
        state->rollback = rollbacks_sign(cycle, state, host);
        mark_told(cycle, state);
        note_visit(cycle, state, host);
        reports_take(cycle, host->id, state->visit->request);
        moves_undo(cycle, state);
        count_lost(cycle, state);
    }
}

/* Each as the client has it: not among those it holds or reports. A list that is full may have had
 * no room for it. */
bool visit_is_lost(const struct visit_state *state, const struct task *task)
{
    const struct scheduler_request *request = state->visit->request;

    if (task->state != TASK_SENT || task->at_dispatch.host != state->visit->host ||
        task->visit >= request->visit.number || request->held_count == SCHEDULER_HELD_MAX)
        return false;
    for (size_t i = 0; i < request->held_count; i++)
        if (request->held[i].task == task->id)
            return false;
    return visit_find_task(&request->visit, task->id) == NULL;
}

int64_t visit_clock_off_s(const struct cycle *cycle, const struct visit_state *state)
{
    if (cycle->clock.is_in_doubt)
        return 0;
    return host_clock_off_s(state->visit->request->host.time_s, cycle->clock.now_s);
}
