/* How many units are computed again at a time. PURE. */
#ifndef OPERATOR_AUDIT_ROOM_H
#define OPERATOR_AUDIT_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "work-units/limits.h"

/* What there is, or what those that run may use of it. */
struct audit_room {
    int64_t units;
    int64_t cores;        /* INT64_MAX: they are not counted */
    int64_t memory_bytes; /* INT64_MAX: likewise */
};

/* One that needs more than there is runs alone. */
bool audit_room_has(const struct audit_room *whole, const struct audit_room *taken,
                    const struct limits *limits);
void audit_room_take(struct audit_room *taken, const struct limits *limits);
void audit_room_give_back(struct audit_room *taken, const struct limits *limits);

#endif
