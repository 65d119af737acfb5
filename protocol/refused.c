#include "protocol/refused.h"

#include <assert.h>
#include <string.h>

#include "protocol/reading.h"
#include "protocol/writer.h"

static const char *const kinds[] = {"envelope", "keyring", "freshness"};

const char *refused_kind_name(enum refused_kind kind)
{
    assert(kind >= REFUSED_ENVELOPE && kind <= REFUSED_KINDS);
    return kinds[kind - 1];
}

enum refusal members_refusal(struct members *members)
{
    enum refusal refusal = refusal_from_code(members_text(members, "refusal", 1, 64));

    if (!members_failed(members) && (refusal == REFUSAL_COUNT || refusal == REFUSAL_NONE))
        members_fail(members, "refusal", "malformed", "is no code of a refusal");
    return refusal;
}

struct refused_thing members_refused(struct members *members)
{
    return (struct refused_thing){.what = WORD_OF(members, "what", kinds),
                                  .refusal = members_refusal(members),
                                  .digest = members_digest(members, "digest")};
}

void write_refused(struct writer *writer, const struct refused_thing *thing)
{
    write_text(writer, "what", refused_kind_name(thing->what));
    write_text(writer, "refusal", refusal_code(thing->refusal));
    write_digest(writer, "digest", &thing->digest);
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
