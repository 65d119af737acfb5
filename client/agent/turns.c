#include "client/agent/turns.h"

static struct turn *find(struct turns *turns, const struct batch_id *batch)
{
    for (size_t i = 0; i < turns->count; i++)
        if (batch_compare(&turns->all[i].batch, batch) == 0)
            return &turns->all[i];
    return NULL;
}

static bool is_among(const struct batch_id *batch, const struct batch_id *batches, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (batch_compare(batch, &batches[i]) == 0)
            return true;
    return false;
}

/* Of those that are here; 0: none is. */
static int64_t least_used(const struct turns *turns)
{
    const struct turn *least = NULL;

    for (size_t i = 0; i < turns->count; i++)
        if (turns->all[i].is_here && (least == NULL || turns->all[i].used_ms < least->used_ms))
            least = &turns->all[i];
    return least != NULL ? least->used_ms : 0;
}

/* One that is away and has not used more than the least is remembered for nothing. */
static void leave(struct turns *turns, const struct batch_id *batches, size_t count)
{
    size_t kept = 0;
    int64_t least;

    for (size_t i = 0; i < turns->count; i++)
        turns->all[i].is_here =
            turns->all[i].is_here && is_among(&turns->all[i].batch, batches, count);
    least = least_used(turns);
    for (size_t i = 0; i < turns->count; i++)
        if (turns->all[i].is_here || turns->all[i].used_ms > least)
            turns->all[kept++] = turns->all[i];
    turns->count = kept;
}

/* NULL: all that are known are here. */
static struct turn *one_away(struct turns *turns)
{
    for (size_t i = 0; i < turns->count; i++)
        if (!turns->all[i].is_here)
            return &turns->all[i];
    return NULL;
}

static void come(struct turns *turns, const struct batch_id *batch, int64_t least_ms)
{
    struct turn *turn = find(turns, batch);

    if (turn == NULL) {
        turn = turns->count < TURNS_MAX ? &turns->all[turns->count++] : one_away(turns);
        if (turn == NULL)
            return;
        *turn = (struct turn){.batch = *batch};
    }
    turn->used_ms = turn->used_ms > least_ms ? turn->used_ms : least_ms;
    turn->is_here = true;
}

void turns_meet(struct turns *turns, const struct batch_id *batches, size_t count)
{
    int64_t least_ms;

    leave(turns, batches, count);
    least_ms = least_used(turns);
    for (size_t i = 0; i < count; i++)
        come(turns, &batches[i], least_ms);
}

void turns_charge(struct turns *turns, const struct batch_id *batch, int64_t ms)
{
    struct turn *turn = find(turns, batch);

    if (turn != NULL)
        turn->used_ms = ms < INT64_MAX - turn->used_ms ? turn->used_ms + ms : INT64_MAX;
}

int64_t turns_used_ms(const struct turns *turns, const struct batch_id *batch)
{
    for (size_t i = 0; i < turns->count; i++)
        if (batch_compare(&turns->all[i].batch, batch) == 0)
            return turns->all[i].used_ms;
    return least_used(turns);
}
