#include "protocol/refused.h"

#include <assert.h>
#include <string.h>

#include "protocol/reading.h"

static const char *const kinds[] = {"envelope", "keyring", "freshness"};

const char *refused_kind_name(enum refused_kind kind)
{
    assert(kind >= REFUSED_ENVELOPE && kind <= REFUSED_KINDS);
    return kinds[kind - 1];
}

struct digest refused_identity(const char *json)
{
    const struct profile_limits limits = {.bytes = strlen(json), .depth = PROFILE_DEPTH_MAX};
    CLEANUP(freep) char *payload = NULL;
    json_auto_t *root = NULL;
    struct members members;
    const char *type;
    size_t length = 0;

    if (profile_parse(json, limits.bytes, &limits, &root, NULL) != STATUS_OK)
        return digest_of(json, limits.bytes);
    members_begin_lenient(&members, root, NULL);
    type = members_text(&members, "payloadType", 1, ENVELOPE_TYPE_MAX);
    payload = members_base64_copy(&members, "payload", limits.bytes, &length);
    return members_end(&members) == STATUS_OK ? envelope_identity(type, payload, length)
                                              : digest_of(json, limits.bytes);
}
