#include "protocol/bulletin.h"

#include "protocol/reading.h"
#include "protocol/writer.h"

void bulletin_clear(struct bulletin *bulletin)
{
    free(bulletin->freshness);
    texts_clear(&bulletin->notices);
    *bulletin = (struct bulletin){0};
}

enum status bulletin_decode(const char *body, size_t length, struct bulletin *ret_bulletin,
                            struct error *err)
{
    CLEANUP(bulletin_clear) struct bulletin bulletin = {0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(reply_begin(body, length, BULLETIN_MAX, &root, &members, err));
    bulletin.freshness = members_envelope_or_null(&members, "freshness", ENVELOPE_PAYLOAD_MAX);
    bulletin.keyring_version = members_count(&members, "keyring_version");
    bulletin.notices =
        members_envelopes(&members, "notices", BULLETIN_NOTICES_MAX, ENVELOPE_PAYLOAD_MAX);
    TRY(members_end(&members));
    GIVE(ret_bulletin, bulletin);
    return STATUS_OK;
}

char *bulletin_encode(const struct bulletin *bulletin)
{
    struct writer writer;

    writer_init(&writer);
    write_json(&writer, "freshness", bulletin->freshness);
    write_integer(&writer, "keyring_version", bulletin->keyring_version);
    write_jsons(&writer, "notices", &bulletin->notices);
    write_open(&writer, "calls", '[');
    write_close(&writer, ']');
    write_null(&writer, "client");
    return writer_end(&writer);
}
