#include "protocol/account.h"

#include "protocol/reading.h"
#include "protocol/writer.h"

enum status account_request_decode(const char *body, size_t length,
                                   struct account_request *ret_request, struct error *err)
{
    json_auto_t *root = NULL;
    struct members members;
    struct account_request request;

    TRY(request_begin(body, length, ACCOUNT_MAX, &root, &members, err));
    members_copy_text_or_empty(&members, "name", request.name, sizeof request.name);
    TRY(members_end(&members));
    *ret_request = request;
    return STATUS_OK;
}

char *account_request_encode(const struct account_request *request)
{
    struct writer writer;

    writer_init(&writer);
    write_text_unless_empty(&writer, "name", request->name);
    return writer_end(&writer);
}

enum status account_reply_decode(const char *body, size_t length, struct token *ret_account,
                                 struct error *err)
{
    json_auto_t *root = NULL;
    struct members members;
    struct token account;

    TRY(reply_begin(body, length, ACCOUNT_MAX, &root, &members, err));
    account = members_token(&members, "account");
    TRY(members_end(&members));
    *ret_account = account;
    return STATUS_OK;
}

char *account_reply_encode(const struct token *account)
{
    struct writer writer;

    writer_init(&writer);
    write_text(&writer, "account", account->text);
    return writer_end(&writer);
}

char *account_owner_encode(int64_t volunteer)
{
    struct writer writer;

    writer_init(&writer);
    write_integer(&writer, "volunteer", volunteer);
    return writer_end(&writer);
}
