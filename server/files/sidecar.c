#include "server/files/sidecar.h"

#include "common/json/members.h"
#include "common/json/profile.h"

char *sidecar_encode(const struct upload *upload)
{
    json_auto_t *root =
        json_pack("{s:I, s:I, s:s, s:s, s:I, s:I}", "host", (json_int_t)upload->host, "task",
                  (json_int_t)upload->task, "name", upload->name, "digest",
                  digest_format(&upload->digest).text, "length", (json_int_t)upload->length,
                  "created", (json_int_t)upload->created_s);

    return profile_print(root);
}

enum status sidecar_decode(const char *bytes, size_t length, struct upload *ret_upload,
                           struct error *err)
{
    static const struct profile_limits limits = {.bytes = SIDECAR_MAX_BYTES, .depth = 1};
    json_auto_t *root = NULL;
    struct members members;
    struct upload upload = {0};

    TRY(profile_parse(bytes, length, &limits, &root, err));
    members_begin(&members, root, err);
    upload.host = members_integer(&members, "host", 1, PROFILE_INTEGER_MAX);
    upload.task = members_integer(&members, "task", 1, PROFILE_INTEGER_MAX);
    (void)text_fit(upload.name, sizeof upload.name, members_file_name(&members, "name"));
    upload.digest = members_digest(&members, "digest");
    upload.length = members_integer(&members, "length", 0, PROFILE_INTEGER_MAX);
    upload.created_s = members_integer(&members, "created", 0, PROFILE_INTEGER_MAX);
    TRY(members_end(&members));
    *ret_upload = upload;
    return STATUS_OK;
}
