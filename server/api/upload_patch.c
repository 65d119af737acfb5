/* PATCH /v1/uploads/{id}: the bytes of an output. */
#include <inttypes.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "protocol/words.h"
#include "server/api/call.h"
#include "server/api/handlers.h"
#include "server/api/tus.h"
#include "server/files/uploads.h"

struct patch_state {
    struct upload_writer *writer;
    struct upload facts;
};

/* The peer went in the middle, or was too slow: what came is kept for when it comes back. */
static void free_state(void *user)
{
    struct patch_state *state = user;

    if (state->writer != NULL)
        (void)upload_writer_pause(state->writer, NULL);
    free(state);
}

static void send_offset(struct call *call, int64_t offset)
{
    CLEANUP(http_reply_clear) struct http_reply reply = {0};

    tus_reply(&reply, 204);
    http_reply_field(&reply, "Upload-Offset", "%" PRId64, offset);
    call_reply(call, &reply);
}

static void told(struct call *call)
{
    const struct patch_state *state = call->state;
    bool is_known = call->command.status == STATUS_OK;

    uploads_done(call->api->uploads, state->facts.id, is_known);
    if (is_known)
        send_offset(call, state->facts.length);
    else
        tus_fail(call, &call->command.err);
}

static void tell_engine(struct call *call)
{
    struct uploaded_command *uploaded = &call->command.uploaded;
    struct patch_state *state = call->state;

    uploaded->host = state->facts.host;
    uploaded->task = state->facts.task;
    uploaded->name = state->facts.name;
    uploaded->digest = state->facts.digest;
    uploaded->size_bytes = state->facts.length;
    call_command_any(call, COMMAND_UPLOADED, told);
}

static void finish(struct call *call, struct store *store)
{
    struct patch_state *state = call->state;
    struct error err;

    (void)store;
    if (upload_writer_finish(TAKE(state->writer), &err) == STATUS_OK)
        tell_engine(call);
    else
        tus_fail(call, &err);
}

static void rest(struct call *call, struct store *store)
{
    struct patch_state *state = call->state;
    struct error err;

    (void)store;
    if (upload_writer_pause(TAKE(state->writer), &err) == STATUS_OK)
        send_offset(call, state->facts.offset);
    else
        tus_fail(call, &err);
}

static enum http_flow take(void *user, struct http_exchange *exchange, const char *bytes,
                           size_t length, struct error *err)
{
    struct call *call = user;
    struct patch_state *state = call->state;

    (void)exchange;
    return upload_writer_add(state->writer, bytes, length, err) == STATUS_OK ? HTTP_FLOW_MORE
                                                                             : HTTP_FLOW_FAIL;
}

static void complete(void *user, struct http_exchange *exchange)
{
    struct call *call = user;
    struct patch_state *state = call->state;

    (void)exchange;
    state->facts = *upload_writer_facts(state->writer);
    call_disk(call, state->facts.offset == state->facts.length ? finish : rest);
}

/* A repeated last request, whose answer was lost, finds its upload done. */
static enum status begin(struct call *call, struct patch_state *state, bool *ret_is_done,
                         struct error *err)
{
    const char *text = http_head_field(call->head, "upload-offset");
    const char *id = call->segments.at[0].text;
    struct uploads *uploads = call->api->uploads;
    int64_t offset;

    if (text == NULL || !text_to_integer(text, 0, ID_MAX, &offset))
        return error_set(err, STATUS_INVALID, "Upload-Offset is where these bytes begin");
    TRY(uploads_look(uploads, id, call->who.subject, &state->facts, err));
    *ret_is_done = state->facts.is_done && offset <= state->facts.length;
    if (*ret_is_done)
        return STATUS_OK;
    if (call->head->content_length > state->facts.length - offset)
        return error_set(err, STATUS_TOO_LARGE, "this output has %" PRId64 " bytes",
                         state->facts.length);
    TRY(call_check_room(call, err));
    return uploads_write(uploads, id, call->who.subject, offset, &state->writer, err);
}

void upload_patch(struct call *call)
{
    static const struct http_sink sink = {.take = take, .complete = complete};
    struct patch_state *state;
    bool is_done = false;
    struct error err;

    if (!tus_speaks(call))
        return;
    state = call_state(call, sizeof *state, free_state);
    if (begin(call, state, &is_done, &err) != STATUS_OK)
        tus_fail(call, &err);
    else if (is_done)
        send_offset(call, state->facts.length);
    else
        http_exchange_stream(call->exchange, call->api->limits.upload_max, &sink);
}
