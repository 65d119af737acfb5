#include "client/daemon/lineup.h"

#include "client/daemon/room.h"
#include "client/daemon/run.h"
#include "client/daemon/tasks.h"

static struct duration_unit duration_unit_of(const struct client_task *task)
{
    const struct work_unit *unit = &task->prepared.unit;

    return (struct duration_unit){.app_version = &task->record.app_version,
                                  .declared_ops = unit->declared_ops,
                                  .wall_s = unit->limits.wall_s};
}

static int64_t estimate_ms(const struct attached *project, const struct client_task *task)
{
    const struct duration_unit unit = duration_unit_of(task);

    return durations_estimate_ms(&project->durations, &unit);
}

static int64_t cores_of(const struct daemon *daemon, const struct client_task *task)
{
    int64_t cores = task->prepared.unit.limits.cores;

    return cores < daemon->parts.config->cores ? cores : daemon->parts.config->cores;
}

/* ------------------------------------------------------------------------------- who takes turns
 */

/* Which batches there are now. */
static void meet_batches(struct attached *project)
{
    struct batch_id *batches = must_alloc(project->task_count + 1, sizeof *batches);
    size_t count = 0;

    for (size_t i = 0; i < project->task_count; i++)
        if (project->tasks[i]->is_prepared)
            batches[count++] = project->tasks[i]->prepared.unit.batch;
    turns_meet(&project->turns, batches, count);
    free(batches);
}

void lineup_meet(struct daemon *daemon)
{
    for (size_t i = 0; i < daemon->project_count; i++)
        meet_batches(daemon->projects[i]);
}

static int64_t ran_ms(const struct run_outcome *outcome)
{
    int64_t ms = outcome->usage.wall_ms;

    if (ms < 0)
        return 0;
    return ms < SCHEDULER_SPAN_MAX_MS ? ms : SCHEDULER_SPAN_MAX_MS;
}

/* Where it ran before, this is a part of its time. */
static void learn_duration(struct attached *project, const struct client_task *task,
                           int64_t wall_ms)
{
    const struct duration_unit unit = duration_unit_of(task);

    if (task->record.starts == 1)
        durations_learn(&project->durations, &unit, wall_ms);
}

void lineup_ended(const struct daemon *daemon, struct attached *project,
                  const struct client_task *task, const struct run_outcome *outcome)
{
    int64_t wall_ms = ran_ms(outcome);

    project->used_ms += wall_ms;
    turns_charge(&project->turns, &task->prepared.unit.batch, cores_of(daemon, task) * wall_ms);
    if (outcome->end != RUN_EXITED || outcome->code != 0)
        return;
    learn_duration(project, task, wall_ms);
    project->mean_task_ms =
        project->mean_task_ms == 0 ? wall_ms + 1 : (project->mean_task_ms * 3 + wall_ms) / 4 + 1;
}

/* ----------------------------------------------------------------------------------- who is next
 */

struct candidates {
    struct run_view views[LINEUP_MAX];
    size_t count;
};

/* A task that runs counts as what it is going to use: else one batch got all free cores at once. */
static void turns_by_now(const struct daemon *daemon, const struct attached *project,
                         struct turns *ret_turns)
{
    *ret_turns = project->turns;
    for (size_t i = 0; i < project->task_count; i++) {
        const struct client_task *task = project->tasks[i];
        int64_t now_ms, ms;

        if (task->running == NULL && task->filling == NULL)
            continue;
        ms = estimate_ms(project, task);
        now_ms = task->running != NULL ? daemon->parts.launcher->usage(task->running).wall_ms : 0;
        turns_charge(ret_turns, &task->prepared.unit.batch,
                     cores_of(daemon, task) * (now_ms > ms ? now_ms : ms));
    }
}

/* What its place in the order rests on. */
static struct run_view place_of(const struct attached *project, const struct client_task *task,
                                const struct turns *turns)
{
    const struct work_unit *unit = &task->prepared.unit;
    bool is_unfinished = phase_is_unfinished(task->record.phase);

    return (struct run_view){
        .task = task->record.task,
        .deadline_s = task->record.deadline_s,
        .batch_used_ms = turns_used_ms(turns, &unit->batch),
        .estimate_ms = is_unfinished ? estimate_ms(project, task) : 0,
        .cores = unit->limits.cores,
        .has_begun = task->record.starts > 0 && is_unfinished,
    };
}

