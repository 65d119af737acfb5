/* How a task is started: a slot is filled in pieces, then its program launched. */
#include "client/daemon/run.h"

#include <string.h>

#include "client/daemon/lineup.h"
#include "client/daemon/proof.h"
#include "client/daemon/tasks.h"
#include "client/daemon/trouble.h"
#include "common/base/log.h"
#include "sandbox/collect.h"
#include "sandbox/task_slot.h"

#define STARTS_MAX 50 /* a task that never ends, though started so often, is given up */
#define FILL_BYTES (4 * 1024 * 1024) /* of inputs copied in one step */

static enum status launch(struct daemon *daemon, struct client_task *task, const char *slot,
                          struct error *err)
{
    struct launcher *launcher = daemon->parts.launcher;
    CLEANUP(task_command_clear) struct task_command command = {.owned_count = 0};

    TRY(task_command_make(&command, &task->prepared, slot, err));
    return launcher->start(launcher, &command.spec, &task->running, err);
}

/* Only what ran before can have left a checkpoint. */
static bool has_checkpoint(struct daemon *daemon, const struct client_task *task, const char *slot)
{
    struct disk_path path;

    return task->record.starts > 0 && disk_join(&path, NULL, "%s/checkpoint", slot) == STATUS_OK &&
           disk_has(daemon->env->disk, path.text);
}

static enum status begin_filling(struct daemon *daemon, const struct attached *project,
                                 struct client_task *task, struct error *err)
{
    struct disk_path slot;

    if (task->filling != NULL)
        return STATUS_OK;
    TRY(project_files_join(&project->files, &slot, err, "slots/%lld",
                           (long long)task->record.task));
    task->filling = must_alloc(1, sizeof *task->filling);
    task->filling->cache = &daemon->cache;
    task->filling->prepared = &task->prepared;
    return slot_begin(task->filling, slot.text, has_checkpoint(daemon, task, slot.text), err);
}

/* Fill its slot, or a part of it; start it when the slot is full. */
static enum status try_start(struct daemon *daemon, struct attached *project,
                             struct client_task *task, struct error *err)
{
    struct disk_path slot;
    bool is_full;

    TRY(begin_filling(daemon, project, task, err));
    TRY(slot_go_on(task->filling, FILL_BYTES, &is_full, err));
    if (!is_full)
        return STATUS_OK;
    slot = task->filling->slot;
    task_stop_copying(task);
    return launch(daemon, task, slot.text, err);
}

static void start_failed(struct daemon *daemon, struct attached *project, struct client_task *task,
                         enum status status, const struct error *err)
{
    task_stop_copying(task);
    if (status == STATUS_NOT_FOUND) {
        task_enter(task, PHASE_FETCHING);
        return;
    }
    log_failure(LOG_WARN, "task.not-started", err);
    if (status == STATUS_INVALID)
        task_abandon(daemon, project, task, err->text);
    else
        task_fails_here(daemon, project, task, err->text);
    proof_doubt(daemon);
}

static void start(struct daemon *daemon, struct attached *project, struct client_task *task)
{
    struct error err = {0};
    enum status status;

    if (task->record.starts >= STARTS_MAX) {
        task_abandon(daemon, project, task, "it was started many times and never came to an end");
        return;
    }
    task_busy(daemon, task);
    status = try_start(daemon, project, task, &err);
    if (status != STATUS_OK) {
        task_waits(daemon, task);
        start_failed(daemon, project, task, status, &err);
        return;
    }
    if (task->running == NULL)
        return; /* its slot is not full yet */
    free(task->trouble);
    task->trouble = NULL; /* but for its count of failures: whether it runs is yet to be seen */
    task_enter(task, PHASE_RUNNING);
    task->record.starts++;
    LOG(LOG_INFO, "task.started", LOG_N("task", task->record.task),
        LOG_S("unit", task->prepared.unit.name.text));
    (void)task_save(daemon, project, task, NULL); /* counts starts, nothing more */
}

/* What was valid when it was fetched may not be any more. */
static bool is_still_fine(struct daemon *daemon, struct attached *project, struct client_task *task)
{
    const struct work_unit *unit = &task->prepared.unit;
    int64_t now_s = trust_judged_s(&project->trust, daemon_now_s(daemon));
    struct error err = {0};
    enum refusal refusal;

    refusal = trust_check_revoked(&project->trust, &task->record.unit, unit, &err);
    if (refusal == REFUSAL_NONE && now_s > unit->not_after_s)
        refusal = REFUSAL_OUTSIDE_VALIDITY;
    if (refusal == REFUSAL_NONE)
        return true;
    task_refuse(daemon, project, task, refusal, &task->record.unit, &err);
    return false;
}

bool run_may_start(struct daemon *daemon, const struct attached *project,
                   const struct client_task *task)
{
    return task->record.phase == PHASE_READY && !task->is_dirty && !daemon->is_paused &&
           proof_is_good(daemon) && project->record.native_allowed &&
           project->record.stopped[0] == '\0' && daemon_now(daemon) >= task->not_before &&
           trust_may_start(&project->trust, daemon_now_s(daemon), NULL) == REFUSAL_NONE;
}

static void fill_some(struct daemon *daemon, struct attached *project)
{
    for (size_t i = 0; i < project->task_count; i++) {
        struct client_task *task = project->tasks[i];

        if (task->filling != NULL && run_may_start(daemon, project, task) &&
            is_still_fine(daemon, project, task))
            start(daemon, project, task);
    }
}

void run_start_some(struct daemon *daemon)
{
    struct attached *project;
    struct client_task *task;

    for (size_t i = 0; i < daemon->project_count; i++)
        fill_some(daemon, daemon->projects[i]);
    lineup_meet(daemon);
    /* Every turn starts a task or takes one out of the running. */
    for (size_t turn = 0; turn < LINEUP_MAX && lineup_next(daemon, &project, &task); turn++)
        if (is_still_fine(daemon, project, task))
            start(daemon, project, task);
}
