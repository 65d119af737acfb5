/* The slots of all hosts that are expected, and when each is free: from hints. */
#ifndef SERVER_ENGINE_SLOTS_H
#define SERVER_ENGINE_SLOTS_H

#include "server/engine/host_hints.h"

/* Zeroed: none. */
struct slots {
    struct horizon_slot *slots; /* owned */
    size_t count, capacity;
    int64_t *ends; /* owned; of the tasks of one host */
    size_t ends_capacity;
};

void slots_clear(struct slots *slots);

/* When idle hosts were told of work, and by when those who heard of it are there; of the up-time
 * clock. */
struct slots_call {
    int64_t called_up_s, come_up_s;
};

/* Hosts of at least this speed, and with as many agreed tasks. Zeroed: all. */
struct slots_least {
    int64_t speed, agreed;
};

/* Idle ones that should have come by now are not counted on. */
struct slots slots_of(const struct host_hints *hints, const struct slots_call *call, int64_t up_s,
                      struct slots_least least);

#endif
