/* POST /v1/scheduler: a host's visit. */
#include <stdlib.h>
#include <string.h>

#include "common/base/env.h"
#include "protocol/scheduler_reply.h"
#include "protocol/scheduler_request.h"
#include "server/api/call.h"
#include "server/api/challenge.h"
#include "server/api/handlers.h"

struct visit_state {
    struct scheduler_request request;
    struct scheduler_reply reply;
    char *statement; /* the envelope as JSON */
    char *answer;    /* the reply as JSON, once it was asked for */
    size_t length;
    size_t sent;
};

static void free_state(void *user)
{
    struct visit_state *state = user;

    scheduler_request_clear(&state->request);
    scheduler_reply_clear(&state->reply);
    free(state->statement);
    free(state->answer);
    free(state);
}

/* The answer becomes JSON on the net thread that sends it, not on the engine's. */
static enum http_flow fill(void *context, struct http_exchange *exchange, char *ret_bytes,
                           size_t room, size_t *ret_count)
{
    struct visit_state *state = context;
    size_t count;

    (void)exchange;
    if (state->answer == NULL) {
        state->answer = scheduler_reply_encode(&state->reply);
        state->length = strlen(state->answer);
    }
    count = state->length - state->sent < room ? state->length - state->sent : room;
    memcpy(ret_bytes, state->answer + state->sent, count);
    state->sent += count;
    *ret_count = count;
    return state->sent == state->length ? HTTP_FLOW_END : HTTP_FLOW_MORE;
}

static void add_receipts(struct call *call, struct scheduler_reply *reply)
{
    for (size_t i = 0; i < reply->grant_count; i++)
        reply->grants[i].receipt = challenge_receipt(
            &call->api->secret, &call->who.key, reply->grants[i].task, &reply->grants[i].digest);
}

/* Only what this host was granted: else one could choose by a digest whose work to confirm. */
static void check_receipts(const struct call *call, struct scheduler_request *request)
{
    size_t held = 0;

    for (size_t i = 0; i < request->kept_count; i++) {
        const struct kept_task *kept = &request->kept[i];
        struct digest own =
            challenge_receipt(&call->api->secret, &call->who.key, kept->task, &kept->unit);

        if (secret_equals(own.bytes, kept->receipt.bytes, DIGEST_BYTES))
            request->kept[held++] = *kept;
    }
    request->kept_count = held;
}

static void visited(struct call *call)
{
    struct visit_state *state = call->state;
    CLEANUP(http_reply_clear) struct http_reply reply;

    add_receipts(call, &state->reply);
    if (!call->command.visit.is_repeat)
        told_take(&call->api->told, call->command.visit.host, &state->request,
                  call->api->env->now_mono_ms(call->api->env));
    http_reply_init(&reply, 200);
    http_reply_field(&reply, "Cache-Control", "no-store");
    http_reply_producer(&reply, CALL_JSON,
                        (struct http_producer){.fill = fill, .context = call->state});
    call_reply(call, &reply);
}

static enum status check_statement(const struct call *call, const struct scheduler_request *request,
                                   struct error *err)
{
    struct digest project;

    TRY(call_project(call, &project, err));
    if (!digest_equals(&project, &request->visit.project))
        return error_set(err, STATUS_INVALID, "statement.project is another project's");
    if (!envelope_is_signed_by(&request->statement, &call->who.key))
        return error_set(err, STATUS_UNTRUSTED, "the statement is not signed by this host's key");
    return STATUS_OK;
}

static enum status prepare(struct call *call, struct error *err)
{
    struct visit_state *state = call_state(call, sizeof *state, free_state);
    struct visit_command *visit = &call->command.visit;

    TRY(scheduler_request_decode(buffer_text(&call->body), call->body.length, &state->request,
                                 err));
    TRY(check_statement(call, &state->request, err));
    check_receipts(call, &state->request);
    state->statement = envelope_encode(&state->request.statement);
    visit->host = call->who.subject;
    visit->prefix = call->prefix.text;
    visit->request = &state->request;
    visit->statement = state->statement;
    visit->statement_length = strlen(state->statement);
    visit->request_digest = digest_of(buffer_text(&call->body), call->body.length);
    visit->reply = &state->reply;
    return STATUS_OK;
}

void scheduler_post(struct call *call)
{
    struct error err;

    if (prepare(call, &err) == STATUS_OK)
        call_command(call, COMMAND_VISIT, visited);
    else
        call_fail(call, &err);
}
