#include "client/daemon/daemon.h"

#include <string.h>

#include "client/agent/talk.h"
#include "client/daemon/conversation.h"
#include "client/daemon/kept.h"
#include "client/daemon/leave.h"
#include "client/daemon/projects.h"
#include "client/daemon/proof.h"
#include "client/daemon/room.h"
#include "client/daemon/run.h"
#include "client/daemon/tasks.h"
#include "client/daemon/transfer.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/crypto/base64.h"

#define IDLE_WAKE_MS 60000 /* at the latest, for what only the wall clock says */

static void note_unloaded(struct daemon *daemon, const struct digest *project,
                          const struct error *err)
{
    CLEANUP(freep)
    char *why = text_format(err->detail[0] != '\0' ? "%s (%s)" : "%s", err->text, err->detail);
    struct unloaded *it;

    if (daemon->unloaded_count == STATE_PROJECTS_MAX)
        return;
    it = &daemon->unloaded[daemon->unloaded_count++];
    it->project = *project;
    set_words(it->why, why);
}

/* What the disk does not give now is asked of it again: its work must not be given up for that. */
static void load_project(struct daemon *daemon, const char *name)
{
    struct digest project;
    struct error err = {0};

    if (!base64url_decode(name, strlen(name), project.bytes, DIGEST_BYTES) ||
        daemon_find(daemon, &project) != NULL || attached_load(daemon, &project, &err) != NULL)
        return;
    LOG(LOG_WARN, "project.not-loaded", LOG_S("folder", name), LOG_S("why", err.text));
    if (err.status == STATUS_NOT_FOUND)
        return;
    note_unloaded(daemon, &project, &err);
    daemon->load_again_at = daemon_now(daemon) + LOAD_RETRY_MS;
}

static enum status load_projects(struct daemon *daemon, struct error *err)
{
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    struct disk_path path;

    TRY(data_folder_join(daemon->parts.folder, &path, err, "projects"));
    TRY(daemon->env->disk->list(daemon->env->disk, path.text, &names, err));
    daemon->unloaded_count = 0;
    for (size_t i = 0; i < names.count && daemon->project_count < STATE_PROJECTS_MAX; i++)
        load_project(daemon, names.names[i]);
    return STATUS_OK;
}

static void load_again(struct daemon *daemon)
{
    struct error err = {0};

    if (daemon->unloaded_count == 0 || daemon_now(daemon) < daemon->load_again_at)
        return;
    daemon->load_again_at = daemon_now(daemon) + LOAD_RETRY_MS;
    if (load_projects(daemon, &err) != STATUS_OK)
        log_failure(LOG_WARN, "projects.not-loaded", &err);
}

/* The mark that its owner paused it survives a restart. */
static bool was_paused(const struct daemon *daemon)
{
    struct disk_path path;

    return data_folder_join(daemon->parts.folder, &path, NULL, "paused") == STATUS_OK &&
           disk_has(daemon->env->disk, path.text);
}

static void free_daemon(struct daemon *daemon)
{
    proof_stop(daemon);
    while (daemon->project_count > 0)
        attached_free(daemon, daemon->projects[daemon->project_count - 1]);
    free(daemon->projects);
    cache_close(&daemon->cache);
    free(daemon);
}

void daemon_close(struct daemon *daemon)
{
    if (daemon != NULL)
        free_daemon(daemon);
}

enum status daemon_open(const struct daemon_parts *parts, struct daemon **ret_daemon,
                        struct error *err)
{
    CLEANUP(daemon_closep) struct daemon *daemon = must_alloc(1, sizeof *daemon);

    daemon->parts = *parts;
    daemon->env = parts->folder->env;
    daemon->machine =
        (struct machine){.platform = parts->platform, .layers = launcher_layers(parts->launcher)};
    TRY(cache_open(&daemon->cache, parts->folder, parts->config->cache, err));
    TRY(load_projects(daemon, err));
    room_look(daemon);
    daemon->is_paused = was_paused(daemon);
    *ret_daemon = TAKE(daemon);
    return STATUS_OK;
}

