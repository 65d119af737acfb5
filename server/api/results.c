/*
 * GET /v1/batches/{id}/results: how units ended, a line each, in journal order. Read page by page
 * while the peer takes them: neither side holds more than a page.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "db/query.h"
#include "db/store.h"
#include "protocol/result_line.h"
#include "server/api/call.h"
#include "server/api/handlers.h"
#include "server/api/views.h"

#define PAGE_ROWS       32
#define PAGE_FULL_BYTES (1024 * 1024) /* then the page is ended after the line */
#define PAGE_MAX_BYTES  (PAGE_FULL_BYTES + RESULT_LINE_MAX)

struct reading {
    struct call *call;
    int64_t batch;
    int64_t cursor;     /* the last line that was read */
    int64_t left;       /* lines that may still be sent */
    struct buffer page; /* lines being sent */
    size_t rows;        /* of the page */
    enum status status; /* of the last page */
    bool is_at_end;
};

static void free_reading(void *state)
{
    struct reading *reading = state;

    buffer_clear(&reading->page);
    free(reading);
}

static enum result_state state_of(const struct result_view *view)
{
    if (view->kind == JOURNAL_UNIT_ACCEPTED)
        return RESULT_ACCEPTED;
    if (view->kind == JOURNAL_UNIT_REOPENED)
        return RESULT_REOPENED;
    return view->failure == FAILURE_CANCELLED ? RESULT_CANCELLED : RESULT_FAILED;
}

static void take_outputs(const struct result_view *view, struct result_line *line)
{
    line->outputs = must_alloc(view->output_count, sizeof *line->outputs);
    for (; line->output_count < view->output_count; line->output_count++) {
        const struct result_output_view *from = &view->outputs[line->output_count];
        struct result_output *to = &line->outputs[line->output_count];

        (void)text_fit(to->output.name.text, sizeof to->output.name.text, from->output->name);
        to->output.digest = from->output->digest;
        to->output.size = from->output->size_bytes;
        to->is_inline = from->body.bytes != NULL;
        if (to->is_inline) {
            to->body.bytes = text_copy_n(from->body.bytes, from->body.length);
            to->body.length = from->body.length;
        }
    }
}

static void take_tasks(const struct result_view *view, struct result_line *line)
{
    line->tasks = must_alloc(view->task_count, sizeof *line->tasks);
    for (; line->task_count < view->task_count; line->task_count++) {
        const struct result_task_view *from = &view->tasks[line->task_count];

        line->tasks[line->task_count] = (struct result_task){
            .task = from->task,
            .host = from->key,
            .volunteer = from->volunteer,
            .statement = text_copy_n(from->statement.bytes, from->statement.length),
        };
    }
}

static void take_line(const struct result_view *view, struct result_line *line)
{
    *line = (struct result_line){
        .unit = view->unit,
        .index = view->index,
        .state = state_of(view),
        .revision = view->revision,
        .time_s = view->time_s,
        .manifest = text_copy_n(view->manifest.bytes, view->manifest.length),
    };
    (void)snprintf(line->cursor.text, sizeof line->cursor.text, "%lld", (long long)view->cursor);
    (void)text_fit(line->name.text, sizeof line->name.text, view->name);
    if (line->state == RESULT_FAILED || line->state == RESULT_CANCELLED)
        (void)text_fit(line->why, sizeof line->why, show_unit_why(UNIT_FAILED, view->failure));
    if (line->state == RESULT_ACCEPTED && view->revision > 0) {
        take_outputs(view, line);
        take_tasks(view, line);
    }
}

/*
 * An acceptance that was reopened since holds nothing any more: its line is passed over, the
 * reopening and what follows have lines of their own.
 */
static bool add(void *context, const struct result_view *view)
{
    struct reading *reading = context;
    struct result_line line;
    CLEANUP(freep) char *text = NULL;

    reading->rows++;
    reading->cursor = view->cursor;
    if (view->kind == JOURNAL_UNIT_ACCEPTED && view->revision == 0)
        return true;
    take_line(view, &line);
    text = result_line_encode(&line);
    result_line_clear(&line);
    reading->status = buffer_append_text(&reading->page, text, NULL);
    reading->left--;
    return reading->status == STATUS_OK && reading->left > 0 &&
           reading->page.length < PAGE_FULL_BYTES;
}

static enum status read_page(struct reading *reading, struct store *store, struct error *err)
{
    buffer_reset(&reading->page);
    while (!reading->is_at_end && reading->page.length == 0) {
        reading->rows = 0;
        reading->status = STATUS_OK;
        TRY(store->query->results(store, reading->batch, reading->cursor, PAGE_ROWS, add, reading,
                                  err));
        if (reading->status != STATUS_OK)
            return error_set(err, STATUS_TOO_LARGE, "a result is larger than %d bytes",
                             RESULT_LINE_MAX);
        reading->is_at_end = reading->rows == 0 || reading->left <= 0;
    }
    return STATUS_OK;
}

static void read_more(struct call *call, struct store *store)
{
    struct reading *reading = call->state;
    struct error err;

    reading->status = read_page(reading, store, &err);
    if (reading->status != STATUS_OK)
        log_failure(LOG_ERROR, "results.failed", &err);
    http_exchange_resume(call->exchange);
}

/* A worker that takes no more jobs cuts the answer: the peer goes on from its last cursor. */
static enum http_flow wait_for_more(struct reading *reading)
{
    struct call *call = reading->call;

    return call_read_meanwhile(call, read_more, NULL) == STATUS_OK ? HTTP_FLOW_LATER
                                                                   : HTTP_FLOW_FAIL;
}

static enum http_flow fill(void *context, struct http_exchange *exchange, char *ret_bytes,
                           size_t room, size_t *ret_count)
{
    struct reading *reading = context;
    size_t count = reading->page.length < room ? reading->page.length : room;

    (void)exchange;
    *ret_count = 0;
    if (reading->status != STATUS_OK)
        return HTTP_FLOW_FAIL;
    if (count == 0)
        return reading->is_at_end ? HTTP_FLOW_END : wait_for_more(reading);
    memcpy(ret_bytes, reading->page.bytes, count);
    buffer_consume(&reading->page, count);
    *ret_count = count;
    return HTTP_FLOW_MORE;
}

static void begin(struct call *call, struct store *store)
{
    CLEANUP(http_reply_clear) struct http_reply reply = {0};
    struct reading *reading = call->state;
    struct error err;

    if (show_find_batch(call, store, &reading->batch, &err) != STATUS_OK ||
        read_page(reading, store, &err) != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    http_reply_init(&reply, 200);
    http_reply_field(&reply, "Cache-Control", "no-store");
    http_reply_producer(&reply, "application/x-ndjson",
                        (struct http_producer){.fill = fill, .context = reading});
    call_reply(call, &reply);
}

void results_get(struct call *call)
{
    static const char *const names[] = {"after", "limit", NULL};
    struct reading *reading = call_state(call, sizeof *reading, free_reading);
    struct error err;

    reading->call = call;
    buffer_init(&reading->page, PAGE_MAX_BYTES);
    if (http_head_only_parameters(call->head, names, &err) != STATUS_OK ||
        http_head_parameter_integer(call->head, "after", 0, ID_MAX, 0, &reading->cursor, &err) !=
            STATUS_OK ||
        http_head_parameter_integer(call->head, "limit", 1, ID_MAX, ID_MAX, &reading->left, &err) !=
            STATUS_OK)
        call_fail(call, &err);
    else
        call_read(call, begin);
}
