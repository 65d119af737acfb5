/* PUT /v1/files/{hex}: an app file or an input, streamed to the disk and checked. */
#include <stdlib.h>

#include "server/api/call.h"
#include "server/api/handlers.h"
#include "server/files/store.h"

struct put_state {
    struct digest digest;
    struct file_writer *writer;
    int64_t size;
};

static void free_state(void *user)
{
    struct put_state *state = user;

    file_writer_abandon(state->writer);
    free(state);
}

static void registered(struct call *call)
{
    call_empty(call, call->command.file.is_new ? 201 : 200);
}

static void register_file(struct call *call)
{
    const struct put_state *state = call->state;

    call->command.file.digest = state->digest;
    call->command.file.size_bytes = state->size;
    call_command(call, COMMAND_FILE_STORED, registered);
}

static void finish(struct call *call, struct store *store)
{
    struct put_state *state = call->state;
    struct error err;

    (void)store;
    if (call->api->files->finish(TAKE(state->writer), &state->digest, NULL, &err) == STATUS_OK)
        register_file(call);
    else
        call_fail(call, &err);
}

static enum http_flow take(void *user, struct http_exchange *exchange, const char *bytes,
                           size_t length, struct error *err)
{
    struct call *call = user;
    struct put_state *state = call->state;

    (void)exchange;
    if (call->api->files->add(state->writer, bytes, length, err) != STATUS_OK)
        return HTTP_FLOW_FAIL;
    state->size += (int64_t)length;
    return HTTP_FLOW_MORE;
}

static void complete(void *user, struct http_exchange *exchange)
{
    (void)exchange;
    call_disk(user, finish);
}

static enum status begin(struct call *call, struct put_state *state, bool *ret_is_there,
                         struct error *err)
{
    struct file_store *files = call->api->files;
    int64_t max = call->api->limits.file_max;

    TRY(call_digest(call, 0, &state->digest, err));
    *ret_is_there = files->look(files, &state->digest, &state->size, NULL) == STATUS_OK;
    if (*ret_is_there)
        return STATUS_OK;
    state->size = 0;
    TRY(call_check_room(call, err));
    return files->begin(files, max, &state->writer, err);
}

/* What is there already is not sent again: it is only named to the engine. */
void file_put(struct call *call)
{
    static const struct http_sink sink = {.take = take, .complete = complete};
    struct put_state *state = call_state(call, sizeof *state, free_state);
    bool is_there = false;
    struct error err;

    if (begin(call, state, &is_there, &err) != STATUS_OK)
        call_fail(call, &err);
    else if (is_there)
        register_file(call);
    else
        http_exchange_stream(call->exchange, call->api->limits.file_max, &sink);
}
