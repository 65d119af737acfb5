#include "server/engine/host_hints.h"

#include <stdlib.h>

#include "common/base/cleanup.h"

void host_hints_clear(struct host_hints *hints)
{
    struct host_hint *hint;
    size_t cursor = 0;

    while ((hint = map_next(&hints->map, &cursor)) != NULL) {
        free(hint->told);
        free(hint);
    }
    map_clear(&hints->map);
    hints->grid = (struct share_grid){0};
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
    map_put(&hints->map, host, hint);
    return hint;
}

static void leave_grid(struct share_grid *grid, struct host_part *part)
{
    grid->slots -= part->slots;
    grid->weight -= part->weight;
    grid->held -= part->held;
    *part = (struct host_part){0};
}

void host_hints_count(struct host_hints *hints, int64_t host, const struct host_part *part)
{
    struct host_hint *hint = host_hints_get(hints, host);

    leave_grid(&hints->grid, &hint->part);
    hint->part = *part;
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
            leave_grid(&hints->grid, &hint->part);
    return &hints->grid;
}
