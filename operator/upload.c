#include "operator/upload.h"

#include <string.h>

#include "common/base/text.h"
#include "operator/remote.h"
#include "protocol/files_missing.h"

#define PIECE_BYTES (256 * 1024)

void local_file_clear(struct local_file *file)
{
    free(file->path);
    *file = (struct local_file){0};
}

static enum status hash(struct disk *disk, struct disk_file *file, struct local_file *result,
                        struct error *err)
{
    CLEANUP(hasher_clear) struct hasher hasher = {0};
    CLEANUP(freep) char *piece = must_alloc(PIECE_BYTES, 1);
    size_t count;

    hasher_init(&hasher);
    do {
        TRY(disk->read_at(file, result->size, piece, PIECE_BYTES, &count, err));
        hasher_add(&hasher, piece, count);
        result->size += (int64_t)count;
    } while (count > 0);
    result->digest = hasher_end(&hasher);
    return STATUS_OK;
}

enum status local_file_look(struct disk *disk, const char *path, struct local_file *ret_file,
                            struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    struct local_file result = {0};
    struct error why = {0};
    enum status status = disk->open_read(disk, path, &file, &why);

    if (status == STATUS_OK)
        status = hash(disk, file, &result, &why);
    if (status == STATUS_INVALID)
        return error_set(err, status, "%.150s is %.60s", path, why.text);
    if (status != STATUS_OK)
        return error_set(err, status, "%.120s cannot be read: %.100s", path, why.text);
    result.path = text_copy(path);
    *ret_file = result;
    return STATUS_OK;
}

static enum status put_file(struct profile *profile, const struct local_file *local,
                            struct error *err)
{
    struct disk *disk = profile->session->env->disk;
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    char hex[2 * DIGEST_BYTES + 1];
    CLEANUP(freep) char *path = NULL;
    struct http_response response;
    struct remote_request request = {
        .method = HTTP_PUT, .content_type = "application/octet-stream", .max_bytes = 4096};

    TRY(disk->open_read(disk, local->path, &file, err));
    text_from_bytes(local->digest.bytes, DIGEST_BYTES, hex);
    path = text_format("/v1/files/%s", hex);
    request.path = path;
    request.body = (struct http_body){.file = file, .length = local->size};
    if (local->size == 0)
        request.body = (struct http_body){.bytes = ""};
    TRY(remote_ask(profile, &request, &response, err));
    http_response_clear(&response);
    return STATUS_OK;
}

/* What a server refuses, or waits for in vain, because the file is another one by now. */
static enum status name_changed(struct profile *profile, const struct local_file *local,
                                enum status status, struct error *err)
{
    struct disk *disk = profile->session->env->disk;
    CLEANUP(local_file_clear) struct local_file now = {0};

    if (local_file_look(disk, local->path, &now, NULL) == STATUS_OK &&
        digest_equals(&now.digest, &local->digest))
        return status;
    profile->session->was_refused = false; /* these words are ours */
    return error_set(err, STATUS_CONFLICT,
                     "%.150s changed while it was sent: repeat the command when it changes no more",
                     local->path);
}

static const struct local_file *find(const struct local_file *files, size_t count,
                                     const struct digest *digest)
{
    for (size_t i = 0; i < count; i++)
        if (digest_equals(&files[i].digest, digest))
            return &files[i];
    return NULL;
}

static enum status ask_missing(struct profile *profile, const struct local_file *files,
                               size_t count, struct digests *ret_missing, struct error *err)
{
    CLEANUP(freep) char *digests_memory = must_alloc(count, sizeof(struct digest));
    struct digest *digests = (struct digest *)(void *)digests_memory;
    CLEANUP(buffer_clear) struct buffer body = {0};
    CLEANUP(freep) char *json = NULL;
    struct error why = {0};

    for (size_t i = 0; i < count; i++)
        digests[i] = files[i].digest;
    json = files_missing_request_encode(digests, count);
    TRY(remote_post(profile, "/v1/files/missing", json, FILES_MISSING_MAX, &body, err));
    if (files_missing_reply_decode(buffer_text(&body), body.length, ret_missing, &why) != STATUS_OK)
        return remote_misunderstood(&why, err);
    return STATUS_OK;
}

static enum status upload_some(struct profile *profile, const struct local_file *files,
                               size_t count, struct upload_tally *tally, struct error *err)
{
    CLEANUP(digests_clear) struct digests missing = {0};

    TRY(ask_missing(profile, files, count, &missing, err));
    for (size_t i = 0; i < missing.count; i++) {
        const struct local_file *file = find(files, count, &missing.digests[i]);
        enum status status;

        if (file == NULL)
            continue; /* nothing we asked about */
        status = put_file(profile, file, err);
        if (status != STATUS_OK)
            return name_changed(profile, file, status, err);
        tally->files++;
        tally->bytes += file->size;
        if (session_is_interrupted(profile->session))
            return error_set(err, STATUS_CONFLICT, "interrupted while sending files");
    }
    return STATUS_OK;
}

enum status upload_files(struct profile *profile, const struct local_file *files, size_t count,
                         struct upload_tally *tally, struct error *err)
{
    for (size_t done = 0; done < count; done += FILES_MISSING_FILES_MAX) {
        size_t left = count - done;

        TRY(upload_some(profile, files + done,
                        left < FILES_MISSING_FILES_MAX ? left : FILES_MISSING_FILES_MAX, tally,
                        err));
    }
    return STATUS_OK;
}
