#include "protocol/clock.h"

#include "protocol/reading.h"
#include "protocol/writer.h"

enum status clock_reply_decode(const char *body, size_t length, struct clock_reply *ret_reply,
                               struct error *err)
{
    json_auto_t *root = NULL;
    struct members members;
    struct clock_reply reply;

    TRY(reply_begin(body, length, CLOCK_MAX, &root, &members, err));
    reply.was_in_doubt = members_boolean(&members, "was_in_doubt");
    reply.time_s = members_time(&members, "time");
    TRY(members_end(&members));
    *ret_reply = reply;
    return STATUS_OK;
}

char *clock_reply_encode(const struct clock_reply *reply)
{
    struct writer writer;

    writer_init(&writer);
    write_json(&writer, "was_in_doubt", reply->was_in_doubt ? "true" : "false");
    write_integer(&writer, "time", reply->time_s);
    return writer_end(&writer);
}
