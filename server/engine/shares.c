/* What a host has to compute, and how much more it may have: its part of the grid. */
#include <assert.h>

#include "common/base/cleanup.h"
#include "server/engine/moves.h"
#include "server/engine/timing.h"
#include "server/engine/visit.h"

#define LATE_S 300 /* a host is expected so much later than it was told to come */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t visit_slots(const struct cycle *cycle, const struct visit_state *state)
{
    const struct host *host = work_host(&cycle->set, state->visit->host);

    return share_slots(state->visit->request->host.cores, host->agreed);
}

/* Did it get none of what waits for another reason than that it has its share? */
static bool is_barred(const struct cycle *cycle, const struct visit_state *state)
{
    return visit_came_in_vain(state) && queue_copies(cycle->engine->queue) > 0;
}

static void count(struct cycle *cycle, const struct visit_state *state, int64_t held,
                  int64_t return_s)
{
    struct host_part part = {.held = held,
                             .agreed = work_host(&cycle->set, state->visit->host)->agreed,
                             .is_barred = return_s > 0 && is_barred(cycle, state),
                             .seen_up_s = cycle->clock.up_s,
                             .returns_up_s = cycle->clock.up_s + return_s,
                             .until_up_s = cycle->clock.up_s + return_s + return_s / 2 + LATE_S};
    size_t wanted = state->wanted - state->granted;

    if (state->visit->request->want_tasks > 0 || held > 0) {
        part.slots = visit_slots(cycle, state);
        part.weight = share_weight(part.slots, state->speed);
        part.speed = state->speed;
        part.idle = larger(part.slots - held, 0);
        part.idle = part.idle < (int64_t)wanted ? part.idle : (int64_t)wanted;
    }
    host_hints_count(&cycle->engine->hosts, state->visit->host, &part);
}

void visit_count(struct cycle *cycle, struct visit_state *state)
{
    CLEANUP(burden_clear) struct burden burden = {0};

    if (!state->is_new)
        return;
    state->speed = timing_speed(cycle, state->visit->host);
    burden = burden_of(cycle, state);
    count(cycle, state, (int64_t)burden.count, 0);
}

void visit_share(struct cycle *cycle, struct visit_state *state)
{
    struct engine *engine = cycle->engine;
    const struct scheduler_request *request = state->visit->request;
    CLEANUP(burden_clear) struct burden burden = {0};
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
                                 .slots = visit_slots(cycle, state),
                                 .held = (int64_t)burden.count,
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
    CLEANUP(burden_clear) struct burden burden = {0};
    int64_t return_s = state->visit->reply->return_s;

    if (!state->is_new)
        return;
    burden = burden_of(cycle, state);
    count(cycle, state, (int64_t)burden.count, return_s);
    moves_note(cycle, state, &burden);
}
