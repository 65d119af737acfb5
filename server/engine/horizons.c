#include "server/engine/horizons.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "server/policy/estimate.h"

#define ENOUGH   4     /* copies a slot: then everybody has something to do for long */
#define COMES_MS 60000 /* so soon an idle host hears of work, and comes */
#define CLOSE    16    /* lengths that differ by less than one in so many are alike */

struct slots {
    struct horizon_slot *slots; /* owned */
    size_t count, capacity;
    int64_t *ends; /* owned; of the tasks of one host */
    size_t ends_capacity;
};

static void slots_clear(struct slots *slots)
{
    free(slots->slots);
    free(slots->ends);
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void add(struct slots *slots, int64_t free_in_ms, int64_t speed)
{
    assert(slots->count < slots->capacity);
    slots->slots[slots->count++] = (struct horizon_slot){
        .free_in_ms = free_in_ms, .speed = speed > 0 ? speed : ESTIMATE_SPEED_ONE};
}

static int compare_down(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x > y ? -1 : x < y;
}

/* When its tasks end, the last one first. */
static void find_ends(struct slots *slots, const struct stock *stock, int64_t now_ms)
{
    if (stock->count > slots->ends_capacity) {
        free(slots->ends);
        slots->ends_capacity = stock->count * 2;
        slots->ends = must_alloc(slots->ends_capacity, sizeof *slots->ends);
    }
    for (size_t i = 0; i < stock->count; i++)
        slots->ends[i] = later(stock->tasks[i].ends_up_ms - now_ms, 0);
    qsort(slots->ends, stock->count, sizeof *slots->ends, compare_down);
}

/* Each of its slots is free when the last of its tasks ends. One to whom none of what waits could
 * be granted does nothing about it. */
static void add_host(struct slots *slots, const struct host_hint *hint, int64_t up_s)
{
    const struct host_part *part = &hint->part;
    int64_t busy = sooner(part->held, part->slots);
    int64_t comes_ms = sooner(later(part->returns_up_s - up_s, 0) * 1000, COMES_MS);

    find_ends(slots, &hint->stock, up_s * 1000);
    for (int64_t i = 0; i < busy; i++)
        add(slots, i < (int64_t)hint->stock.count ? slots->ends[i] : 0, part->speed);
    for (int64_t i = busy; i < part->slots && !part->is_barred; i++)
        add(slots, comes_ms, part->speed);
}

static int64_t find_horizon(const struct engine *engine, int64_t up_s, int64_t copies,
                            int64_t length_ms)
{
    CLEANUP(slots_clear) struct slots slots = {.capacity = (size_t)engine->hosts.grid.slots};
    const struct host_hint *hint;
    size_t cursor = 0;

    slots.slots = must_alloc(slots.capacity, sizeof *slots.slots);
    while ((hint = map_next(&engine->hosts.map, &cursor)) != NULL)
        if (hint->part.slots > 0)
            add_host(&slots, hint, up_s);
    return horizon_ms(slots.slots, slots.count, copies, length_ms);
}

static bool is_close(int64_t a, int64_t b)
{
    return a - b <= b / CLOSE && b - a <= b / CLOSE;
}

/* Were all that waits as long as this: found once for visits of the same second. */
static int64_t horizon_of(struct engine *engine, int64_t up_s, int64_t length_ms)
{
    struct horizon *known = &engine->horizon;
    int64_t copies = queue_copies(engine->queue) + 1; /* the one in question was drawn */

    if (copies >= ENOUGH * engine->hosts.grid.slots)
        return HORIZON_NEVER;
    if (known->up_s != up_s || !is_close(copies, known->copies) ||
        !is_close(length_ms, known->length_ms))
        *known = (struct horizon){.up_s = up_s,
                                  .copies = copies,
                                  .length_ms = length_ms,
                                  .in_ms = find_horizon(engine, up_s, copies, length_ms)};
    return known->in_ms;
}

bool horizons_leave(struct cycle *cycle, const struct visit_state *state, int64_t task_ms)
{
    struct host_hint *hint = host_hints_get(&cycle->engine->hosts, state->visit->host);
    int64_t speed = state->speed > 0 ? state->speed : ESTIMATE_SPEED_ONE;
    int64_t length_ms = (int64_t)((double)task_ms * (double)speed / ESTIMATE_SPEED_ONE) + 1;

    if (!state->has_share || task_ms <= 0)
        return false;
    return horizon_leaves(&hint->promise, cycle->clock.up_s * 1000,
                          share_idle_in_ms(&state->share) + task_ms,
                          horizon_of(cycle->engine, cycle->clock.up_s, length_ms));
}
