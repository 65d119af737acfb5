/*
 * Bodies that an answer asked for, one at a time and project, by tus 1.0: POST makes an upload,
 * PATCH sends what is missing, HEAD asks how much that is after a cut.
 */
#include "client/daemon/transfer.h"

#include <string.h>

#include "client/agent/delay.h"
#include "client/daemon/lane.h"
#include "client/daemon/talking.h"
#include "client/daemon/tasks.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "common/http/url.h"

#define REPLY_MAX 4096

static const struct http_header version = {.name = "Tus-Resumable", .value = "1.0.0"};

static struct client_task *next_to_send(const struct attached *project)
{
    for (size_t i = 0; i < project->task_count; i++)
        if (project->tasks[i]->record.wanted.count > 0 && !project->tasks[i]->is_dirty)
            return project->tasks[i];
    return NULL;
}

static const struct named_output *wanted_output(const struct client_task *task)
{
    return named_outputs_find(&task->record.outputs, task->record.wanted.texts[0]);
}

/* The first wanted one is dealt with, one way or the other. */
static void wanted_done(struct daemon *daemon, struct attached *project, struct client_task *task)
{
    struct texts *wanted = &task->record.wanted;

    free(wanted->texts[0]);
    wanted->count--;
    memmove(wanted->texts, wanted->texts + 1, wanted->count * sizeof *wanted->texts);
    task->record.upload_url[0] = '\0';
    task->upload_offset = HTTP_ABSENT;
    (void)task_save(daemon, project, task, NULL);
}

static void upload_failed(struct daemon *daemon, struct attached *project, const struct error *err)
{
    const struct delay_rule rule = {.first_ms = daemon->parts.config->retry_first * 1000,
                                    .last_ms = daemon->parts.config->retry_last * 1000};

    log_failure(LOG_INFO, "output.not-sent", err);
    talk_doubt(project, err);
    project->upload_failures++;
    project->upload_at = daemon_now(daemon) + delay_ms(&rule, project->upload_failures,
                                                       err->retry_after_s, daemon_draw(daemon));
}

/* Words that will not change by asking again: the server asks another host, or us once more. */
static bool is_final(enum status status)
{
    return status == STATUS_FORBIDDEN || status == STATUS_NOT_FOUND || status == STATUS_GONE ||
           status == STATUS_INVALID || status == STATUS_CONFLICT || status == STATUS_TOO_LARGE;
}

/* NULL: nobody waits for it any more. */
static struct client_task *take_back(struct attached *project)
{
    struct client_task *task = task_find(project, project->upload_task);

    project->upload_task = 0;
    disk_file_close(project->sent_file);
    project->sent_file = NULL;
    return task != NULL && task->record.wanted.count > 0 ? task : NULL;
}

/* The task and what became of the request for it; NULL: nobody waits for it any more. */
static struct client_task *take_reply(struct attached *project,
                                      const struct http_response *response, enum status *status,
                                      struct error *err)
{
    struct client_task *task = take_back(project);

    if (task != NULL && *status == STATUS_OK)
        *status = http_check(response, err);
    return task;
}

static void on_sent(struct daemon *daemon, struct attached *project, enum status status,
                    struct http_response *response, const struct error *how)
{
    struct error err = *how;
    struct client_task *task = take_reply(project, response, &status, &err);

    if (task == NULL)
        return;
    task->upload_offset = HTTP_ABSENT;
    if (status == STATUS_OK && response->upload_offset == wanted_output(task)->size) {
        LOG(LOG_INFO, "output.sent", LOG_N("task", task->record.task),
            LOG_S("name", task->record.wanted.texts[0]));
        project->upload_failures = 0;
        wanted_done(daemon, project, task);
        return;
    }
    if (status == STATUS_OK) {
        task->upload_offset = response->upload_offset;
        (void)error_set(&err, STATUS_UNREACHABLE, "the server took only part of it");
    }
    if (is_final(status))
        wanted_done(daemon, project, task);
    if (status != STATUS_UNAUTHORIZED)
        upload_failed(daemon, project, &err);
}

static void forget_upload(struct daemon *daemon, struct attached *project, struct client_task *task)
{
    task->record.upload_url[0] = '\0';
    task->upload_offset = HTTP_ABSENT;
    (void)task_save(daemon, project, task, NULL);
}

static void on_offset(struct daemon *daemon, struct attached *project, enum status status,
                      struct http_response *response, const struct error *how)
{
    struct error err = *how;
    struct client_task *task = take_reply(project, response, &status, &err);

    if (task == NULL)
        return;
    /* All bytes there: an empty PATCH makes the server say so, and finish what a cut kept it from.
     */
    if (status == STATUS_OK && response->upload_offset >= 0 &&
        response->upload_offset <= wanted_output(task)->size) {
        task->upload_offset = response->upload_offset;
        return;
    }
    if (status == STATUS_OK || is_final(status))
        forget_upload(daemon, project, task); /* it is gone, or makes no sense: make another */
    if (status != STATUS_OK)
        upload_failed(daemon, project, &err);
}

static void on_made(struct daemon *daemon, struct attached *project, enum status status,
                    struct http_response *response, const struct error *how)
{
    struct error err = *how;
    struct client_task *task = take_reply(project, response, &status, &err);

