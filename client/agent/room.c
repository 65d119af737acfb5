#include "client/agent/room.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

int64_t room_sum(int64_t a, int64_t b)
{
    return least(a + b, ROOM_BYTES_MAX);
}

/* A part of what would be free without us: our own use must not shrink it. */
static int64_t share_of(const struct room_rule *rule, const struct room_view *view)
{
    int64_t whole = view->free + view->owed + view->kept + view->cached + view->written;

    return whole / 100 * rule->percent;
}

static enum room_lack lack_of(const struct room *room, const struct room_view *view)
{
    if (room->more > 0)
        return ROOM_ENOUGH;
    if (room->above <= 0 || room->cap == 0)
        return ROOM_LACKS_FREE;
    return room->cap <= view->owed ? ROOM_LACKS_OWED : ROOM_LACKS_ON_HAND;
}

struct room room_decide(const struct room_rule *rule, const struct room_view *view)
{
    struct room room = {
        .cap = least(rule->most, share_of(rule, view)),
        .above = view->free + view->kept + view->written - view->fetching - rule->floor,
    };

    room.tasks = most(0, least(room.cap - view->owed, room.above));
    room.more = most(0, room.tasks - view->missing - view->to_come);
    room.lack = lack_of(&room, view);
    return room;
}

int64_t room_of_task(const struct task_need *need)
{
    return room_sum(most(need->disk, need->files), need->outputs);
}

bool room_may_fetch(const struct room *room, const struct fetch_view *fetch)
{
    return fetch->missing + fetch->running <= room->above &&
           fetch->missing + fetch->task <= room->above;
}
