/* GET /healthz: is this server fit to be sent requests? */
#include "server/api/call.h"
#include "server/api/handlers.h"
#include "server/engine/engine.h"

static enum status judge(const struct call *call, const struct engine_fitness *fitness,
                         struct error *err)
{
    struct engine_clock clock = engine_clock(call->api->engine);
    struct published_stops stops = published_stops(call->api->published);

    if (fitness->lack != NULL)
        return error_set(err, STATUS_BUSY, "%s (the last commit was %lld s ago)", fitness->lack,
                         (long long)fitness->commit_age_s);
    if (clock.is_in_doubt)
        return error_set(err, STATUS_BUSY, "%s", clock.why);
    if (stops.uploads)
        return error_set(err, STATUS_BUSY, "%s", stops.why);
    return STATUS_OK;
}

void health_get(struct call *call)
{
    CLEANUP(http_reply_clear) struct http_reply reply = {0};
    struct engine_fitness fitness = engine_fitness(call->api->engine);
    struct error err;

    if (judge(call, &fitness, &err) != STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    http_reply_init(&reply, 200);
    http_reply_field(&reply, "Cache-Control", "no-store");
    http_reply_text(&reply, CALL_JSON, "{\"status\":\"ok\"}");
    call_reply(call, &reply);
}
