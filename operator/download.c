#include "operator/download.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "operator/remote.h"
#include "operator/result_check.h"
#include "operator/upload.h"

/* What is asked for. */
struct wanted {
    const char *collection; /* "outputs", "files" */
    const char *noun;       /* of one, for people */
    struct digest digest;
    int64_t size;
    unsigned mode; /* of the file it becomes */
};

struct download {
    struct profile *profile; /* borrowed */
    struct wanted wanted;
    struct disk_path path, part; /* what it becomes, and what it is until then */
    struct disk_file *file;      /* owned */
    struct hasher hasher;
    int64_t size; /* of what came */
    struct http_sink sink;
    struct http_exchange *exchange; /* NULL: nobody asked yet, or it is over */
};

static struct disk *disk_of(const struct download *download)
{
    return download->profile->session->env->disk;
}

void download_free(struct download *download)
{
    if (download == NULL)
        return;
    remote_forget(download->profile, download->exchange);
    if (download->file != NULL) { /* else it was finished, or never begun */
        disk_file_close(download->file);
        (void)disk_of(download)->remove(disk_of(download), download->part.text, NULL);
    }
    hasher_clear(&download->hasher);
    free(download);
}

static enum status wrong_body(const struct wanted *wanted, struct error *err)
{
    error_set(err, STATUS_UNTRUSTED, "the bytes of %s are not of its digest", wanted->noun);
    error_code(err, RESULT_WRONG_BODY);
    return STATUS_UNTRUSTED;
}

static enum status take_piece(void *context, const void *bytes, size_t count, struct error *err)
{
    struct download *download = context;

    if ((int64_t)count > download->wanted.size - download->size)
        return wrong_body(&download->wanted, err);
    TRY(disk_of(download)->write_at(download->file, download->size, bytes, count, err));
    hasher_add(&download->hasher, bytes, count);
    download->size += (int64_t)count;
    return STATUS_OK;
}

static bool is_there(struct disk *disk, const struct wanted *wanted, const char *path)
{
    struct local_file file = {0};
    struct disk_entry entry;
    bool is_same;

    if (disk->look(disk, path, &entry, NULL) != STATUS_OK || entry.kind != DISK_FILE ||
        entry.size_bytes != wanted->size || local_file_look(disk, path, &file, NULL) != STATUS_OK)
        return false;
    is_same = digest_equals(&file.digest, &wanted->digest);
    local_file_clear(&file);
    return is_same;
}

static struct download *download_new(struct profile *profile, const struct wanted *wanted,
                                     const struct disk_path *path)
{
    struct download *download = must_alloc(1, sizeof *download);

    *download = (struct download){.profile = profile, .wanted = *wanted, .path = *path};
    download->sink = (struct http_sink){.write = take_piece, .context = download};
    hasher_init(&download->hasher);
    return download;
}

/* No output's or input's name begins with a dot, so the part is none of the unit. */
static enum status open_part(struct download *download, struct error *err)
{
    struct disk *disk = disk_of(download);
    const char *path = download->path.text, *slash = strrchr(path, '/');
    int folder = slash != NULL ? (int)(slash - path) + 1 : 0;

    TRY(disk_join(&download->part, err, "%.*s.%s.part", folder, path, path + folder));
    TRY(disk->open_write(disk, download->part.text, download->wanted.mode, &download->file, err));
    return disk->truncate(download->file, 0, err);
}

static char *request_path(const struct wanted *wanted)
{
    char hex[2 * DIGEST_BYTES + 1];

    text_from_bytes(wanted->digest.bytes, DIGEST_BYTES, hex);
    return text_format("/v1/%s/%s", wanted->collection, hex);
}

static struct remote_request request_of(struct download *download, const char *path)
{
    return (struct remote_request){.method = HTTP_GET,
                                   .path = path,
                                   .max_bytes = download->wanted.size + 1,
                                   .sink = &download->sink};
}

/* All of it came: is it that, durably? */
static enum status finish(struct download *download, struct error *err)
{
    struct disk *disk = disk_of(download);
    struct digest digest = hasher_end(&download->hasher);

    if (download->size != download->wanted.size ||
        !digest_equals(&digest, &download->wanted.digest))
        return wrong_body(&download->wanted, err);
    TRY(disk->sync(download->file, err));
    TRY(disk->rename(disk, download->part.text, download->path.text, err));
    disk_file_close(TAKE(download->file));
    return STATUS_OK;
}

static enum status download(struct profile *profile, const struct wanted *wanted,
                            const struct disk_path *path, struct error *err)
{
    CLEANUP(download_freep) struct download *download = NULL;
    CLEANUP(http_response_clear) struct http_response response = {0};
    CLEANUP(freep) char *asked = request_path(wanted);
    struct remote_request request;

    if (is_there(profile->session->env->disk, wanted, path->text))
        return STATUS_OK;
    download = download_new(profile, wanted, path);
    TRY(open_part(download, err));
    request = request_of(download, asked);
    http_response_init(&response);
    TRY(remote_ask(profile, &request, &response, err));
    return finish(download, err);
}

static struct wanted wanted_output(const struct named_output *output)
{
    return (struct wanted){.collection = "outputs",
                           .noun = "an output",
                           .digest = output->digest,
                           .size = output->size,
                           .mode = 0644};
}

bool output_is_there(struct disk *disk, const struct named_output *output, const char *path)
{
    const struct wanted wanted = wanted_output(output);

    return is_there(disk, &wanted, path);
}

enum status download_output(struct profile *profile, const struct named_output *output,
                            const struct disk_path *path, struct error *err)
{
    const struct wanted wanted = wanted_output(output);

    return download(profile, &wanted, path, err);
}

/* --- without waiting --- */

static enum status begin(struct download *download, struct error *err)
{
    CLEANUP(freep) char *asked = request_path(&download->wanted);
    struct remote_request request = request_of(download, asked);

    TRY(open_part(download, err));
    return remote_begin(download->profile, &request, &download->exchange, err);
}

enum status download_begin(struct profile *profile, const struct slot_file *file,
                           const struct disk_path *path, struct download **ret_download,
                           struct error *err)
{
    const struct wanted wanted = {.collection = "files",
                                  .noun = "an input, or of a file of the app,",
                                  .digest = file->digest,
                                  .size = file->size,
                                  .mode = file->mode};
    CLEANUP(download_freep) struct download *download = NULL;

    *ret_download = NULL;
    if (is_there(profile->session->env->disk, &wanted, path->text))
        return STATUS_OK;
    download = download_new(profile, &wanted, path);
    TRY(begin(download, err));
    *ret_download = TAKE(download);
    return STATUS_OK;
}

bool download_is_over(struct download *download, enum status *ret_status, struct error *err)
{
    CLEANUP(http_response_clear) struct http_response response;

    http_response_init(&response);
    if (!remote_is_over(download->profile, &download->exchange, ret_status, &response, err))
        return false;
    if (*ret_status == STATUS_OK)
        *ret_status = finish(download, err);
    return true;
}
