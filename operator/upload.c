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

/* ----------------------------------------------------------------------------------- under way */

/* A file on its way. */
struct sending {
    const struct local_file *local;
    struct disk_file *file;
    char *path; /* of the request */
    struct http_exchange *exchange;
};

struct sendings {
    struct profile *profile;
    struct upload_tally *tally;
    struct sending ring[UPLOAD_UNDER_WAY];
    size_t first, count;
};

static struct sending *oldest(struct sendings *sendings)
{
    return &sendings->ring[sendings->first];
}

static void drop_oldest(struct sendings *sendings)
{
    struct sending *sending = oldest(sendings);

    remote_forget(sendings->profile, sending->exchange);
    disk_file_close(sending->file);
    free(sending->path);
    *sending = (struct sending){0};
    sendings->first = (sendings->first + 1) % UPLOAD_UNDER_WAY;
    sendings->count--;
}

static void sendings_clear(struct sendings *sendings)
{
    while (sendings->count > 0)
        drop_oldest(sendings);
}

static struct remote_request request_of(const struct sending *sending)
{
    struct remote_request request = {
        .method = HTTP_PUT,
        .path = sending->path,
        .content_type = "application/octet-stream",
        .body = {.file = sending->file, .length = sending->local->size},
        .max_bytes = 4096,
    };

    if (sending->local->size == 0)
        request.body = (struct http_body){.bytes = ""};
    return request;
}

static enum status begin(struct sendings *sendings, const struct local_file *local,
                         struct error *err)
{
    struct disk *disk = sendings->profile->session->env->disk;
    struct sending *sending =
        &sendings->ring[(sendings->first + sendings->count) % UPLOAD_UNDER_WAY];
    struct remote_request request;
    char hex[2 * DIGEST_BYTES + 1];

    TRY(disk->open_read(disk, local->path, &sending->file, err));
    text_from_bytes(local->digest.bytes, DIGEST_BYTES, hex);
    sending->local = local;
    sending->path = text_format("/v1/files/%s", hex);
    sendings->count++;
    request = request_of(sending);
    TRY(remote_begin(sendings->profile, &request, &sending->exchange, err));
    remote_move(sendings->profile);
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

/* Wait until the oldest is there. */
static enum status end_oldest(struct sendings *sendings, struct error *err)
{
    struct session *session = sendings->profile->session;
    struct sending *sending = oldest(sendings);
    struct remote_request request = request_of(sending);
    struct http_response response;
    enum status status =
        remote_end(sendings->profile, &request, &sending->exchange, &response, err);

    if (status != STATUS_OK)
        return name_changed(sendings->profile, sending->local, status, err);
    http_response_clear(&response);
    sendings->tally->files++;
    sendings->tally->bytes += sending->local->size;
    drop_oldest(sendings);
    return session_is_interrupted(session)
               ? error_set(err, STATUS_CONFLICT, "interrupted while sending files")
               : STATUS_OK;
}

static enum status send_next(struct sendings *sendings, const struct local_file *local,
                             struct error *err)
{
    enum status status;

    if (sendings->count == UPLOAD_UNDER_WAY)
        TRY(end_oldest(sendings, err));
    status = begin(sendings, local, err);
    return status == STATUS_OK ? STATUS_OK : name_changed(sendings->profile, local, status, err);
}

/* ------------------------------------------------------------------------------ what is missing */

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
    CLEANUP(sendings_clear)
    struct sendings sendings = {.profile = profile, .tally = tally};

    TRY(ask_missing(profile, files, count, &missing, err));
    for (size_t i = 0; i < missing.count; i++) {
        const struct local_file *file = find(files, count, &missing.digests[i]);

        if (file != NULL) /* else it is nothing we asked about */
            TRY(send_next(&sendings, file, err));
    }
    while (sendings.count > 0)
        TRY(end_oldest(&sendings, err));
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
