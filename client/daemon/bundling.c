/*
 * Small files in bundles. A bundle is a quicker way to what download_step() would fetch as well, so
 * it has no failures of its own: when one brings less than it was asked for, none is asked for
 * during a rising delay, and files come one by one meanwhile, where what is wrong with each is
 * found out, told and acted upon.
 */
#include <string.h>

#include "client/daemon/held.h"
#include "client/daemon/lane.h"
#include "client/daemon/lineup.h"
#include "client/daemon/room.h"
#include "client/daemon/talking.h"
#include "client/daemon/transfer.h"
#include "common/base/log.h"

#define FILES_LEAST 4 /* fewer are asked for by GET, whose answers may be cached on their way */

static bool is_small(const struct attached *project, const struct needed_file *file)
{
    return file->size <= FILES_BUNDLE_FILE_MAX && !held_has(project, &file->digest);
}

bool bundle_takes(const struct attached *project, const struct needed_file *file)
{
    return project->bundling.exchange != NULL &&
           (bundle_holds(&project->bundle, &file->digest) || is_small(project, file));
}

/* --- which --- */

/* Of those that fetch, the one that would start first after `last` (NULL: of all); NULL: none. */
static struct client_task *next_task(struct daemon *daemon, const struct lineup_order *order,
                                     const struct client_task *last)
{
    const struct attached *project = order->project;
    struct client_task *best = NULL;

    for (size_t i = 0; i < project->task_count; i++) {
        struct client_task *task = project->tasks[i];

        if (task->record.phase == PHASE_FETCHING && daemon_now(daemon) >= task->not_before &&
            (last == NULL || lineup_is_before(order, last, task)) &&
            (best == NULL || lineup_is_before(order, task, best)))
            best = task;
    }
    return best;
}

static bool is_wanted(const struct daemon *daemon, const struct attached *project,
                      const struct needed_file *file)
{
    return is_small(project, file) && !cache_has(&daemon->cache, &file->digest) &&
           !bundle_holds(&project->bundle, &file->digest) && !download_has(project, &file->digest);
}

/* False: the bundle or the cache holds no more. */
static bool add_files(struct daemon *daemon, struct attached *project,
                      const struct client_task *task)
{
    size_t count = slot_file_count(&task->prepared);

    for (size_t i = 0; i < count; i++) {
        struct needed_file file = slot_file(&task->prepared, i);

        if (is_wanted(daemon, project, &file) &&
            bundle_add(&project->bundle, &file.digest, file.size, NULL) != STATUS_OK)
            return false;
    }
    return true;
}

static void gather(struct daemon *daemon, struct attached *project)
{
    struct client_task *task = NULL;
    struct lineup_order order;

    bundle_open(&project->bundle, &daemon->cache, &project->record.project);
    if (!attached_is_fetching(project))
        return;
    lineup_order(daemon, project, &order);
    while ((task = next_task(daemon, &order, task)) != NULL)
        if (room_lets_fetch(daemon, task) && !add_files(daemon, project, task))
            return;
}

/* --- fetching --- */

static void worked(struct daemon *daemon, struct attached *project)
{
    project->bundle_failures = project->download_failures = 0;
    daemon->is_due = true; /* others may have waited for these files, too */
}

static void failed(struct daemon *daemon, struct attached *project, enum status status,
                   const struct error *err)
{
    const struct delay_rule rule = held_rule(daemon);

    log_failure(LOG_INFO, "bundle.not-fetched", err);
    project->bundle_failures++;
    project->bundle_at = daemon_now(daemon) + delay_ms(&rule, project->bundle_failures,
                                                       err->retry_after_s, daemon_draw(daemon));
    download_hold_all(daemon, project, status, err);
    daemon->is_due = true; /* one by one, then */
}

static void on_bundle(struct daemon *daemon, struct attached *project, enum status status,
                      struct http_response *response, const struct error *how)
{
    struct error err = *how;

    if (status == STATUS_OK)
        status = http_check(response, &err);
    if (status == STATUS_OK && project->bundle.came < project->bundle.count)
        status = error_set(&err, STATUS_NOT_FOUND, "the server sent %zu of %zu files",
                           project->bundle.came, project->bundle.count);
    bundle_close(&project->bundle);
    if (status == STATUS_OK)
        worked(daemon, project);
    else
        failed(daemon, project, status, &err);
}

static enum status ask(struct daemon *daemon, struct attached *project, struct error *err)
{
    struct bundle *bundle = &project->bundle;
    CLEANUP(freep) char *url = site_url(project, "/v1/files/bundle");
    char *body = files_bundle_request_encode(bundle->files, bundle->count);
    struct http_request request = {
        .method = HTTP_POST,
        .url = url,
        .token = project->host.token.text,
        .ca_pem = project->record.ca_pem,
        .body = {.bytes = body, .length = (int64_t)strlen(body)},
        .max_bytes = bundle_answer_bytes(bundle),
        .sink = &bundle->sink,
    };

    project->bundling.body = body;
    project->bundling.done = on_bundle;
    return lane_start(daemon, &project->bundling, &request, err);
}

static void stop(struct daemon *daemon, struct attached *project)
{
    lane_stop(daemon, &project->bundling);
    bundle_close(&project->bundle);
}

static void start(struct daemon *daemon, struct attached *project)
{
    struct error err = {0};
    enum status status;

    gather(daemon, project);
    if (project->bundle.count < FILES_LEAST) {
        bundle_close(&project->bundle);
        return;
    }
    room_take(daemon, project->bundle.bytes);
    status = ask(daemon, project, &err);
    if (status == STATUS_OK)
        return;
    free(TAKE(project->bundling.body));
    bundle_close(&project->bundle);
    failed(daemon, project, status, &err);
}

void bundle_step(struct daemon *daemon, struct attached *project)
{
    int64_t now = daemon_now(daemon);

    lane_poll(daemon, project, &project->bundling);
    if (project->bundling.exchange != NULL && bundle_is_needless(&project->bundle))
        stop(daemon, project); /* another project was quicker */
    if (project->bundling.exchange == NULL && project->host.host != 0 && !project->is_place_new &&
        now >= project->download_at && now >= project->bundle_at)
        start(daemon, project);
}
