/* POST /v1/accounts, GET /v1/account, POST /v1/challenges and /v1/hosts: how somebody comes to be
 * known. */
#include "protocol/enrolment.h"

#include <stdlib.h>

#include "common/base/env.h"
#include "protocol/account.h"
#include "server/api/budget.h"
#include "server/api/call.h"
#include "server/api/challenge.h"
#include "server/api/handlers.h"
#include "server/site/tokens.h"

struct account_state {
    struct account_request request;
    struct token key;
};

static void account_made(struct call *call)
{
    struct account_state *state = call->state;

    call_json(call, 201, account_reply_encode(&state->key));
}

static void free_secret(void *state)
{
    secret_clear(state, sizeof(struct token));
    free(state);
}

void account_post(struct call *call)
{
    struct account_state *state = call_state(call, sizeof *state, free);
    struct error err;

    if (account_request_decode(buffer_text(&call->body), call->body.length, &state->request,
                               &err) != STATUS_OK ||
        budget_spend(call->api->budgets.accounts, call->prefix.text, call->begun_mono_ms,
                     call_chance(call), &err) != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    token_make(call->api->env, &state->key);
    call->command.account.key = token_digest(&state->key);
    call->command.account.name = state->request.name;
    call_command(call, COMMAND_ACCOUNT, account_made);
}

void account_get(struct call *call)
{
    call_json(call, 200, account_owner_encode(call->who.subject));
}

void challenge_post(struct call *call)
{
    struct challenge_reply reply;
    struct error err;

    if (empty_request_decode(buffer_text(&call->body), call->body.length, &err) != STATUS_OK ||
        budget_spend(call->api->budgets.challenges, call->prefix.text, call->begun_mono_ms,
                     call_chance(call), &err) != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    challenge_make(&call->api->secret, call->api->env, call->prefix.text, &reply);
    call_json(call, 200, challenge_reply_encode(&reply));
}

static void host_enrolled(struct call *call)
{
    const struct enrol_command *enrol = &call->command.enrol;
    const struct token *token = call->state;
    struct enrolment_reply reply = {.host = enrol->host,
                                    .token = *token,
                                    .volunteer = enrol->volunteer,
                                    .next_visit = enrol->next_visit};

    call_json(call, 200, enrolment_reply_encode(&reply));
}

static enum status check_enrolment(const struct call *call, const struct enrolment_request *request,
                                   struct error *err)
{
    const struct enrolment *enrolment = &request->enrolment;
    struct digest project;

    TRY(challenge_check(&call->api->secret, call->api->env->now_s(call->api->env),
                        call->prefix.text, &enrolment->challenge, err));
    TRY(call_project(call, &project, err));
    if (!digest_equals(&project, &enrolment->project))
        return error_set(err, STATUS_INVALID, "statement.project is another project's");
    if (!envelope_is_signed_by(&request->statement, &enrolment->key))
        return error_set(err, STATUS_UNTRUSTED,
                         "the statement is not signed by the key that it names");
    return STATUS_OK;
}

static enum status prepare(struct call *call, struct error *err)
{
    CLEANUP(enrolment_request_clear) struct enrolment_request request = {0};
    struct enrol_command *enrol = &call->command.enrol;
    struct token *token = call_state(call, sizeof *token, free_secret);

    TRY(enrolment_request_decode(buffer_text(&call->body), call->body.length, &request, err));
    TRY(check_enrolment(call, &request, err));
    challenge_token(&call->api->secret, &request.enrolment.key, &request.enrolment.challenge,
                    token);
    enrol->key = request.enrolment.key;
    enrol->kind = request.enrolment.kind == ENROLMENT_BROWSER ? HOST_BROWSER : HOST_NATIVE;
    enrol->prefix = call->prefix.text;
    enrol->token = token_digest(token);
    if (*request.account.text != '\0')
        enrol->account = token_digest(&request.account);
    return STATUS_OK;
}

void host_post(struct call *call)
{
    struct error err;

    if (prepare(call, &err) == STATUS_OK)
        call_command(call, COMMAND_ENROL, host_enrolled);
    else
        call_fail(call, &err);
}