    if (task == NULL)
        return;
    if (status == STATUS_OK && wanted_output(task)->size == 0) {
        wanted_done(daemon, project, task);
        return;
    }
    if (status == STATUS_OK && response->location[0] != '\0') {
        (void)text_fit(task->record.upload_url, sizeof task->record.upload_url, response->location);
        task->upload_offset = 0;
        (void)task_save(daemon, project, task, NULL); /* after a restart it goes on there */
        return;
    }
    if (status == STATUS_OK)
        status = error_set(&err, STATUS_INVALID, "the server did not say where to upload to");
    if (is_final(status))
        wanted_done(daemon, project, task);
    if (status != STATUS_UNAUTHORIZED)
        upload_failed(daemon, project, &err);
}

static enum status make(struct daemon *daemon, struct attached *project, struct client_task *task,
                        struct error *err)
{
    const struct named_output *output = wanted_output(task);
    CLEANUP(freep) char *url = site_url(project, "/v1/uploads");
    CLEANUP(freep) char *number = text_format("%lld", (long long)task->record.task);
    CLEANUP(freep) char *length = text_format("%lld", (long long)output->size);
    CLEANUP(freep) char *metadata = NULL;
    char task64[BASE64_CHARS(20) + 1];
    char name64[BASE64_CHARS(TEXT_FILE_NAME_MAX) + 1];
    struct http_header headers[3] = {version, {.name = "Upload-Length", .value = length}};
    struct http_request request = {
        .method = HTTP_POST,
        .url = url,
        .token = project->host.token.text,
        .ca_pem = project->record.ca_pem,
        .headers = headers,
        .header_count = 3,
        .max_bytes = REPLY_MAX,
    };

    base64_encode(number, strlen(number), task64);
    base64_encode(output->name.text, strlen(output->name.text), name64);
    metadata = text_format("task %s,name %s", task64, name64);
    headers[2] = (struct http_header){.name = "Upload-Metadata", .value = metadata};
    project->upload.done = on_made;
    return lane_start(daemon, &project->upload, &request, err);
}

static enum status ask_offset(struct daemon *daemon, struct attached *project,
                              struct client_task *task, struct error *err)
{
    struct http_request request = {
        .method = HTTP_HEAD,
        .url = task->record.upload_url,
        .token = project->host.token.text,
        .ca_pem = project->record.ca_pem,
        .headers = &version,
        .header_count = 1,
    };

    project->upload.done = on_offset;
    return lane_start(daemon, &project->upload, &request, err);
}

static enum status send_rest(struct daemon *daemon, struct attached *project,
                             struct client_task *task, struct error *err)
{
    struct disk *disk = daemon->env->disk;
    const struct named_output *output = wanted_output(task);
    CLEANUP(freep) char *offset = text_format("%lld", (long long)task->upload_offset);
    struct http_header headers[2] = {version, {.name = "Upload-Offset", .value = offset}};
    struct http_request request = {
        .method = HTTP_PATCH,
        .url = task->record.upload_url,
        .token = project->host.token.text,
        .ca_pem = project->record.ca_pem,
        .content_type = "application/offset+octet-stream",
        .headers = headers,
        .header_count = 2,
        .max_bytes = REPLY_MAX,
    };
    struct disk_path path;
    enum status status;

    TRY(project_files_join(&project->files, &path, err, "spool/%lld/%s",
                           (long long)task->record.task, output->name.text));
    TRY(disk->open_read(disk, path.text, &project->sent_file, err));
    request.body = (struct http_body){.file = project->sent_file,
                                      .offset = task->upload_offset,
                                      .length = output->size - task->upload_offset};
    project->upload.done = on_sent;
    status = lane_start(daemon, &project->upload, &request, err);
    if (status != STATUS_OK) {
        disk_file_close(project->sent_file);
        project->sent_file = NULL;
    }
    return status;
}

/* Its token goes to the site as it is attached now, which may have moved. */
static enum status go_on(struct daemon *daemon, struct attached *project, struct client_task *task,
                         struct error *err)
{
    if (!http_url_is_same_origin(task->record.upload_url, project->record.url))
        return make(daemon, project, task, err);
    if (task->upload_offset == HTTP_ABSENT)
        return ask_offset(daemon, project, task, err);
    return send_rest(daemon, project, task, err);
}

void upload_step(struct daemon *daemon, struct attached *project)
{
    struct client_task *task;
    struct error err = {0};
    enum status status;

    lane_poll(daemon, project, &project->upload);
    if (project->upload.exchange != NULL || project->host.host == 0 ||
        project->record.stopped[0] != '\0' || project->is_place_new ||
        daemon_now(daemon) < project->upload_at)
        return;
    task = next_to_send(project);
    if (task == NULL)
        return;
    project->upload_task = task->record.task;
    status = go_on(daemon, project, task, &err);
    if (status == STATUS_OK)
        return;
    project->upload_task = 0;
    if (is_final(status)) {
        log_failure(LOG_WARN, "output.lost", &err);
        wanted_done(daemon, project, task);
    }
    upload_failed(daemon, project, &err);
}
