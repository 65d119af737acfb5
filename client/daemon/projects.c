#include "client/daemon/projects.h"

#include <string.h>

#include "client/agent/delay.h"
#include "client/agent/talk.h"
#include "client/daemon/contact.h"
#include "client/daemon/lane.h"
#include "client/daemon/tasks.h"
#include "client/daemon/transfer.h"
#include "common/base/log.h"
#include "common/base/text.h"

static void enlist(struct daemon *daemon, struct attached *project)
{
    size_t count = daemon->project_count + 1;
    struct attached **grown = realloc(daemon->projects, count * sizeof *grown);

    if (grown == NULL)
        abort();
    daemon->projects = grown;
    daemon->projects[daemon->project_count++] = project;
}

static struct attached *attached_new(struct daemon *daemon, const struct digest *project)
{
    struct attached *it = must_alloc(1, sizeof *it);
    int64_t now = daemon_now(daemon);

    it->record.project = *project;
    it->host.next_visit = 1;
    it->hold_until = it->return_at = it->bulletin_at = now;
    it->download_at = it->upload_at = now;
    it->visited_at = INT64_MIN;
    it->hailed_at = TALK_NEVER;
    it->report_limit = VISIT_FINISHED_MAX;
    return it;
}

struct attached *attached_add(struct daemon *daemon, const struct digest *project,
                              struct error *err)
{
    struct attached *it;

    if (daemon->project_count == STATE_PROJECTS_MAX) {
        (void)error_set(err, STATUS_TOO_LARGE, "up to %d projects can be attached",
                        STATE_PROJECTS_MAX);
        return NULL;
    }
    it = attached_new(daemon, project);
    if (project_files_init(&it->files, daemon->parts.folder, project, err) != STATUS_OK ||
        project_files_make(&it->files, err) != STATUS_OK) {
        free(it);
        return NULL;
    }
    enlist(daemon, it);
    return it;
}

/*
 * A file that is not there, or was put aside because it is not what it should be, is done without.
 * One that the disk does not give now may be fine: nothing may be decided on its absence.
 */
