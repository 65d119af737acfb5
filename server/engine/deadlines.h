/* Which tasks are out, by deadline. Hints: an entry may be of a task that has long ended. */
#ifndef SERVER_ENGINE_DEADLINES_H
#define SERVER_ENGINE_DEADLINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct deadline_hint {
    int64_t up_s; /* when, of the up-time clock */
    int64_t task;
    int64_t unit;
};

/* A heap, the soonest first. Zeroed: empty. */
struct deadlines {
    struct deadline_hint *hints; /* owned */
    size_t count;
    size_t capacity;
};

void deadlines_clear(struct deadlines *deadlines);
void deadlines_add(struct deadlines *deadlines, struct deadline_hint hint);

/* Take the soonest one if it is due at `up_now_s`; false: none is. */
bool deadlines_take(struct deadlines *deadlines, int64_t up_now_s, struct deadline_hint *ret_hint);

#endif
