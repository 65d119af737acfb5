#include "protocol/files_missing.h"

#include "protocol/reading.h"
#include "protocol/writer.h"

static char *encode(const char *name, const struct digest *digests, size_t count)
{
    struct writer writer;

    writer_init(&writer);
    write_digests(&writer, name, digests, count);
    return writer_end(&writer);
}

enum status files_missing_request_decode(const char *body, size_t length, struct digests *ret_files,
                                         struct error *err)
{
    CLEANUP(digests_clear) struct digests files = {0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(request_begin(body, length, FILES_MISSING_MAX, &root, &members, err));
    files = members_digests(&members, "files", FILES_MISSING_FILES_MAX);
    TRY(members_end(&members));
    GIVE(ret_files, files);
    return STATUS_OK;
}

char *files_missing_request_encode(const struct digest *files, size_t count)
{
    return encode("files", files, count);
}

enum status files_missing_reply_decode(const char *body, size_t length, struct digests *ret_missing,
                                       struct error *err)
{
    CLEANUP(digests_clear) struct digests missing = {0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(reply_begin(body, length, FILES_MISSING_MAX, &root, &members, err));
    missing = members_digests(&members, "missing", FILES_MISSING_FILES_MAX);
    TRY(members_end(&members));
    GIVE(ret_missing, missing);
    return STATUS_OK;
}

char *files_missing_reply_encode(const struct digest *missing, size_t count)
{
    return encode("missing", missing, count);
}
