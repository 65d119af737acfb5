#include "server/engine/horizons.h"

#include "common/base/cleanup.h"
#include "server/engine/hails.h"
#include "server/policy/estimate.h"

#define ENOUGH         4  /* copies a slot: then everybody has something to do for long */
#define CLOSE          16 /* lengths that differ by less than one in so many are alike */
#define SLOTS_A_SECOND 50000

/* What it costs grows with the slots: so does the time that it holds. */
static struct horizon find(const struct engine *engine, int64_t up_s, int64_t copies,
                           int64_t length_ms)
{
    const struct slots_call call = hails_call(engine);
    CLEANUP(slots_clear)
    struct slots slots = slots_of(&engine->hosts, &call, up_s, (struct slots_least){0});

    return (struct horizon){.found_up_s = up_s,
                            .until_up_s = up_s + 1 + (int64_t)slots.count / SLOTS_A_SECOND,
                            .copies = copies,
                            .length_ms = length_ms,
                            .in_ms = horizon_ms(slots.slots, slots.count, copies, length_ms)};
}

static bool is_close(int64_t a, int64_t b)
{
    return a - b <= b / CLOSE && b - a <= b / CLOSE;
}

/* The one of this length, or one that has to be found anew; NULL: there are enough. */
static struct horizon *place_of(struct engine *engine, int64_t up_s, int64_t length_ms)
{
    struct horizon *place = NULL;

    for (size_t i = 0; i < HORIZONS_MAX; i++) {
        if (is_close(length_ms, engine->horizons[i].length_ms))
            return &engine->horizons[i];
        if (up_s >= engine->horizons[i].until_up_s)
            place = &engine->horizons[i];
    }
    if (place != NULL)
        *place = (struct horizon){0};
    return place;
}

/* Were all that waits as long as this, in ms from now. That less waits than a moment ago is noticed
 * when it is found anew; more at once, for who is sent away for want of work comes back late. */
static int64_t horizon_of(struct engine *engine, int64_t up_s, int64_t length_ms)
{
    struct horizon *known = place_of(engine, up_s, length_ms);
    int64_t copies = queue_copies(engine->queue) + 1; /* the one in question was drawn */
    int64_t passed_ms;

    if (known == NULL || copies >= ENOUGH * engine->hosts.grid.slots)
        return HORIZON_NEVER;
    if (up_s >= known->until_up_s || copies - known->copies > known->copies / CLOSE)
        *known = find(engine, up_s, copies, length_ms);
    passed_ms = (up_s - known->found_up_s) * 1000;
    if (known->in_ms == HORIZON_NEVER)
        return HORIZON_NEVER;
    return known->in_ms > passed_ms ? known->in_ms - passed_ms : 0;
}

bool horizons_leave(struct cycle *cycle, const struct visit_state *state, int64_t task_ms)
{
    struct host_hint *hint = host_hints_get(&cycle->engine->hosts, state->visit->host);
    int64_t length_ms = estimate_on_usual_ms(task_ms, state->speed) + 1;
    int64_t ends_in_ms = share_idle_in_ms(&state->share) + task_ms, horizon;

    if (!state->has_share || task_ms <= 0)
        return false;
    horizon = horizon_of(cycle->engine, cycle->clock.up_s, length_ms);
    if (state->share.idle == 0) /* it has something to do, and does not wait */
        return horizon_is_sooner(horizon, ends_in_ms);
    return horizon_leaves(&hint->wait, cycle->clock.up_s * 1000, ends_in_ms, horizon);
}
