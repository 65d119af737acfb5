/* Batches: made, changed, looked at. */
#include "protocol/batch.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "db/query.h"
#include "db/store.h"
#include "protocol/listing.h"
#include "server/api/call.h"
#include "server/api/handlers.h"
#include "server/api/views.h"
#include "server/engine/engine.h"

static void send_made(struct call *call, struct store *store)
{
    const struct batch_command *batch = &call->command.batch;

    show_send_batch(call, store, batch->row, batch->is_new ? 201 : 200);
}

static void made(struct call *call)
{
    call_read(call, send_made);
}

void batch_post(struct call *call)
{
    struct batch_request *request = call_state(call, sizeof *request, free);
    struct batch_command *batch = &call->command.batch;
    struct error err;

    if (batch_request_decode(buffer_text(&call->body), call->body.length, request, &err) !=
        STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    batch->batch = request->batch;
    batch->name = request->name;
    batch->app_version = request->app_version;
    batch->priority = request->priority;
    batch->needed_by_s = request->needed_by_s;
    call_command(call, COMMAND_BATCH, made);
}

static void send_changed(struct call *call, struct store *store)
{
    show_send_batch(call, store, call->command.action.row, 200);
}

static void changed(struct call *call)
{
    call_read(call, send_changed);
}

void batch_action_post(struct call *call)
{
    struct action_command *action = &call->command.action;
    struct batch_action_request request;
    struct error err;

    if (call_batch(call, &action->batch, &err) != STATUS_OK ||
        batch_action_decode(buffer_text(&call->body), call->body.length, &request, &err) !=
            STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    action->action = request.action;
    action->priority = request.priority;
    action->unit = request.unit;
    call_command(call, COMMAND_BATCH_ACTION, changed);
}

static void read_batch(struct call *call, struct store *store)
{
    struct error err;
    int64_t batch;

    if (show_find_batch(call, store, &batch, &err) == STATUS_OK)
        show_send_batch(call, store, batch, 200);
    else
        call_fail(call, &err);
}

void batch_get(struct call *call)
{
    call_read(call, read_batch);
}

static void read_by_name(struct call *call, struct store *store)
{
    struct error err;
    int64_t batch;

    if (store->query->batch_by_name(store, call->segments.at[0].text, &batch, &err) == STATUS_OK)
        show_send_batch(call, store, batch, 200);
    else
        call_fail(call, &err);
}

void batch_get_by_name(struct call *call)
{
    call_read(call, read_by_name);
}

struct listing {
    struct call_page wanted;
    struct http_value name;
    bool has_name;
    struct batch_page page;
    int64_t last; /* row of the last one */
    int64_t now_s;
};

static void free_listing(void *state)
{
    struct listing *listing = state;

    batch_page_clear(&listing->page);
    free(listing);
}

static bool add(void *context, const struct batch_view *view)
{
    struct listing *listing = context;

    show_batch_status(view, listing->now_s, &listing->page.batches[listing->page.count++]);
    listing->last = view->row.id;
    return true;
}

static void read_batches(struct call *call, struct store *store)
{
    struct listing *listing = call->state;
    struct batch_filter filter = {.name = listing->has_name ? listing->name.text : NULL,
                                  .after = listing->wanted.after};
    size_t limit = (size_t)listing->wanted.limit;
    struct error err;

    listing->page.batches = must_alloc(limit, sizeof *listing->page.batches);
    if (store->query->batches(store, &filter, limit, add, listing, &err) != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    if (listing->page.count == limit)
        call_cursor(listing->last, &listing->page.next);
    call_json(call, 200, batch_page_encode(&listing->page));
}

void batches_get(struct call *call)
{
    static const char *const names[] = {"name", NULL};
    struct listing *listing = call_state(call, sizeof *listing, free_listing);
    struct error err = {0};
    enum status status = call_page(call, names, &listing->wanted, &err);

    if (status == STATUS_OK) {
        status = http_head_parameter(call->head, "name", &listing->name, &err);
        listing->has_name = status == STATUS_OK;
    }
    listing->now_s = engine_clock(call->api->engine).now_s;
    if (status == STATUS_OK || status == STATUS_NOT_FOUND)
        call_read(call, read_batches);
    else
        call_fail(call, &err);
}
