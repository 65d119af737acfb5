/* POST /v1/clock: the operator's word that the clock is right. */
#include "protocol/clock.h"

#include "common/base/env.h"
#include "protocol/enrolment.h"
#include "server/api/call.h"
#include "server/api/handlers.h"

static void confirmed(struct call *call)
{
    struct clock_reply reply = {.was_in_doubt = call->command.clock.was_in_doubt,
                                .time_s = call->api->env->now_s(call->api->env)};

    call_json(call, 200, clock_reply_encode(&reply));
}

void clock_post(struct call *call)
{
    struct error err;

    if (empty_request_decode(buffer_text(&call->body), call->body.length, &err) == STATUS_OK)
        call_command(call, COMMAND_CLOCK, confirmed);
    else
        call_fail(call, &err);
}
