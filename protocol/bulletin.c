#include "protocol/bulletin.h"

#include "protocol/reading.h"
#include "protocol/writer.h"

void bulletin_clear(struct bulletin *bulletin)
{
    free(bulletin->freshness);
    texts_clear(&bulletin->notices);
    *bulletin = (struct bulletin){0};
}

static struct bulletin_work members_work(struct members *members)
{
    struct bulletin_work work;
    struct members part;

    members_object(members, "work", &part);
    work.mark = members_count(&part, "mark");
    work.look_s = members_count(&part, "look_s");
    work.within_s = members_count(&part, "within_s");
    members_end_part(&part);
    return work;
}

static void write_work(struct writer *writer, const struct bulletin_work *work)
{
    write_open(writer, "work", '{');
    write_integer(writer, "mark", work->mark);
    write_integer(writer, "look_s", work->look_s);
    write_integer(writer, "within_s", work->within_s);
    write_close(writer, '}');
}

enum status bulletin_decode(const char *body, size_t length, struct bulletin *ret_bulletin,
                            struct error *err)
{
    CLEANUP(bulletin_clear) struct bulletin bulletin = {0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(reply_begin(body, length, BULLETIN_MAX, &root, &members, err));
    bulletin.freshness = members_offered_or_null(&members, "freshness");
    bulletin.keyring_version = members_count(&members, "keyring_version");
    bulletin.notices =
        members_envelopes(&members, "notices", BULLETIN_NOTICES_MAX, ENVELOPE_PAYLOAD_MAX);
    bulletin.work = members_work(&members);
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
    write_work(&writer, &bulletin->work);
    return writer_end(&writer);
}
