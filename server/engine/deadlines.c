#include "server/engine/deadlines.h"

#include <stdlib.h>

#include "common/base/cleanup.h"

void deadlines_clear(struct deadlines *deadlines)
{
    free(deadlines->hints);
    *deadlines = (struct deadlines){0};
}

static void make_room(struct deadlines *deadlines)
{
    size_t capacity = deadlines->capacity > 0 ? deadlines->capacity * 2 : 64;
    struct deadline_hint *hints;

    if (deadlines->count < deadlines->capacity)
        return;
    hints = realloc(deadlines->hints, capacity * sizeof *hints);
    if (hints == NULL)
        abort();
    deadlines->hints = hints;
    deadlines->capacity = capacity;
}

void deadlines_add(struct deadlines *deadlines, struct deadline_hint hint)
{
    size_t at;

    make_room(deadlines);
    at = deadlines->count++;
    while (at > 0 && deadlines->hints[(at - 1) / 2].up_s > hint.up_s) {
        deadlines->hints[at] = deadlines->hints[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    deadlines->hints[at] = hint;
}

/* Put `hint` where the first one was, and down to its place. */
static void sink(struct deadlines *deadlines, struct deadline_hint hint)
{
    size_t at = 0;

    for (size_t child = 1; child < deadlines->count; child = 2 * at + 1) {
        if (child + 1 < deadlines->count &&
            deadlines->hints[child + 1].up_s < deadlines->hints[child].up_s)
            child++;
        if (deadlines->hints[child].up_s >= hint.up_s)
            break;
        deadlines->hints[at] = deadlines->hints[child];
        at = child;
    }
    deadlines->hints[at] = hint;
}

bool deadlines_take(struct deadlines *deadlines, int64_t up_now_s, struct deadline_hint *ret_hint)
{
    if (deadlines->count == 0 || deadlines->hints[0].up_s > up_now_s)
        return false;
    *ret_hint = deadlines->hints[0];
    deadlines->count--;
    if (deadlines->count > 0)
        sink(deadlines, deadlines->hints[deadlines->count]);
    return true;
}