static enum status unless_gone(enum status status)
{
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status load_envelopes(struct attached *project, struct error *err)
{
    struct disk *disk = project->files.folder->env->disk;
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    struct disk_path path;

    TRY(project_files_join(&project->files, &path, err, "envelopes"));
    TRY(disk->list(disk, path.text, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        CLEANUP(envelope_clear) struct envelope envelope = {0};
        struct digest digest;

        if (!text_to_exact_bytes(names.names[i], DIGEST_BYTES, digest.bytes))
            continue;
        TRY(unless_gone(load_envelope(&project->files, &digest, &envelope, err)));
        if (envelope.payload != NULL)
            attached_keep_envelope(project, &envelope, NULL);
    }
    return STATUS_OK;
}

static void free_numbers(int64_t **numbers)
{
    free(*numbers);
}

static enum status load_task(struct attached *project, int64_t number, struct error *err)
{
    struct task_record record = {0};

    TRY(unless_gone(load_task_record(&project->files, number, &record, err)));
    if (record.task != number)
        return STATUS_OK;
    record.phase = phase_after_restart(record.phase);
    (void)task_add(project, &record);
    return STATUS_OK;
}

/* They only take room: a disk that does not remove them now is asked again at the next start. */
static void clear_strays(const struct attached *project, const int64_t *tasks, size_t count)
{
    struct error err = {0};
    size_t strays;

    if (remove_strays(&project->files, tasks, count, &strays, &err) != STATUS_OK)
        log_failure(LOG_WARN, "slots.not-cleared", &err);
    else if (strays > 0)
        LOG(LOG_WARN, "slots.cleared", LOG_N("strays", (int64_t)strays));
}

static enum status load_tasks(struct attached *project, struct error *err)
{
    CLEANUP(free_numbers) int64_t *numbers = NULL;
    size_t count = 0;

    TRY(list_tasks(&project->files, &numbers, &count, err));
    for (size_t i = 0; i < count; i++)
        TRY(load_task(project, numbers[i], err));
    clear_strays(project, numbers, count);
    return STATUS_OK;
}

/* A host without its key, or a key without its host, is nobody: enrol anew. */
static enum status load_identity(struct attached *project, struct error *err)
{
    struct host_record none = {.next_visit = 1};

    TRY(unless_gone(load_host_key(&project->files, &project->key, err)));
    if (public_key_is_none(&project->key.public_key)) {
        project->host = none;
        return remove_host_identity(&project->files, err);
    }
    TRY(unless_gone(load_host_record(&project->files, &project->host, err)));
    TRY(unless_gone(load_visit_record(&project->files, &project->visit, err)));
    if (project->visit.number < project->host.next_visit)
        visit_record_clear(&project->visit); /* it was answered; only its removal was cut off */
    return STATUS_OK;
}

/*
 * Trust is written before the project is. Where it is lost, so is the newest keyring that was
 * known, and a server could pass an old one off as new: that is for the owner to decide.
 */
static enum status load_chain(struct attached *project, struct error *err)
{
    enum status status = load_trust(&project->files, &project->trust, err);

    if (status != STATUS_NOT_FOUND)
        return status;
    if (project->record.stopped[0] == '\0')
        set_words(project->record.stopped,
                  "what was known of the project's keys cannot be read any more (see aside/): "
                  "attach again with the project's link to start over");
    LOG(LOG_ERROR, "project.stopped", LOG_S("project", project->record.name),
        LOG_S("why", project->record.stopped));
    return STATUS_OK;
}

/* As a wall time it survived; it must not grow beyond what servers may ask for. */
static void restore_return(struct daemon *daemon, struct attached *project)
{
    int64_t left_s = project->host.return_at_s - daemon_now_s(daemon);

    if (left_s > DELAY_TOLD_MAX_S)
        left_s = DELAY_TOLD_MAX_S;
    if (left_s > 0)
        project->return_at = daemon_now(daemon) + left_s * 1000;
}

static enum status load(struct daemon *daemon, struct attached *project, struct error *err)
{
    TRY(load_project_record(&project->files, &project->record, err));
    TRY(project_files_make(&project->files, err));
    TRY(load_chain(project, err));
    contact_check_ca(project);
    TRY(load_identity(project, err));
    restore_return(daemon, project);
    TRY(load_tasks(project, err)); /* first: they say which envelopes are in use */
    return load_envelopes(project, err);
}

static void clear(struct daemon *daemon, struct attached *project)
{
    for (size_t i = 0; i < project->task_count; i++) {
        daemon->parts.launcher->release(project->tasks[i]->running);
        task_stop_copying(project->tasks[i]);
        prepared_clear(&project->tasks[i]->prepared);
        task_record_clear(&project->tasks[i]->record);
        free(project->tasks[i]->trouble);
        free(project->tasks[i]);
    }
    free(project->tasks);
    for (size_t i = 0; i < project->envelope_count; i++)
        envelope_clear(&project->envelopes[i]);
    free(project->envelopes);
    project_record_clear(&project->record);
    visit_record_clear(&project->visit);
    private_key_clear(&project->key);
    trust_clear(&project->trust);
    free(project);
}

struct attached *attached_load(struct daemon *daemon, const struct digest *project,
                               struct error *err)
{
    struct attached *it = attached_new(daemon, project);
    enum status status = project_files_init(&it->files, daemon->parts.folder, project, err);

    if (status == STATUS_OK)
        status = load(daemon, it, err);
    if (status == STATUS_OK && !digest_equals(&it->record.project, project))
        status = error_set(err, STATUS_INVALID, "project.json is of another project");
    if (status != STATUS_OK) {
        clear(daemon, it);
        return NULL;
    }
    enlist(daemon, it);
    return it;
}

void attached_free(struct daemon *daemon, struct attached *project)
{
    lane_stop(daemon, &project->talk);
    lane_stop(daemon, &project->bundling);
    lane_stop(daemon, &project->upload);
    download_stop_all(daemon, project);
    bundle_close(&project->bundle);
    disk_file_close(project->sent_file);
    for (size_t i = 0; i < project->task_count; i++)
        if (project->tasks[i]->is_prepared)
            slot_unpin(&daemon->cache, &project->tasks[i]->prepared);
    for (size_t i = 0; i < daemon->project_count; i++)
        if (daemon->projects[i] == project)
            daemon->projects[i] = daemon->projects[--daemon->project_count];
    clear(daemon, project);
}
