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
