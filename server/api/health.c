/* GET /healthz: is this server fit to be sent requests? */
#include "server/api/call.h"
#include "server/api/handlers.h"
#include "server/engine/engine.h"

void health_get(struct call *call)
{
    struct engine_clock clock = engine_clock(call->api->engine);
    struct published_stops stops = published_stops(call->api->published);
    struct error err;

    if (clock.is_in_doubt)
        error_set(&err, STATUS_BUSY, "%s", clock.why);
    else if (stops.uploads)
        error_set(&err, STATUS_BUSY, "%s", stops.why);
    else {
        CLEANUP(http_reply_clear) struct http_reply reply;

        http_reply_init(&reply, 200);
        http_reply_field(&reply, "Cache-Control", "no-store");
        http_reply_text(&reply, CALL_JSON, "{\"status\":\"ok\"}");
        call_reply(call, &reply);
        return;
    }
    call_fail(call, &err);
}
