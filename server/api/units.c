/*
 * POST /v1/batches/{id}/units: a stream of signed units, a line each. Each is verified as it comes
 * and stored in slices, so that memory is bounded and a cut loses a slice at most; while one is
 * being stored the peer waits. A line that is refused ends the stream and is named; those before it
 * are stored.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "db/query.h"
#include "db/store.h"
#include "protocol/published.h"
#include "server/api/call.h"
#include "server/api/handlers.h"
#include "server/api/views.h"
#include "server/engine/engine.h"

#define LINE_MAX_BYTES  ENVELOPE_MAX(ENVELOPE_PAYLOAD_MAX)
#define SLICE_MAX_BYTES (2 * 1024 * 1024) /* of envelopes; then it is stored, however few */
#define WAITING_MAX     (4 * 1024 * 1024) /* bytes that came and are not yet looked at */
#define BODY_MAX_BYTES  (INT64_C(64) << 30)

struct slice {
    struct work_unit units[COMMAND_UNITS_MAX];
    struct command_unit entries[COMMAND_UNITS_MAX];
    char *envelopes[COMMAND_UNITS_MAX];
    size_t count;
    size_t bytes;
    int64_t first_line;
};

struct stream {
    struct batch_id batch;
    struct digest app_version; /* none: not looked up yet */
    struct buffer waiting;
    int64_t line;  /* number of the last one looked at */
    bool is_whole; /* all of the body is here */
    struct slice slice;
    struct units_received received;
    struct error err; /* what ended the stream early; its status is OK otherwise */
};

static void clear_slice(struct slice *slice)
{
    for (size_t i = 0; i < slice->count; i++) {
        work_unit_clear(&slice->units[i]);
        free(slice->envelopes[i]);
    }
    slice->count = 0;
    slice->bytes = 0;
}

static void free_stream(void *state)
{
    struct stream *stream = state;

    clear_slice(&stream->slice);
    buffer_clear(&stream->waiting);
    free(stream);
}

static void fail_at(struct stream *stream, int64_t first, int64_t last, const struct error *cause)
{
    struct error *err = &stream->err;

    if (first < last)
        error_set(err, cause->status, "lines %lld..%lld: %.190s", (long long)first, (long long)last,
                  cause->text);
    else
        error_set(err, cause->status, "line %lld: %.190s", (long long)first, cause->text);
    err->code = cause->code;
    err->retry_after_s = cause->retry_after_s;
    (void)text_fit(err->detail, sizeof err->detail, cause->detail);
}

static enum status add_unit(const struct call *call, struct stream *stream, const char *line,
                            size_t length, struct error *err)
{
    CLEANUP(envelope_clear) struct envelope envelope = {0};
    struct slice *slice = &stream->slice;
    size_t at = slice->count;
    struct signer_set signers;

    TRY(envelope_decode(line, length, ENVELOPE_PAYLOAD_MAX, &envelope, err));
    TRY(published_check_unit(call->api->published, &stream->app_version, &envelope,
                             engine_clock(call->api->engine).now_s, &slice->units[at], &signers,
                             err));
    slice->envelopes[at] = text_copy_n(line, length);
    slice->entries[at] = (struct command_unit){.unit = &slice->units[at],
                                               .digest = envelope.digest,
                                               .signers = signers,
                                               .envelope = slice->envelopes[at],
                                               .envelope_length = length};
    if (at == 0)
        slice->first_line = stream->line;
    slice->count++;
    slice->bytes += length;
    return STATUS_OK;
}

/* The next whole line. False: there is none yet. */
static bool next_line(struct stream *stream, const char **ret_line, size_t *ret_length)
{
    const char *bytes = buffer_text(&stream->waiting);
    const char *end = memchr(bytes, '\n', stream->waiting.length);

    if (end == NULL && (!stream->is_whole || stream->waiting.length == 0))
        return false;
    *ret_line = bytes;
    *ret_length = end != NULL ? (size_t)(end - bytes) : stream->waiting.length;
    return true;
}

static bool is_full(const struct slice *slice)
{
    return slice->count == COMMAND_UNITS_MAX || slice->bytes >= SLICE_MAX_BYTES;
}

static enum status take_line(const struct call *call, struct stream *stream, const char *line,
                             size_t length, struct error *err)
{
    if (length > 0 && line[length - 1] == '\r')
        length--;
    if (length == 0)
        return STATUS_OK;
    stream->received.received++;
    return add_unit(call, stream, line, length, err);
}

