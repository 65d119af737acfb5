#include "client/agent/choose.h"

#define TASKS_UNKNOWN 2 /* per core, while nobody knows how long they take */

static int64_t cores_of(const struct run_view *task, const struct run_room *room)
{
    return task->cores < room->cores ? task->cores : room->cores;
}

static struct run_room room_left(const struct run_view *tasks, size_t count,
                                 const struct run_room *room)
{
    struct run_room left = *room;

    for (size_t i = 0; i < count; i++) {
        left.disk_bytes -= tasks[i].holds_disk ? tasks[i].disk_bytes : 0;
        if (!tasks[i].is_running)
            continue;
        left.cores -= cores_of(&tasks[i], room);
        left.memory_bytes -= tasks[i].memory_bytes;
    }
    return left;
}

/* What tasks that ran before have left in their slots, until they run again. */
static int64_t begun_bytes(const struct run_view *tasks, size_t count)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += tasks[i].has_begun && !tasks[i].holds_disk ? tasks[i].disk_bytes : 0;
    return bytes;
}

/* One that has begun is not kept off by others that have: they would wait for each other. */
static bool fits(const struct run_view *task, const struct run_room *left,
                 const struct run_room *room, int64_t begun)
{
    int64_t disk = task->disk_bytes + (task->has_begun ? 0 : begun);

    return cores_of(task, room) <= left->cores && task->memory_bytes <= left->memory_bytes &&
           disk <= left->disk_bytes;
}

/* In which the cores would do all that is here. */
static int64_t stock_ms(const struct run_view *tasks, size_t count, const struct run_room *room)
{
    int64_t ms = 0;

    for (size_t i = 0; i < count; i++)
        ms += tasks[i].estimate_ms * cores_of(&tasks[i], room);
    return ms / (room->cores > 0 ? room->cores : 1);
}

struct choose_order choose_order_of(const struct run_view *tasks, size_t count,
                                    const struct run_room *room, int64_t now_s)
{
    return (struct choose_order){.now_s = now_s, .stock_ms = stock_ms(tasks, count, room)};
}

static bool is_in_danger(const struct choose_order *order, const struct run_view *task)
{
    int64_t most_ms = CHOOSE_DANGER * (order->stock_ms + task->estimate_ms);

    return task->deadline_s - order->now_s < most_ms / 1000;
}

/* Of two that have not begun. */
static bool is_due_before(const struct choose_order *order, const struct run_view *a,
                          const struct run_view *b)
{
    bool a_hurries = is_in_danger(order, a), b_hurries = is_in_danger(order, b);

    if (a_hurries != b_hurries)
        return a_hurries;
    if (!a_hurries && a->batch_used_ms != b->batch_used_ms)
        return a->batch_used_ms < b->batch_used_ms;
    if (!a_hurries && a->estimate_ms != b->estimate_ms)
        return a->estimate_ms < b->estimate_ms;
    if (a->deadline_s != b->deadline_s)
        return a->deadline_s < b->deadline_s;
    return a->task < b->task;
}

bool choose_is_before(const struct choose_order *order, const struct run_view *a,
                      const struct run_view *b)
{
    return a->has_begun != b->has_begun ? a->has_begun : is_due_before(order, a, b);
}

static bool is_before(const struct choose_order *order, const int64_t *project_used_ms,
                      const struct run_view *a, const struct run_view *b)
{
    int64_t used_a = project_used_ms[a->project], used_b = project_used_ms[b->project];

    if (a->project != b->project && used_a != used_b)
        return used_a < used_b;
    return choose_is_before(order, a, b);
}

size_t choose_next(const struct run_view *tasks, size_t count, const struct run_room *room,
                   const int64_t *project_used_ms, int64_t now_s)
{
    const struct choose_order order = choose_order_of(tasks, count, room, now_s);
    struct run_room left = room_left(tasks, count, room);
    int64_t begun = begun_bytes(tasks, count);
    size_t best = CHOOSE_NONE;

    for (size_t i = 0; i < count; i++) {
        if (!tasks[i].is_ready || tasks[i].deadline_s <= now_s ||
            !fits(&tasks[i], &left, room, begun))
            continue;
        if (best == CHOOSE_NONE || is_before(&order, project_used_ms, &tasks[i], &tasks[best]))
            best = i;
    }
    return best;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t choose_want(const struct want_view *view)
{
    int64_t target = view->cores * TASKS_UNKNOWN;
    int64_t share, missing;

    if (view->mean_task_ms > 0)
        target = view->cores + view->cores * view->buffer_s * 1000 / view->mean_task_ms;
    missing = target - view->unfinished;
    /* A project that fills the buffer leaves the others their share. */
    share = (target + view->project_count - 1) / view->project_count - view->of_project;
    missing = least(missing, share);
    missing = least(missing, view->most_listed - view->listed);
    if (view->task_bytes > 0)
        missing = least(missing, view->disk_bytes / view->task_bytes);
    if (missing <= 0 || view->disk_bytes <= 0)
        return 0;
    return least(missing, view->most_of_server);
}

static bool is_over(const struct kept_view *kept, const struct kept_rule *rule, int64_t now_s)
{
    return now_s - kept->settled_s >= rule->grace_s;
}

/* The oldest that is not yet to be forgotten; `count`: none. */
static size_t oldest(const struct kept_view *kept, size_t count, const bool *forget)
{
    size_t best = count;

    for (size_t i = 0; i < count; i++)
        if (!forget[i] && (best == count || kept[i].settled_s < kept[best].settled_s))
            best = i;
    return best;
}

void choose_forgotten(const struct kept_view *kept, size_t count, const struct kept_rule *rule,
                      int64_t now_s, bool *ret_forget)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < count; i++) {
        ret_forget[i] = is_over(&kept[i], rule, now_s);
        bytes += ret_forget[i] ? 0 : kept[i].bytes;
    }
    while (bytes > rule->bytes) {
        size_t i = oldest(kept, count, ret_forget);

        if (i == count)
            return;
        ret_forget[i] = true;
        bytes -= kept[i].bytes;
    }
}
