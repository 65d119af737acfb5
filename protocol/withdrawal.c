#include "protocol/withdrawal.h"

#include "protocol/reading.h"
#include "protocol/writer.h"

enum status withdrawal_reply_decode(const char *body, size_t length,
                                    struct withdrawal_reply *ret_reply, struct error *err)
{
    json_auto_t *root = NULL;
    struct members members;
    struct withdrawal_reply reply;

    TRY(reply_begin(body, length, WITHDRAWAL_MAX, &root, &members, err));
    reply.host = members_id(&members, "host");
    reply.withdrawn = members_integer(&members, "withdrawn", 0, ID_MAX);
    reply.left = members_integer(&members, "left", 0, ID_MAX);
    TRY(members_end(&members));
    *ret_reply = reply;
    return STATUS_OK;
}

char *withdrawal_reply_encode(const struct withdrawal_reply *reply)
{
    struct writer writer;

    writer_init(&writer);
    write_integer(&writer, "host", reply->host);
    write_integer(&writer, "withdrawn", reply->withdrawn);
    write_integer(&writer, "left", reply->left);
    return writer_end(&writer);
}
