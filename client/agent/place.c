#include "client/agent/place.h"

#include <assert.h>

size_t place_choose(const struct place *places, size_t count, size_t current, int64_t now)
{
    size_t first = current;

    assert(count >= 1 && current < count);
    for (size_t i = 0; i < count; i++) {
        size_t next = (current + i) % count;

        if (places[next].hold_until <= now)
            return next;
        if (places[next].hold_until < places[first].hold_until)
            first = next;
    }
    return first;
}

bool place_is_at_fault(enum status status)
{
    return status == STATUS_UNREACHABLE || status == STATUS_UNTRUSTED || status == STATUS_NOT_FOUND;
}

bool place_is_last_resort(const struct place *places, size_t count, size_t current, int64_t now)
{
    for (size_t i = 0; i < count; i++)
        if (i != current && places[i].hold_until <= now)
            return false;
    return true;
}
