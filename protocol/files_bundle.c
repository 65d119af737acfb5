#include "protocol/files_bundle.h"

#include <assert.h>
#include <string.h>

#include "protocol/reading.h"
#include "protocol/writer.h"

enum status files_bundle_request_decode(const char *body, size_t length, struct digests *ret_files,
                                        struct error *err)
{
    CLEANUP(digests_clear) struct digests files = {0};
    json_auto_t *root = NULL;
    struct members members;

    TRY(request_begin(body, length, FILES_BUNDLE_MAX, &root, &members, err));
    files = members_digests(&members, "files", FILES_BUNDLE_FILES_MAX);
    TRY(members_end(&members));
    GIVE(ret_files, files);
    return STATUS_OK;
}

char *files_bundle_request_encode(const struct digest *files, size_t count)
{
    struct writer writer;

    writer_init(&writer);
    write_digests(&writer, "files", files, count);
    return writer_end(&writer);
}

enum status files_bundle_head_decode(const uint8_t bytes[FILES_BUNDLE_HEAD_BYTES],
                                     struct files_bundle_head *ret_head, struct error *err)
{
    uint64_t size = 0;

    for (size_t i = DIGEST_BYTES; i < FILES_BUNDLE_HEAD_BYTES; i++)
        size = size << 8 | bytes[i];
    if (size > FILES_BUNDLE_FILE_MAX)
        return error_set(err, STATUS_INVALID, "a file of a bundle has up to %d bytes",
                         FILES_BUNDLE_FILE_MAX);
    memcpy(ret_head->digest.bytes, bytes, DIGEST_BYTES);
    ret_head->size = (int64_t)size;
    return STATUS_OK;
}

void files_bundle_head_encode(const struct files_bundle_head *head,
                              uint8_t ret_bytes[FILES_BUNDLE_HEAD_BYTES])
{
    uint64_t size = (uint64_t)head->size;

    assert(head->size >= 0 && head->size <= FILES_BUNDLE_FILE_MAX);
    memcpy(ret_bytes, head->digest.bytes, DIGEST_BYTES);
    for (size_t i = FILES_BUNDLE_HEAD_BYTES; i > DIGEST_BYTES; i--, size >>= 8)
        ret_bytes[i - 1] = (uint8_t)(size & 0xff);
}
