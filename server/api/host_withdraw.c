/* POST /v1/hosts/{number}/withdraw: what a host has that is gone for good goes to others. */
#include "common/base/text.h"
#include "protocol/enrolment.h"
#include "protocol/withdrawal.h"
#include "server/api/call.h"
#include "server/api/handlers.h"

static void withdrawn(struct call *call)
{
    const struct withdraw_command *done = &call->command.withdraw;
    struct withdrawal_reply reply = {
        .host = done->host, .withdrawn = done->withdrawn, .left = done->left};

    call_json(call, 200, withdrawal_reply_encode(&reply));
}

static enum status take(struct call *call, struct error *err)
{
    TRY(empty_request_decode(buffer_text(&call->body), call->body.length, err));
    if (!text_to_integer(call->segments.at[0].text, 1, ID_MAX, &call->command.withdraw.host))
        return error_set(err, STATUS_NOT_FOUND, "a host in a path is its number");
    return STATUS_OK;
}

void host_withdraw_post(struct call *call)
{
    struct error err;

    if (take(call, &err) == STATUS_OK)
        call_command(call, COMMAND_WITHDRAW_HOST, withdrawn);
    else
        call_fail(call, &err);
}
