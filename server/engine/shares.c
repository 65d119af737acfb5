/* What a host has to compute, and how much more it may have: its part of the grid. */
#include <assert.h>

#include "server/engine/reports.h"
#include "server/engine/timing.h"
#include "server/engine/visit.h"

#define LATE_S 300 /* a host is expected so much later than it was told to come */

/* What a host still has to do. */
struct burden {
    int64_t tasks;
    int64_t ms;
};

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
    if (held->state == HELD_FINISHED)
        return 0;
    return held->progress_permille >= 0 ? 1000 - held->progress_permille : 500;
}

static struct burden burden_of(const struct cycle *cycle, const struct visit_state *state)
{
    struct burden burden = {0};
    size_t count;
    const struct cycle_holding *holdings = cycle_holdings(cycle, state->visit->host, &count);

    for (size_t i = 0; i < count; i++) {
        struct unit *unit = NULL;
        const struct task *task =
            reports_own_task(&cycle->set, state->visit->host, holdings[i].task, &unit);
        const struct held_task *held = find_held(state, task->id);
        int64_t task_ms;

        if (task->state != TASK_SENT || (held != NULL && held->state == HELD_FINISHED))
            continue;
        task_ms = timing_task_ms(cycle, state->visit->host, state->speed, unit);
        burden.tasks++;
        burden.ms += (task_ms > 0 ? task_ms : SHARE_UNKNOWN_MS) * left_permille(held) / 1000;
    }
    return burden;
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t slots_of(const struct cycle *cycle, const struct visit_state *state)
{
    const struct host *host = work_host(&cycle->set, state->visit->host);

    return share_slots(state->visit->request->host.cores, host->agreed);
}

static void count(struct cycle *cycle, const struct visit_state *state, int64_t held,
                  int64_t expected_s)
{
    struct host_part part = {.held = held, .until_up_s = cycle->clock.up_s + expected_s};

    if (state->visit->request->want_tasks > 0 || held > 0) {
        part.slots = slots_of(cycle, state);
        part.weight = share_weight(part.slots, state->speed);
    }
    host_hints_count(&cycle->engine->hosts, state->visit->host, &part);
}

void visit_count(struct cycle *cycle, struct visit_state *state)
{
    if (!state->is_new)
        return;
    state->speed = timing_speed(cycle, state->visit->host);
    count(cycle, state, burden_of(cycle, state).tasks, LATE_S);
}

void visit_share(struct cycle *cycle, struct visit_state *state)
{
    struct engine *engine = cycle->engine;
    const struct scheduler_request *request = state->visit->request;
    struct burden burden;
    struct share_facts facts;

    if (!state->is_new || request->want_tasks == 0)
        return;
    if (engine->config.sends_as_asked) {
        state->share = (struct share){.slots = 1, .idle = SCHEDULER_WANT_MAX};
        return;
    }
    burden = burden_of(cycle, state);
    facts = (struct share_facts){.grid = *host_hints_grid(&engine->hosts, cycle->clock.up_s),
                                 .ready = queue_copies(engine->queue),
                                 .slots = slots_of(cycle, state),
                                 .held = burden.tasks,
                                 .held_ms = burden.ms,
                                 .want_s = request->want_seconds,
                                 .next_visit_s = engine->config.soon_return_s};
    facts.weight = share_weight(facts.slots, state->speed);
    /* Hints may have been forgotten meanwhile, but not this host. */
    facts.grid.slots = larger(facts.grid.slots, facts.slots);
    facts.grid.weight = larger(facts.grid.weight, facts.weight);
    state->share = share_of(&facts);
    state->has_share = true;
}

void visit_expect(struct cycle *cycle, const struct visit_state *state)
{
    int64_t return_s = state->visit->reply->return_s;

    if (state->is_new)
        count(cycle, state, burden_of(cycle, state).tasks, return_s + return_s / 2 + LATE_S);
}
