/* What operators publish under a signature: the engine verifies it against the keyring. */
#include <stdlib.h>

#include "protocol/published.h"
#include "server/api/call.h"
#include "server/api/handlers.h"

static void free_envelope(void *state)
{
    envelope_clear(state);
    free(state);
}

static enum published_kind kind_of(enum command_kind kind)
{
    switch (kind) {
    case COMMAND_KEYRING:
        return PUBLISHED_KEYRING;
    case COMMAND_FRESHNESS:
        return PUBLISHED_FRESHNESS;
    case COMMAND_NOTICE:
        return PUBLISHED_NOTICE;
    case COMMAND_APP_VERSION:
        return PUBLISHED_APP_VERSION;
    default:
        return PUBLISHED_VARIANT;
    }
}

static void taken(struct call *call)
{
    const struct publish_command *publish = &call->command.publish;
    const struct envelope *envelope = call->state;
    struct published published = {
        .kind = kind_of(call->command.kind), .number = publish->number, .digest = envelope->digest};

    if (call->command.kind == COMMAND_KEYRING)
        published.digest = publish->project;
    call_json(call, publish->is_new ? 201 : 200, published_encode(&published));
}

static void publish(struct call *call, enum command_kind kind, size_t payload_max)
{
    struct envelope *envelope = call_state(call, sizeof *envelope, free_envelope);
    struct error err;

    if (envelope_decode(buffer_text(&call->body), call->body.length, payload_max, envelope, &err) !=
        STATUS_OK) {
        call_fail(call, &err);
        return;
    }
    call->command.publish.envelope = envelope;
    call_command(call, kind, taken);
}

void keyring_post(struct call *call)
{
    publish(call, COMMAND_KEYRING, ENVELOPE_KEYRING_MAX);
}

void freshness_post(struct call *call)
{
    publish(call, COMMAND_FRESHNESS, ENVELOPE_PAYLOAD_MAX);
}

void notice_post(struct call *call)
{
    publish(call, COMMAND_NOTICE, ENVELOPE_PAYLOAD_MAX);
}

void app_version_post(struct call *call)
{
    publish(call, COMMAND_APP_VERSION, ENVELOPE_PAYLOAD_MAX);
}

void variant_post(struct call *call)
{
    publish(call, COMMAND_VARIANT, ENVELOPE_PAYLOAD_MAX);
}
