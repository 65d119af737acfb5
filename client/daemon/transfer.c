/* Files of apps and inputs: of each project some large ones at once, so that one that comes slowly
 * holds no other up, while small ones come in bundles (bundling.c). */
#include "client/daemon/transfer.h"

#include <string.h>

#include "client/agent/delay.h"
#include "client/daemon/held.h"
#include "client/daemon/lane.h"
#include "client/daemon/lineup.h"
#include "client/daemon/room.h"
#include "client/daemon/talking.h"
#include "client/daemon/tasks.h"
#include "client/daemon/trouble.h"
#include "common/base/log.h"
#include "common/base/text.h"

#define MISMATCHES_MAX 3 /* a file that is not what was signed so often: the task is refused */
#define FAILURES_MAX   12
#define IMMEDIATE_MAX  4096              /* more than a task has files */
#define TAKE_UP_BYTES  (4 * 1024 * 1024) /* of parts, hashed again in one step */

/* One that has a part to be hashed before the rest is asked for; NULL: there is none. */
static struct fetch *taking_up(struct attached *project)
{
    for (size_t i = 0; i < FETCHES_MAX; i++)
        if (project->fetches[i].task != 0 && project->fetches[i].lane.exchange == NULL)
            return &project->fetches[i];
    return NULL;
}

int64_t download_wake(struct attached *project, int64_t now)
{
    return taking_up(project) != NULL ? now : held_wake(project, now);
}

bool download_has(const struct attached *project, const struct digest *file)
{
    for (size_t i = 0; i < FETCHES_MAX; i++)
        if (project->fetches[i].task != 0 && digest_equals(&project->fetches[i].part.digest, file))
            return true;
    return false;
}

static void stop(struct daemon *daemon, struct fetch *fetch)
{
    lane_stop(daemon, &fetch->lane);
    download_close(&fetch->part);
    fetch->task = 0;
}

void download_stop(struct daemon *daemon, struct attached *project, int64_t task)
{
    for (size_t i = 0; i < FETCHES_MAX; i++)
        if (project->fetches[i].task == task)
            stop(daemon, &project->fetches[i]);
}

void download_stop_all(struct daemon *daemon, struct attached *project)
{
    for (size_t i = 0; i < FETCHES_MAX; i++)
        stop(daemon, &project->fetches[i]);
}

/* The first missing file of a task that waits for nothing and is no larger than `room`. */
static bool missing_now(struct daemon *daemon, struct attached *project,
                        const struct client_task *task, int64_t room, struct needed_file *ret_file)
{
    size_t count = slot_file_count(&task->prepared);

    for (size_t i = 0; i < count; i++) {
        struct needed_file file = slot_file(&task->prepared, i);

        if (file.size > room || cache_has(&daemon->cache, &file.digest) ||
            held_waits(project, &file.digest, daemon_now(daemon)) || bundle_takes(project, &file) ||
            download_has(project, &file.digest))
            continue;
        *ret_file = file;
        return true;
    }
    return false;
}

/* --- fetching --- */

/* Of the tasks for which there is something to fetch now, the one that would start first. A file
 * that is larger than `room` is passed over. */
static struct client_task *next_to_fetch(struct daemon *daemon, struct attached *project,
                                         int64_t room, struct needed_file *ret_file)
{
    struct client_task *best = NULL;
    struct lineup_order order;
    struct needed_file file;

    if (!attached_is_fetching(project))
        return NULL;
    lineup_order(daemon, project, &order);
    for (size_t i = 0; i < project->task_count; i++) {
        struct client_task *task = project->tasks[i];

        if (task->record.phase != PHASE_FETCHING || daemon_now(daemon) < task->not_before ||
            (best != NULL && !lineup_is_before(&order, task, best)) ||
            !missing_now(daemon, project, task, room, &file) || !room_lets_fetch(daemon, task))
            continue;
        best = task;
        *ret_file = file;
    }
    return best;
}

static struct needed_file file_of(const struct fetch *fetch, const struct client_task *task)
{
    struct needed_file file = {0};

