#include "server/engine/slots.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "server/policy/estimate.h"

#define NEVER INT64_MAX

void slots_clear(struct slots *slots)
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

static void add(struct slots *slots, const struct host_hint *hint, int64_t free_in_ms)
{
    assert(slots->count < slots->capacity);
    slots->slots[slots->count++] = (struct horizon_slot){
        .free_in_ms = free_in_ms, .speed = estimate_believed_speed(hint->part.speed)};
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
    if (stock->count > 0)
        qsort(slots->ends, stock->count, sizeof *slots->ends, compare_down);
}

/* In ms from now: when it was told to, or sooner, where it was told of work since its visit: some
 * time until all who were are there. */
static int64_t comes_in_ms(const struct host_part *part, const struct slots_call *call,
                           int64_t up_s)
{
    int64_t comes_ms = part->returns_up_s >= up_s ? (part->returns_up_s - up_s) * 1000 : NEVER;

    if (call->called_up_s <= part->seen_up_s || call->come_up_s < up_s)
        return comes_ms;
    return sooner(comes_ms, (call->come_up_s - up_s) * 1000 / 2);
}

/* Each of its slots is free when the last of its tasks ends. One to whom none of what waits could
 * be granted does nothing about it. */
static void add_host(struct slots *slots, const struct slots_call *call,
                     const struct host_hint *hint, int64_t up_s)
{
    const struct host_part *part = &hint->part;
    int64_t busy = sooner(part->held, part->slots), comes_ms = comes_in_ms(part, call, up_s);

    find_ends(slots, &hint->stock, up_s * 1000);
    for (int64_t i = 0; i < busy; i++)
        add(slots, hint, i < (int64_t)hint->stock.count ? slots->ends[i] : 0);
    for (int64_t i = busy; i < part->slots && !part->is_barred && comes_ms != NEVER; i++)
        add(slots, hint, comes_ms);
}

struct slots slots_of(const struct host_hints *hints, const struct slots_call *call, int64_t up_s,
                      struct slots_least least)
{
    struct slots slots = {.capacity = (size_t)hints->grid.slots};
    const struct host_hint *hint;
    size_t cursor = 0;

    slots.slots = must_alloc(slots.capacity, sizeof *slots.slots);
    while ((hint = map_next(&hints->map, &cursor)) != NULL)
        if (hint->part.slots > 0 && hint->part.agreed >= least.agreed &&
            estimate_believed_speed(hint->part.speed) >= least.speed)
            add_host(&slots, call, hint, up_s);
    return slots;
}
