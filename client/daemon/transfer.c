/* Files of apps and inputs, one at a time and project. */
#include <string.h>

#include "client/agent/delay.h"
#include "client/daemon/attached.h"
#include "common/base/log.h"
#include "common/base/text.h"

#define MISMATCHES_MAX 3 /* a file that is not what was signed so often: the task is refused */
#define FAILURES_MAX   12
#define IMMEDIATE_MAX  4096 /* more than a task has files */

static struct delay_rule rule_of(const struct daemon *daemon)
{
    return (struct delay_rule){.first_ms = daemon->parts.config->retry_first * 1000,
                               .last_ms = daemon->parts.config->retry_last * 1000};
}

/* The one that can be had first: of earliest deadline. */
static struct client_task *next_to_fetch(struct daemon *daemon, const struct attached *project)
{
    struct client_task *best = NULL;

    for (size_t i = 0; i < project->task_count; i++) {
        struct client_task *task = project->tasks[i];

        if (task->record.phase == PHASE_FETCHING && daemon_now(daemon) >= task->not_before &&
            (best == NULL || task->record.deadline_s < best->record.deadline_s))
            best = task;
    }
    return best;
}

static struct needed_file file_of(const struct attached *project, const struct client_task *task)
{
    struct needed_file file = {0};

    for (size_t i = slot_file_count(&task->prepared); i > 0; i--) {
        file = slot_file(&task->prepared, i - 1);
        if (digest_equals(&file.digest, &project->part.digest))
            break;
    }
    return file;
}

/* Served wrongly, again and again. */
static void mismatch(struct daemon *daemon, struct attached *project, struct client_task *task,
                     const struct needed_file *file, enum status status, const struct error *err)
{
    enum refusal refusal = file->is_of_app ? REFUSAL_CHANGED_EXECUTABLE : REFUSAL_CHANGED_INPUT;

    if (status == STATUS_TOO_LARGE)
        refusal = REFUSAL_LARGER_THAN_SIGNED;
    if (++task->mismatches >= MISMATCHES_MAX)
        task_refuse(daemon, project, task, refusal, &file->digest, err);
}

static void fetch_failed(struct daemon *daemon, struct attached *project, struct client_task *task,
                         enum status status, const struct error *err)
{
    const struct delay_rule rule = rule_of(daemon);
    int64_t now = daemon_now(daemon);

    log_failure(LOG_INFO, "file.not-fetched", err);
    project->download_failures++;
    project->download_at =
        now + delay_ms(&rule, project->download_failures, err->retry_after_s, daemon_draw(daemon));
    if (status == STATUS_FULL || status == STATUS_STORAGE) {
        set_words(daemon->trouble, err->text);
        return;
    }
    if (status != STATUS_NOT_FOUND && status != STATUS_GONE && status != STATUS_FORBIDDEN)
        return;
    if (++task->failures >= FAILURES_MAX)
        task_abandon(daemon, project, task, "the server does not have one of its files");
}

static bool is_about_content(enum status status, const struct error *err)
{
    return status == STATUS_TOO_LARGE || (status == STATUS_UNTRUSTED && err->code == NULL);
}

static void on_file(struct daemon *daemon, struct attached *project, enum status status,
                    struct http_response *response, const struct error *how)
{
    struct client_task *task = task_find(project, project->download_task);
    struct needed_file file = file_of(project, task);
    struct error err = *how;

    project->download_task = 0;
    if (status == STATUS_OK)
        status = http_check(response, &err);
    if (status == STATUS_OK)
        status = download_finish(&project->part, &err);
    else if (status == STATUS_TOO_LARGE || response->status == 416)
        download_restart(&project->part);
    else
        download_close(&project->part);
    if (status == STATUS_OK) {
        project->download_failures = task->failures = 0;
        return;
    }
    fetch_failed(daemon, project, task, status, &err);
    if (is_about_content(status, &err) && phase_is_unfinished(task->record.phase))
        mismatch(daemon, project, task, &file, status, &err);
}

static enum status ask_for(struct daemon *daemon, struct attached *project,
                           const struct needed_file *file, struct error *err)
{
    char path[64 + 2 * DIGEST_BYTES] = "/v1/files/";
    CLEANUP(freep) char *url = NULL;
    struct http_request request = {
        .method = HTTP_GET,
        .ca_pem = project->record.ca_pem,
        .max_bytes = file->size, /* a server that ignores the range sends all of it */
        .range_from = project->part.got,
        .sink = &project->part.sink,
    };

    text_from_bytes(file->digest.bytes, DIGEST_BYTES, path + strlen(path));
    url = site_url(project, path);
    request.url = url;
    project->download.done = on_file;
    return lane_start(daemon, &project->download, &request, err);
}

static void fetch(struct daemon *daemon, struct attached *project, struct client_task *task,
                  const struct needed_file *file)
{
    struct error err = {0};
    enum status status =
        download_open(&project->part, &daemon->cache, &file->digest, file->size, &err);

    if (status == STATUS_TOO_LARGE) {
        task_abandon(daemon, project, task, "one of its files is larger than the cache may be");
        return;
    }
    if (status == STATUS_OK && project->part.got < file->size) {
        status = ask_for(daemon, project, file, &err);
        if (status == STATUS_OK) {
            project->download_task = task->record.task;
            return;
        }
        download_close(&project->part);
    } else if (status == STATUS_OK) {
        status = download_finish(&project->part, &err);
    }
    if (status != STATUS_OK)
        fetch_failed(daemon, project, task, status, &err);
}

static void mark_complete(struct daemon *daemon, struct attached *project)
{
    struct needed_file file;

    for (size_t i = 0; i < project->task_count; i++)
        if (project->tasks[i]->record.phase == PHASE_FETCHING &&
            !slot_next_missing(&daemon->cache, &project->tasks[i]->prepared, &file))
            project->tasks[i]->record.phase = PHASE_READY;
}

void download_step(struct daemon *daemon, struct attached *project)
{
    struct client_task *task;
    struct needed_file file;

    lane_poll(daemon, project, &project->download);
    /* Files that a cut left complete, or that have no bytes, need no exchange. */
    for (int i = 0; i < IMMEDIATE_MAX; i++) {
        mark_complete(daemon, project);
        if (project->download.exchange != NULL || project->host.host == 0 ||
            daemon_now(daemon) < project->download_at)
            return;
        task = next_to_fetch(daemon, project);
        if (task == NULL || !slot_next_missing(&daemon->cache, &task->prepared, &file))
            return;
        fetch(daemon, project, task, &file);
    }
}