static struct run_view view_of(struct daemon *daemon, const struct attached *project,
                               const struct client_task *task, const struct turns *turns)
{
    struct run_view view = place_of(project, task, turns);

    view.memory_bytes = task->prepared.unit.limits.memory_bytes;
    view.disk_bytes = task_room(task);
    view.is_running = task->running != NULL || task->filling != NULL;
    view.holds_disk = task_holds_disk(task);
    view.is_ready = task->filling == NULL && run_may_start(daemon, project, task);
    return view;
}

static void add_candidates(struct daemon *daemon, size_t number, struct candidates *candidates)
{
    const struct attached *project = daemon->projects[number];
    struct turns turns;

    turns_by_now(daemon, project, &turns);
    for (size_t i = 0; i < project->task_count; i++) {
        if (!project->tasks[i]->is_prepared || candidates->count == LINEUP_MAX)
            continue;
        candidates->views[candidates->count] = view_of(daemon, project, project->tasks[i], &turns);
        candidates->views[candidates->count++].project = number;
    }
}

static void collect_candidates(struct daemon *daemon, struct candidates *ret)
{
    ret->count = 0;
    for (size_t i = 0; i < daemon->project_count; i++)
        add_candidates(daemon, i, ret);
}

static void used_by_projects(const struct daemon *daemon, int64_t *ret_used_ms)
{
    for (size_t i = 0; i < daemon->project_count; i++) {
        const struct attached *project = daemon->projects[i];

        ret_used_ms[i] = project->used_ms;
        for (size_t j = 0; j < project->task_count; j++)
            if (project->tasks[j]->running != NULL)
                ret_used_ms[i] += daemon->parts.launcher->usage(project->tasks[j]->running).wall_ms;
    }
}

/* A task for which there would be no room, either, if nothing else ran. */
static void note_waiting(struct daemon *daemon, const struct candidates *candidates)
{
    for (size_t i = 0; i < candidates->count; i++)
        if (candidates->views[i].is_ready && candidates->views[i].disk_bytes > daemon->room.tasks)
            room_wait(daemon, candidates->views[i].disk_bytes);
}

static struct run_room room_of(const struct daemon *daemon)
{
    return (struct run_room){.cores = daemon->parts.config->cores,
                             .memory_bytes = daemon_memory(daemon),
                             .disk_bytes = daemon->room.tasks};
}

static size_t choose(struct daemon *daemon, struct candidates *candidates)
{
    const struct run_room room = room_of(daemon);
    int64_t used_ms[STATE_PROJECTS_MAX];

    collect_candidates(daemon, candidates);
    used_by_projects(daemon, used_ms);
    return choose_next(candidates->views, candidates->count, &room, used_ms, daemon_now_s(daemon));
}

bool lineup_next(struct daemon *daemon, struct attached **ret_project,
                 struct client_task **ret_task)
{
    struct candidates *candidates = must_alloc(1, sizeof *candidates);
    size_t chosen = choose(daemon, candidates);

    if (chosen == CHOOSE_NONE) {
        note_waiting(daemon, candidates);
    } else {
        *ret_project = daemon->projects[candidates->views[chosen].project];
        *ret_task = task_find(*ret_project, candidates->views[chosen].task);
    }
    free(candidates);
    return chosen != CHOOSE_NONE;
}

void lineup_order(struct daemon *daemon, struct attached *project, struct lineup_order *ret_order)
{
    const struct run_room room = room_of(daemon);
    struct candidates *candidates = must_alloc(1, sizeof *candidates);

    meet_batches(project);
    collect_candidates(daemon, candidates);
    *ret_order = (struct lineup_order){
        .project = project,
        .order = choose_order_of(candidates->views, candidates->count, &room, daemon_now_s(daemon)),
    };
    turns_by_now(daemon, project, &ret_order->turns);
    free(candidates);
}

bool lineup_is_before(const struct lineup_order *order, const struct client_task *a,
                      const struct client_task *b)
{
    const struct run_view place_a = place_of(order->project, a, &order->turns);
    const struct run_view place_b = place_of(order->project, b, &order->turns);

    return choose_is_before(&order->order, &place_a, &place_b);
}