    for (size_t i = slot_file_count(&task->prepared); i > 0; i--) {
        file = slot_file(&task->prepared, i - 1);
        if (digest_equals(&file.digest, &fetch->part.digest))
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

void download_hold_all(struct daemon *daemon, struct attached *project, enum status status,
                       const struct error *err)
{
    const struct delay_rule rule = held_rule(daemon);
    int64_t now = daemon_now(daemon), until;
    bool is_the_server = status == STATUS_UNREACHABLE || status == STATUS_BUSY ||
                         status == STATUS_UNAUTHORIZED ||
                         (status == STATUS_UNTRUSTED && err->code != NULL);

    talk_doubt(project, err);
    if (!is_the_server)
        return;

    /* Else it was on its way with one that failed already, and none came in between. */
    if (now >= project->download_at || project->download_failures == 0)
        project->download_failures++;
    until =
        now + delay_ms(&rule, project->download_failures, err->retry_after_s, daemon_draw(daemon));
    if (until > project->download_at)
        project->download_at = until;
}

static void fetch_failed(struct daemon *daemon, struct attached *project, struct client_task *task,
                         const struct digest *file, enum status status, const struct error *err)
{
    log_failure(LOG_INFO, "file.not-fetched", err);
    held_add(daemon, project, file, err->retry_after_s);
    download_hold_all(daemon, project, status, err);
    if (status == STATUS_FULL || status == STATUS_STORAGE) {
        task_trouble(daemon, task, err->text);
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

/* Other projects may have waited for it, too. */
static void fetched(struct daemon *daemon, struct attached *project, struct client_task *task,
                    const struct digest *file)
{
    project->download_failures = task->failures = 0;
    held_release(project, file);
    daemon->is_due = true;
}

/* The bytes are there, or not. */
static enum status settle(struct fetch *fetch, enum status status,
                          const struct http_response *response, struct error *err)
{
    if (status == STATUS_OK)
        status = http_check(response, err);
    if (status == STATUS_OK)
        return download_finish(&fetch->part, err);
    if (status == STATUS_TOO_LARGE || response->status == 416)
        download_restart(&fetch->part);
    else
        download_close(&fetch->part);
    return status;
}

static void on_file(struct daemon *daemon, struct attached *project, struct fetch *fetch,
                    enum status status, const struct http_response *response, struct error *err)
{
    struct client_task *task = task_find(project, fetch->task);
    struct needed_file file = file_of(fetch, task);

    fetch->task = 0;
    status = settle(fetch, status, response, err);
    if (status == STATUS_OK) {
        fetched(daemon, project, task, &file.digest);
        return;
    }
    fetch_failed(daemon, project, task, &file.digest, status, err);
    if (is_about_content(status, err) && phase_is_unfinished(task->record.phase))
        mismatch(daemon, project, task, &file, status, err);
}

static void poll_fetch(struct daemon *daemon, struct attached *project, struct fetch *fetch)
{
    CLEANUP(http_response_clear) struct http_response response = {0};
    struct error err = {0};
    enum status status;

    if (lane_ended(daemon, &fetch->lane, &status, &response, &err))
        on_file(daemon, project, fetch, status, &response, &err);
}

static enum status ask_for(struct daemon *daemon, struct attached *project, struct fetch *fetch,
                           const struct needed_file *file, struct error *err)
{
    char path[64 + 2 * DIGEST_BYTES] = "/v1/files/";
    CLEANUP(freep) char *url = NULL;
    struct http_request request = {
        .method = HTTP_GET,
        .ca_pem = project->record.ca_pem,
        .max_bytes = file->size, /* a server that ignores the range sends all of it */
        .range_from = fetch->part.got,
        .sink = &fetch->part.sink,
    };

    text_from_bytes(file->digest.bytes, DIGEST_BYTES, path + strlen(path));
    url = site_url(project, path);
    request.url = url;
    return lane_start(daemon, &fetch->lane, &request, err);
}

static void begin(struct daemon *daemon, struct attached *project, struct fetch *fetch,
                  struct client_task *task, const struct needed_file *file)
{
    const struct download_of of = {
        .project = project->record.project, .file = file->digest, .size = file->size};
    struct error err = {0};
    enum status status = download_open(&fetch->part, &daemon->cache, &of, &err);

    if (status == STATUS_OK) {
        fetch->task = task->record.task;
        room_take(daemon, fetch->part.size - fetch->part.found);
    } else if (status == STATUS_TOO_LARGE)
        task_abandon(daemon, project, task, "one of its files is larger than the cache may be");
    else
        fetch_failed(daemon, project, task, &file->digest, status, &err);
}

/* Some more of what was found; then ask for the rest, if there is one. */
static enum status go_on(struct daemon *daemon, struct attached *project, struct fetch *fetch,
                         const struct needed_file *file, int64_t *bytes, struct error *err)
{
    TRY(download_take_up(&fetch->part, bytes, err));
    if (!download_is_taken_up(&fetch->part))
        return STATUS_OK;
    if (fetch->part.got < fetch->part.size)
        return ask_for(daemon, project, fetch, file, err);
    TRY(download_finish(&fetch->part, err));
    fetched(daemon, project, task_find(project, fetch->task), &file->digest);
    fetch->task = 0;
    return STATUS_OK;
}

static void take_up(struct daemon *daemon, struct attached *project, struct fetch *fetch,
                    int64_t *bytes)
{
    struct client_task *task = task_find(project, fetch->task);
    struct needed_file file = file_of(fetch, task);
    struct error err = {0};
    enum status status = go_on(daemon, project, fetch, &file, bytes, &err);

    if (status == STATUS_OK)
        return;
    download_close(&fetch->part);
    fetch->task = 0;
    fetch_failed(daemon, project, task, &file.digest, status, &err);
}

/* Another project was quicker. */
static void stop_if_needless(struct daemon *daemon, struct fetch *fetch)
{
    if (fetch->task == 0 || !cache_has(&daemon->cache, &fetch->part.digest))
        return;
    lane_stop(daemon, &fetch->lane);
    download_restart(&fetch->part);
    fetch->task = 0;
}

/* What its files waited for is over. */
static void enter_ready(struct daemon *daemon, struct client_task *task)
{
    task_enter(task, PHASE_READY);
    task_waits(daemon, task);
    task_trouble(daemon, task, NULL);
}

static void mark_complete(struct daemon *daemon, struct attached *project)
{
    struct needed_file file;

    for (size_t i = 0; i < project->task_count; i++)
        if (project->tasks[i]->record.phase == PHASE_FETCHING &&
            !slot_next_missing(&daemon->cache, &project->tasks[i]->prepared, &file))
            enter_ready(daemon, project->tasks[i]);
}

/* NULL: all are taken. */
static struct fetch *free_fetch(struct attached *project, bool *ret_is_first)
{
    struct fetch *free_one = NULL;

    *ret_is_first = true;
    for (size_t i = 0; i < FETCHES_MAX; i++) {
        if (project->fetches[i].task != 0)
            *ret_is_first = false;
        else if (free_one == NULL)
            free_one = &project->fetches[i];
    }
    return free_one;
}

/* One more file. False: there is none, or no place for it before something changes. What the cache
 * has no room for beside others, waits for them and holds up nothing that it has room for: that is
 * no failure of it. Where there are no others, it fails. */
static bool fetch_next(struct daemon *daemon, struct attached *project)
{
    bool is_first;
    struct fetch *fetch = free_fetch(project, &is_first);
    struct client_task *task;
    struct needed_file file;

    if (fetch == NULL || project->host.host == 0 || project->is_place_new ||
        daemon_now(daemon) < project->download_at)
        return false;
    task = next_to_fetch(daemon, project, is_first ? INT64_MAX : cache_room(&daemon->cache), &file);
    if (task == NULL)
        return false;
    task_busy(daemon, task);
    begin(daemon, project, fetch, task, &file);
    return true;
}

/* False: there is nothing to be done before something changes. */
static bool move(struct daemon *daemon, struct attached *project, int64_t *bytes)
{
    struct fetch *fetch;

    if (fetch_next(daemon, project))
        return true;
    fetch = taking_up(project);
    if (fetch != NULL)
        take_up(daemon, project, fetch, bytes);
    return fetch != NULL;
}

void download_step(struct daemon *daemon, struct attached *project)
{
    int64_t bytes = TAKE_UP_BYTES;

    for (size_t i = 0; i < FETCHES_MAX; i++)
        poll_fetch(daemon, project, &project->fetches[i]);
    for (size_t i = 0; i < FETCHES_MAX; i++)
        stop_if_needless(daemon, &project->fetches[i]);
    /* Files that a cut left complete, or that have no bytes, need no exchange. */
    for (int i = 0; i < IMMEDIATE_MAX && bytes > 0; i++) {
        mark_complete(daemon, project);
        if (!move(daemon, project, &bytes))
            return;
    }
    mark_complete(daemon, project);
    daemon->is_due = true;
}