/* Look at lines until a slice is full, a line is refused or no whole one is left. */
static void take_lines(const struct call *call, struct stream *stream)
{
    const char *line;
    size_t length;
    size_t used = 0;
    struct error err;

    while (stream->err.status == STATUS_OK && !is_full(&stream->slice) &&
           next_line(stream, &line, &length)) {
        stream->line++;
        if (take_line(call, stream, line, length, &err) != STATUS_OK)
            fail_at(stream, stream->line, stream->line, &err);
        used = length < stream->waiting.length ? length + 1 : length;
        buffer_consume(&stream->waiting, used);
    }
    if (stream->err.status == STATUS_OK && !is_full(&stream->slice) &&
        stream->waiting.length > LINE_MAX_BYTES) {
        error_set(&err, STATUS_TOO_LARGE, "a line has up to %d bytes", LINE_MAX_BYTES);
        fail_at(stream, stream->line + 1, stream->line + 1, &err);
    }
}

static bool wants_to_store(const struct stream *stream)
{
    return stream->slice.count > 0 &&
           (is_full(&stream->slice) || stream->is_whole || stream->err.status != STATUS_OK);
}

/* After a slice was stored, or not. A failure of it comes before that of a later line. */
static void settle(struct call *call)
{
    struct stream *stream = call->state;
    const struct units_command *units = &call->command.units;
    int64_t first = stream->slice.first_line;

    if (call->command.status == STATUS_OK) {
        stream->received.added += units->added;
        stream->received.known += units->known;
    } else {
        fail_at(stream, first, first + (int64_t)stream->slice.count - 1, &call->command.err);
    }
    clear_slice(&stream->slice);
}

static void fill_command(struct call *call)
{
    struct stream *stream = call->state;
    struct units_command *units = &call->command.units;

    *units = (struct units_command){
        .batch = stream->batch, .units = stream->slice.entries, .count = stream->slice.count};
}

static void answer(struct call *call)
{
    struct stream *stream = call->state;

    if (stream->err.status == STATUS_OK && stream->received.received == 0)
        error_set(&stream->err, STATUS_INVALID, "there is no unit in this body");
    if (stream->err.status == STATUS_OK)
        call_json(call, 200, units_received_encode(&stream->received));
    else
        call_fail(call, &stream->err);
}

/* Once all of the body is here: slice after slice, until nothing is left. */
static void finish(struct call *call, struct store *store);

static void stored_at_end(struct call *call)
{
    settle(call);
    call_disk(call, finish);
}

static void finish(struct call *call, struct store *store)
{
    struct stream *stream = call->state;

    (void)store;
    take_lines(call, stream);
    if (!wants_to_store(stream)) {
        answer(call);
        return;
    }
    fill_command(call);
    call_command_any(call, COMMAND_UNITS, stored_at_end);
}

static void stored(struct call *call)
{
    settle(call);
    http_exchange_resume(call->exchange);
}

static bool take_app_version(void *context, const struct batch_view *view)
{
    struct digest *app_version = context;

    *app_version = view->app_version;
    return true;
}

static void look_up(struct call *call, struct stream *stream, struct store *store)
{
    struct error err;
    int64_t batch;

    if (show_find_batch(call, store, &batch, &err) != STATUS_OK ||
        store->query->batch(store, batch, take_app_version, &stream->app_version, &err) !=
            STATUS_OK)
        stream->err = err;
}

static void looked_up(struct call *call, struct store *store)
{
    look_up(call, call->state, store);
    http_exchange_resume(call->exchange);
}

static void looked_up_at_end(struct call *call, struct store *store)
{
    look_up(call, call->state, store);
    call_disk(call, finish);
}

static enum http_flow take(void *user, struct http_exchange *exchange, const char *bytes,
                           size_t length, struct error *err)
{
    struct call *call = user;
    struct stream *stream = call->state;

    (void)exchange;
    if (stream->err.status == STATUS_OK)
        (void)buffer_append(&stream->waiting, bytes, length, &stream->err);
    if (digest_is_none(&stream->app_version) && stream->err.status == STATUS_OK) {
        return call_read_meanwhile(call, looked_up, err) == STATUS_OK ? HTTP_FLOW_LATER
                                                                      : HTTP_FLOW_FAIL;
    }
    take_lines(call, stream);
    if (wants_to_store(stream)) {
        fill_command(call);
        call_command_any(call, COMMAND_UNITS, stored);
        return HTTP_FLOW_LATER;
    }
    if (stream->err.status == STATUS_OK)
        return HTTP_FLOW_MORE;
    *err = stream->err;
    return HTTP_FLOW_FAIL;
}

static void complete(void *user, struct http_exchange *exchange)
{
    struct call *call = user;
    struct stream *stream = call->state;

    (void)exchange;
    stream->is_whole = true;
    if (digest_is_none(&stream->app_version) && stream->err.status == STATUS_OK)
        call_read(call, looked_up_at_end);
    else
        call_disk(call, finish);
}

void units_post(struct call *call)
{
    static const struct http_sink sink = {.take = take, .complete = complete};
    struct stream *stream = call_state(call, sizeof *stream, free_stream);
    struct error err;

    buffer_init(&stream->waiting, WAITING_MAX);
    if (call_batch(call, &stream->batch, &err) != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    http_exchange_stream(call->exchange, BODY_MAX_BYTES, &sink);
}
