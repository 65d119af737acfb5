#include "server/engine/host_hints.h"

#include <stdlib.h>

#include "common/base/cleanup.h"

void host_hints_clear(struct host_hints *hints)
{
    struct host_hint *hint;
    size_t cursor = 0;

    while ((hint = map_next(&hints->map, &cursor)) != NULL) {
        stock_clear(&hint->stock);
        free(hint->told);
        free(hint);
    }
    map_clear(&hints->map);
    hints->grid = (struct share_grid){0};
    hints->idle = hints->idle_hosts = hints->stocked = 0;
    hints->idler_count = 0;
}

struct host_hint *host_hints_find(const struct host_hints *hints, int64_t host)
{
    return map_get(&hints->map, host);
}

struct host_hint *host_hints_get(struct host_hints *hints, int64_t host)
{
    struct host_hint *hint = map_get(&hints->map, host);

    if (hint != NULL)
        return hint;
    if (hints->map.count >= HOST_HINTS_MAX)
        host_hints_clear(hints);
    hint = must_alloc(1, sizeof *hint);
    hint->host = host;
    map_put(&hints->map, host, hint);
    return hint;
}

static void leave_grid(struct host_hints *hints, struct host_part *part)
{
    struct share_grid *grid = &hints->grid;

    hints->idle -= part->idle;
    hints->idle_hosts -= part->idle > 0;
    grid->slots -= part->slots;
    grid->weight -= part->weight;
    grid->held -= part->held;
    *part = (struct host_part){0};
}

void host_hints_count(struct host_hints *hints, int64_t host, const struct host_part *part)
{
    struct host_hint *hint = host_hints_get(hints, host);

    leave_grid(hints, &hint->part);
    hint->part = *part;
    hints->idle += part->idle;
    hints->idle_hosts += part->idle > 0;
    hints->grid.slots += part->slots;
    hints->grid.weight += part->weight;
    hints->grid.held += part->held;
}

const struct share_grid *host_hints_grid(struct host_hints *hints, int64_t up_s)
{
    struct host_hint *hint;
    size_t cursor = 0;

    if (up_s < hints->looked_up_s + HOST_HINTS_LOOK_S)
        return &hints->grid;
    hints->looked_up_s = up_s;
    while ((hint = map_next(&hints->map, &cursor)) != NULL)
        if (hint->part.slots > 0 && hint->part.until_up_s < up_s)
            leave_grid(hints, &hint->part);
    return &hints->grid;
}

void host_hints_stock(struct host_hints *hints, int64_t host, struct stock *stock)
{
    struct host_hint *hint = host_hints_get(hints, host);

    hints->stocked -= (int64_t)hint->stock.count;
    if (hints->stocked + (int64_t)stock->count > STOCKS_MAX)
        stock_trim(stock, STOCK_LEAST);
    hints->stocked += (int64_t)stock->count;
    stock_clear(&hint->stock);
    hint->stock = *stock;
    *stock = (struct stock){0};
}

void host_hints_forget_task(struct host_hints *hints, int64_t host, int64_t task)
{
    struct host_hint *hint = host_hints_find(hints, host);

    if (hint != NULL)
        hints->stocked -= stock_forget(&hint->stock, task) ? 1 : 0;
}

struct stock_task *host_hints_find_task(const struct host_hints *hints, int64_t host, int64_t task)
{
    struct host_hint *hint = host_hints_find(hints, host);

    return hint != NULL ? stock_find(&hint->stock, task) : NULL;
}

bool host_hints_is_idle(const struct host_hints *hints, int64_t host)
{
    const struct host_hint *hint = host_hints_find(hints, host);

    return hint != NULL && hint->part.idle > 0;
}

static size_t slowest(const struct host_hints *hints)
{
    size_t best = IDLERS_LAST;

    for (size_t i = IDLERS_LAST; i < IDLERS_MAX; i++) {
        if (!host_hints_is_idle(hints, hints->idlers[i].who.host))
            return i;
        if (hints->idlers[i].speed < hints->idlers[best].speed)
            best = i;
    }
    return best;
}

/* One that is among the last ones no more stays if it is fast. */
static void keep_if_fast(struct host_hints *hints, const struct idler *idler)
{
    size_t place = slowest(hints);

    if (!host_hints_is_idle(hints, idler->who.host))
        return;
    if (!host_hints_is_idle(hints, hints->idlers[place].who.host) ||
        idler->speed > hints->idlers[place].speed)
        hints->idlers[place] = *idler;
}

void host_hints_idle(struct host_hints *hints, const struct idler *idler)
{
    size_t place = 0;

    while (place < hints->idler_count && hints->idlers[place].who.host != idler->who.host)
        place++;
    if (place == IDLERS_MAX) {
        place = hints->oldest_idler;
        hints->oldest_idler = (place + 1) % IDLERS_LAST;
        keep_if_fast(hints, &hints->idlers[place]);
    }
    hints->idler_count += place == hints->idler_count;
    hints->idlers[place] = *idler;
}
