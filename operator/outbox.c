#include "operator/outbox.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/text.h"
#include "operator/remote.h"
#include "protocol/published.h"

void outbox_init(struct outbox *ret_outbox, struct profile *profile, const struct batch_id *batch)
{
    *ret_outbox = (struct outbox){
        .profile = profile, .path = text_format("/v1/batches/%s/units", batch_format(batch).text)};
}

static struct outgoing *oldest(struct outbox *outbox)
{
    return &outbox->outgoing[outbox->first];
}

static void drop_oldest(struct outbox *outbox)
{
    struct outgoing *outgoing = oldest(outbox);

    slice_free(outgoing->slice);
    *outgoing = (struct outgoing){0};
    outbox->first = (outbox->first + 1) % OUTBOX_SLICES;
    outbox->count--;
}

void outbox_clear(struct outbox *outbox)
{
    while (outbox->count > 0) {
        remote_forget(outbox->profile, oldest(outbox)->exchange);
        drop_oldest(outbox);
    }
    free(outbox->path);
    *outbox = (struct outbox){0};
}

static struct remote_request request_of(const struct outbox *outbox, const struct slice *slice)
{
    return (struct remote_request){
        .method = HTTP_POST,
        .path = outbox->path,
        .content_type = "application/x-ndjson",
        .body = {.bytes = slice->lines.bytes, .length = (int64_t)slice->lines.length},
        .max_bytes = PUBLISHED_MAX,
    };
}

static enum status confirm(struct outbox *outbox, const struct http_response *response,
                           struct error *err)
{
    struct units_received received;
    struct error why = {0};

    if (units_received_decode(buffer_text(&response->body), response->body.length, &received,
                              &why) != STATUS_OK)
        return remote_misunderstood(&why, err);
    outbox->added += received.added;
    outbox->sent += (int64_t)oldest(outbox)->slice->count;
    drop_oldest(outbox);
    return STATUS_OK;
}

static enum status settle_oldest(struct outbox *outbox, struct error *err)
{
    struct outgoing *outgoing = oldest(outbox);
    struct remote_request request = request_of(outbox, outgoing->slice);
    CLEANUP(http_response_clear) struct http_response response;

    http_response_init(&response);
    TRY(remote_end(outbox->profile, &request, &outgoing->exchange, &response, err));
    return confirm(outbox, &response, err);
}

enum status outbox_send(struct outbox *outbox, struct slice *slice, struct error *err)
{
    CLEANUP(slice_freep) struct slice *mine = slice;
    struct remote_request request = request_of(outbox, slice);
    struct outgoing *outgoing;

    if (outbox->count == OUTBOX_SLICES)
        TRY(settle_oldest(outbox, err));
    outgoing = &outbox->outgoing[(outbox->first + outbox->count) % OUTBOX_SLICES];
    TRY(remote_begin(outbox->profile, &request, &outgoing->exchange, err));
    outgoing->slice = TAKE(mine);
    outbox->count++;
    outbox_move(outbox);
    return STATUS_OK;
}

void outbox_move(struct outbox *outbox)
{
    if (outbox->count > 0)
        remote_move(outbox->profile);
}

enum status outbox_finish(struct outbox *outbox, struct error *err)
{
    while (outbox->count > 0)
        TRY(settle_oldest(outbox, err));
    return STATUS_OK;
}
