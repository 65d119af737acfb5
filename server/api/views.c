#include "server/api/views.h"

#include <string.h>

#include "common/base/text.h"
#include "db/store.h"
#include "server/api/call.h"
#include "server/engine/engine.h"

/* The same pace as so far, from when the batch was made: rough, and said to be an estimate. */
static int64_t estimate_end(const struct batch_view *view, int64_t now_s)
{
    int64_t ended = view->accepted + view->failed + view->cancelled;
    int64_t left = view->row.units - ended;
    int64_t spent_s = now_s - view->row.created_s;

    if (ended <= 0 || left <= 0 || spent_s <= 0 || view->row.state > BATCH_CLOSED)
        return 0;
    return now_s + (int64_t)((double)spent_s / (double)ended * (double)left);
}

static void view_counts(const struct batch_view *view, struct batch_status *status)
{
    status->units = view->row.units;
    status->waiting = view->waiting;
    status->running = view->running;
    status->judging = view->judging;
    status->agreed = view->agreed;
    status->accepted = view->accepted;
    status->failed = view->failed;
    status->cancelled = view->cancelled;
    status->tasks = view->tasks;
    status->outcomes = (struct task_outcomes){
        .agreed = view->by_state[TASK_AGREED],
        .outvoted = view->by_state[TASK_OUTVOTED],
        .inconclusive = view->by_state[TASK_INCONCLUSIVE],
        .error = view->by_state[TASK_ERROR],
        .overdue = view->by_state[TASK_OVERDUE],
        .dropped = view->by_state[TASK_DROPPED],
        .abandoned = view->by_state[TASK_ABANDONED],
    };
}

static struct retry_status view_retry(const struct batch *row)
{
    const struct retry_counts *counts = &row->retry;
    int64_t looked_at = counts->reopened + counts->expired + counts->revoked + counts->spent;
    bool is_running = (row->begun & BEGUN_RETRY) != 0;

    return (struct retry_status){.is_there = is_running || looked_at > 0,
                                 .is_running = is_running,
                                 .reopened = counts->reopened,
                                 .expired = counts->expired,
                                 .revoked = counts->revoked,
                                 .spent = counts->spent};
}

void show_batch_status(const struct batch_view *view, int64_t now_s,
                       struct batch_status *ret_status)
{
    *ret_status = (struct batch_status){
        .batch = view->row.public_id,
        .app_version = view->app_version,
        .phase = (enum batch_phase)view->row.state,
        .priority = view->row.priority,
        .needed_by_s = view->row.needed_by_s,
        .created_s = view->row.created_s,
        .retry = view_retry(&view->row),
        .finish_estimate_s = estimate_end(view, now_s),
    };
    (void)text_fit(ret_status->name, sizeof ret_status->name, view->row.name);
    (void)text_fit(ret_status->app.text, sizeof ret_status->app.text, view->app);
    if (view->row.why != NULL)
        (void)text_fit(ret_status->why, sizeof ret_status->why, view->row.why);
    view_counts(view, ret_status);
}

const char *show_unit_why(enum unit_state state, enum unit_failure failure)
{
    static const char *const words[] = {
        [FAILURE_NONE] = "",
        [FAILURE_ERRORS] = "more tasks ended in an error than max_failures allows",
        [FAILURE_DISSENT] = "its tasks did not agree, and max_tasks allows no more of them",
        [FAILURE_SPLIT] = "two different results each have enough tasks: look at them",
        [FAILURE_EXPIRED] = "its signed validity ended first",
        [FAILURE_CANCELLED] = "cancelled by an operator",
        [FAILURE_REVOKED] = "it, its batch or its app version was revoked",
    };

    return state == UNIT_FAILED ? words[failure] : "";
}

char *show_text(struct span bytes, size_t max)
{
    size_t skip = bytes.length > max ? bytes.length - max : 0;
    char *text;

    if (bytes.length == 0)
        return NULL;
    text = must_alloc(1, bytes.length - skip + 1);
    memcpy(text, (const char *)bytes.bytes + skip, bytes.length - skip);
    for (size_t i = 0; i < bytes.length - skip; i++)
        if (text[i] == '\0')
            text[i] = '?';
    text_sanitise(text, bytes.length - skip);
    return text;
}

enum status show_find_batch(const struct call *call, struct store *store, int64_t *ret_batch,
                            struct error *err)
{
    struct batch_id id;

    TRY(call_batch(call, &id, err));
    return store->query->batch_by_id(store, &id, ret_batch, err);
}

struct seen {
    struct batch_status status;
    int64_t now_s;
};

static bool take(void *context, const struct batch_view *view)
{
    struct seen *seen = context;

    show_batch_status(view, seen->now_s, &seen->status);
    return true;
}

void show_send_batch(struct call *call, struct store *store, int64_t batch, int http)
{
    struct seen seen = {.now_s = engine_clock(call->api->engine).now_s};
    struct error err;

    if (store->query->batch(store, batch, take, &seen, &err) == STATUS_OK)
        call_json(call, http, batch_status_encode(&seen.status));
    else
        call_fail(call, &err);
}
