#include "operator/audit_room.h"

#include <assert.h>

bool audit_room_has(const struct audit_room *whole, const struct audit_room *taken,
                    const struct limits *limits)
{
    if (taken->units == 0)
        return true;
    return taken->units < whole->units && limits->cores <= whole->cores - taken->cores &&
           limits->memory_bytes <= whole->memory_bytes - taken->memory_bytes;
}

void audit_room_take(struct audit_room *taken, const struct limits *limits)
{
    taken->units++;
    taken->cores += limits->cores;
    taken->memory_bytes += limits->memory_bytes;
}

void audit_room_give_back(struct audit_room *taken, const struct limits *limits)
{
    assert(taken->units > 0);
    taken->units--;
    taken->cores -= limits->cores;
    taken->memory_bytes -= limits->memory_bytes;
}
