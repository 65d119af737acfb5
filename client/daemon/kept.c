#include "client/daemon/kept.h"

#include <string.h>

#include "client/daemon/tasks.h"
#include "common/base/log.h"

static bool is_kept(const struct task_record *record)
{
    return record->phase == PHASE_STORED && record->outcome == VISIT_DONE &&
           !digest_is_none(&record->receipt);
}

/* Another task of the same unit; of several, one that is done. */
static struct client_task *twin_of(const struct attached *project, const struct task_record *record)
{
    struct client_task *twin = NULL;

    for (size_t i = 0; i < project->task_count; i++) {
        struct client_task *other = project->tasks[i];

        if (other->record.task == record->task ||
            !digest_equals(&other->record.unit, &record->unit))
            continue;
        if (other->record.outcome == VISIT_DONE && !phase_is_unfinished(other->record.phase))
            return other;
        if (phase_is_unfinished(other->record.phase) && other->record.phase != PHASE_OFFERED)
            twin = other;
    }
    return twin;
}

void kept_add(struct attached *project, struct scheduler_request *request)
{
    if (!project->is_asked_for_kept)
        return;
    request->kept = must_alloc(SCHEDULER_KEPT_MAX, sizeof *request->kept);
    for (size_t i = 0; i < project->task_count && request->kept_count < SCHEDULER_KEPT_MAX; i++) {
        const struct task_record *record = &project->tasks[i]->record;

        if (record->task <= project->kept_after || !is_kept(record))
            continue;
        request->kept[request->kept_count++] = (struct kept_task){
            .task = record->task, .unit = record->unit, .receipt = record->receipt};
    }
    if (request->kept_count == 0)
        project->kept_after = 0;
}

/* At the end it begins again: a batch may be submitted again only later. */
void kept_answered(struct attached *project, const struct scheduler_request *asked, bool goes_on)
{
    project->is_asked_for_kept = goes_on;
    if (asked->kept_count == SCHEDULER_KEPT_MAX)
        project->kept_after = asked->kept[asked->kept_count - 1].task;
    else
        project->kept_after = 0;
}

/* By its own codec: what is stored of the one is what is stored of the other. */
static enum status copy_end(const struct task_record *from, const struct task_record *to,
                            struct task_record *ret_record, struct error *err)
{
    CLEANUP(freep) char *text = task_record_encode(from);

    TRY(task_record_decode(text, strlen(text), ret_record, err));
    ret_record->task = ret_record->report.task = to->task;
    ret_record->app_version = to->app_version;
    ret_record->variant = to->variant;
    ret_record->deadline_s = to->deadline_s;
    ret_record->receipt = to->receipt;
    ret_record->phase = PHASE_FINISHED;
    ret_record->settled_s = 0;
    ret_record->upload_url[0] = '\0';
    texts_clear(&ret_record->wanted);
    return STATUS_OK;
}

/* After a crash it may have been moved already. */
static enum status move_outputs(const struct attached *project, int64_t from, int64_t to,
                                struct error *err)
{
    struct disk *disk = project->files.folder->env->disk;
    struct disk_path old, new, parent;
    enum status status;

    TRY(project_files_join(&project->files, &old, err, "spool/%lld", (long long)from));
    TRY(project_files_join(&project->files, &new, err, "spool/%lld", (long long)to));
    TRY(project_files_join(&project->files, &parent, err, "spool"));
    status = disk->rename(disk, old.text, new.text, err);
    if (status != STATUS_NOT_FOUND)
        TRY(status);
    return disk->sync_folder(disk, parent.text, err);
}

static enum status take_over(struct daemon *daemon, struct attached *project,
                             struct client_task *task, struct client_task *twin, struct error *err)
{
    CLEANUP(task_record_clear) struct task_record record = {0};

    (void)daemon;
    TRY(copy_end(&twin->record, &task->record, &record, err));
    if (record.outputs.count > 0)
        TRY(move_outputs(project, twin->record.task, record.task, err));
    TRY(save_task_record(&project->files, &record, err));
    LOG(LOG_INFO, "task.kept", LOG_N("task", record.task), LOG_N("was", twin->record.task));
    task_record_clear(&task->record);
    task->record = record;
    record = (struct task_record){0};
    return STATUS_OK;
}

bool kept_serves(struct daemon *daemon, struct attached *project, struct client_task *task)
{
    struct client_task *twin = twin_of(project, &task->record);
    struct error err = {0};

    if (twin == NULL)
        return false;
    if (phase_is_unfinished(twin->record.phase))
        return true;
    if (take_over(daemon, project, task, twin, &err) == STATUS_OK)
        task_remove(daemon, project, twin);
    else
        log_failure(LOG_WARN, "task.kept", &err);
    return true;
}
