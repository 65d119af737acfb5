#include "client/daemon/leave.h"

#include "client/daemon/projects.h"
#include "client/daemon/tasks.h"
#include "common/base/log.h"

/* "Started" counts beyond a restart of the daemon: its checkpoint does, too. */
static bool may_finish(const struct attached *project, const struct client_task *task)
{
    return project->record.leaving == LEAVING_FINISH && task->record.starts > 0;
}

static void hand_back(struct daemon *daemon, struct attached *project)
{
    for (size_t i = 0; i < project->task_count; i++) {
        struct client_task *task = project->tasks[i];

        if (!phase_is_unfinished(task->record.phase) || may_finish(project, task))
            continue;
        task->record.report.is_unstarted = task->record.starts == 0;
        task_abandon(daemon, project, task, "its volunteer left the project");
    }
}

/* A visit that was not answered may have brought more. */
static bool is_all_said(const struct attached *project)
{
    for (size_t i = 0; i < project->task_count; i++) {
        const struct task_record *record = &project->tasks[i]->record;

        if (phase_is_unfinished(record->phase) || record->phase == PHASE_FINISHED ||
            record->wanted.count > 0)
            return false;
    }
    return project->visit.body == NULL;
}

enum status leave_begin(struct daemon *daemon, struct attached *project, enum leaving how,
                        struct error *err)
{
    struct project_record record = project->record;

    record.leaving = how;
    TRY(save_project_record(&project->files, &record, err));
    project->record.leaving = how;
    project->failures = project->upload_failures = 0;
    project->hold_until = project->upload_at = daemon_now(daemon);
    LOG(LOG_INFO, "project.left", LOG_S("project", project->record.name),
        LOG_S("how", leaving_name(how)));
    return STATUS_OK;
}

void leave_step(struct daemon *daemon, struct attached *project)
{
    struct error err = {0};

    if (project->record.leaving == LEAVING_NOT)
        return;
    hand_back(daemon, project);
    if (is_all_said(project) && leave_forget(daemon, project, &err) != STATUS_OK)
        log_failure(LOG_WARN, "project.not-removed", &err); /* with the next step, then */
}

/* Of what is reported and not stored the server has no bodies: what was asked for is stored. */
static int64_t unsent(const struct attached *project)
{
    int64_t count = 0;

    for (size_t i = 0; i < project->task_count; i++)
        count += project->tasks[i]->record.phase == PHASE_REPORTED &&
                         project->tasks[i]->record.outcome == VISIT_DONE
                     ? 1
                     : 0;
    return count;
}

enum status leave_forget(struct daemon *daemon, struct attached *project, struct error *err)
{
    daemon->left = project->record.project;
    daemon->left_bodies = unsent(project);
    LOG(LOG_INFO, "project.detached", LOG_S("project", project->record.name),
        LOG_N("bodies_left_behind", daemon->left_bodies));
    for (size_t i = project->task_count; i > 0; i--)
        task_remove(daemon, project, project->tasks[i - 1]);
    TRY(project_files_remove(&project->files, err));
    attached_free(daemon, project);
    return STATUS_OK;
}