static void step_project(struct daemon *daemon, struct attached *project)
{
    talk_step(daemon, project);
    if (project->record.stopped[0] == '\0')
        for (size_t i = project->task_count; i > 0; i--)
            if (project->tasks[i - 1]->record.phase == PHASE_OFFERED &&
                !kept_serves(daemon, project, project->tasks[i - 1]))
                task_verify(daemon, project, project->tasks[i - 1]);
    bundle_step(daemon, project);
    download_step(daemon, project);
    upload_step(daemon, project);
    leave_step(daemon, project); /* last: by now it has heard what came */
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A time that something waits for, if it is yet to come. */
static int64_t still(int64_t at, int64_t now)
{
    return at > now ? at : TALK_NEVER;
}

static int64_t wake_of_task(struct daemon *daemon, const struct attached *project,
                            const struct client_task *task, int64_t now)
{
    if (task->filling != NULL && run_may_start(daemon, project, task))
        return now;
    if (task->record.phase == PHASE_COLLECTING && now >= task->not_before)
        return now;
    if (task->running != NULL)
        return now + RUN_POLL_MS;
    return phase_is_unfinished(task->record.phase) ? still(task->not_before, now) : TALK_NEVER;
}

static int64_t wake_of_project(struct daemon *daemon, struct attached *project, int64_t now)
{
    int64_t wake = talk_wake(daemon, project);

    for (size_t i = 0; i < project->task_count; i++)
        wake = sooner(wake, wake_of_task(daemon, project, project->tasks[i], now));
    wake = sooner(wake, still(project->download_at, now));
    wake = sooner(wake, still(project->upload_at, now));
    wake = sooner(wake, download_wake(project, now));
    return wake;
}

/* A verb's own daemon only takes leave. */
static bool is_stepped(const struct daemon *daemon, const struct attached *project)
{
    return !daemon->parts.runs_nothing || project->record.leaving != LEAVING_NOT;
}

static int64_t next_wake(struct daemon *daemon)
{
    int64_t now = daemon_now(daemon);
    int64_t wake = daemon->is_due ? now : now + IDLE_WAKE_MS;

    for (size_t i = 0; i < daemon->project_count; i++)
        if (is_stepped(daemon, daemon->projects[i]))
            wake = sooner(wake, wake_of_project(daemon, daemon->projects[i], now));
    wake = sooner(wake, still(daemon->load_again_at, now));
    if (!daemon->parts.runs_nothing)
        wake = sooner(wake, proof_wake(daemon, now));
    return sooner(wake, still(daemon->save_again_at, now));
}

int64_t daemon_step(struct daemon *daemon)
{
    daemon->is_due = false;
    room_look(daemon);
    load_again(daemon);
    if (!daemon->parts.runs_nothing)
        proof_step(daemon);
    run_poll_all(daemon);
    for (size_t i = daemon->project_count; i > 0; i--) /* one that is left leaves the list */
        if (is_stepped(daemon, daemon->projects[i - 1]))
            step_project(daemon, daemon->projects[i - 1]);
    if (!daemon->parts.runs_nothing) {
        run_start_some(daemon);
        tasks_tidy(daemon);
    }
    return next_wake(daemon);
}

bool daemon_is_leaving(const struct daemon *daemon)
{
    for (size_t i = 0; i < daemon->project_count; i++)
        if (daemon->projects[i]->record.leaving != LEAVING_NOT)
            return true;
    return false;
}

static unsigned add_task_descriptors(struct daemon *daemon, struct pollfd *ret_all, unsigned room)
{
    unsigned count = 0;

    for (size_t i = 0; i < daemon->project_count; i++)
        for (size_t j = 0; j < daemon->projects[i]->task_count; j++) {
            const struct running_task *running = daemon->projects[i]->tasks[j]->running;
            int descriptor = running != NULL ? daemon->parts.launcher->descriptor(running) : -1;

            if (descriptor >= 0 && count < room)
                ret_all[count++] = (struct pollfd){.fd = descriptor, .events = POLLIN};
        }
    return count;
}

void daemon_wait(struct daemon *daemon, struct pollfd *others, unsigned other_count,
                 int64_t until_mono_ms)
{
    struct http_client *http = daemon->parts.http;
    struct pollfd all[256];
    int64_t timeout_ms = until_mono_ms - daemon_now(daemon);
    unsigned tasks;

    memcpy(all, others, other_count * sizeof *others);
    tasks = add_task_descriptors(daemon, all + other_count,
                                 (unsigned)(sizeof all / sizeof *all) - other_count);
    http->wait(http, all, other_count + tasks, timeout_ms > 0 ? timeout_ms : 0);
    memcpy(others, all, other_count * sizeof *others);
}
