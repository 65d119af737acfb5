#include "operator/download.h"

#include <string.h>

#include "common/base/text.h"
#include "operator/remote.h"
#include "operator/result_check.h"
#include "operator/upload.h"

struct arriving {
    struct disk *disk;
    struct disk_file *file; /* owned */
    struct hasher hasher;
    int64_t size;
    int64_t expected;
};

static void arriving_clear(struct arriving *arriving)
{
    disk_file_close(arriving->file);
    hasher_clear(&arriving->hasher);
}

static enum status wrong_body(struct error *err)
{
    error_set(err, STATUS_UNTRUSTED, "the bytes of an output are not of its digest");
    error_code(err, RESULT_WRONG_BODY);
    return STATUS_UNTRUSTED;
}

static enum status take_piece(void *context, const void *bytes, size_t count, struct error *err)
{
    struct arriving *arriving = context;

    if ((int64_t)count > arriving->expected - arriving->size)
        return wrong_body(err);
    TRY(arriving->disk->write_at(arriving->file, arriving->size, bytes, count, err));
    hasher_add(&arriving->hasher, bytes, count);
    arriving->size += (int64_t)count;
    return STATUS_OK;
}

static enum status ask(struct profile *profile, const struct named_output *output,
                       struct http_sink *sink, struct error *err)
{
    CLEANUP(http_response_clear) struct http_response response = {0};
    CLEANUP(freep) char *path = NULL;
    char hex[2 * DIGEST_BYTES + 1];
    struct remote_request request = {
        .method = HTTP_GET, .max_bytes = output->size + 1, .sink = sink};

    text_from_bytes(output->digest.bytes, DIGEST_BYTES, hex);
    path = text_format("/v1/outputs/%s", hex);
    request.path = path;
    http_response_init(&response);
    return remote_ask(profile, &request, &response, err);
}

static enum status fetch_into(struct profile *profile, const struct named_output *output,
                              struct arriving *arriving, const char *part, struct error *err)
{
    struct disk *disk = arriving->disk;
    struct http_sink sink = {.write = take_piece, .context = arriving};
    struct digest digest;

    TRY(disk->open_write(disk, part, 0644, &arriving->file, err));
    TRY(disk->truncate(arriving->file, 0, err));
    TRY(ask(profile, output, &sink, err));
    digest = hasher_end(&arriving->hasher);
    if (arriving->size != output->size || !digest_equals(&digest, &output->digest))
        return wrong_body(err);
    return disk->sync(arriving->file, err);
}

bool output_is_there(struct disk *disk, const struct named_output *output, const char *path)
{
    struct local_file file = {0};
    struct disk_entry entry;
    bool is_same;

    if (disk->look(disk, path, &entry, NULL) != STATUS_OK || entry.kind != DISK_FILE ||
        entry.size_bytes != output->size || local_file_look(disk, path, &file, NULL) != STATUS_OK)
        return false;
    is_same = digest_equals(&file.digest, &output->digest);
    local_file_clear(&file);
    return is_same;
}

enum status download_output(struct profile *profile, const struct named_output *output,
                            const struct disk_path *path, struct error *err)
{
    struct disk *disk = profile->session->env->disk;
    CLEANUP(arriving_clear)
    struct arriving arriving = {.disk = disk, .expected = output->size};
    const char *slash = strrchr(path->text, '/');
    int folder = slash != NULL ? (int)(slash - path->text) + 1 : 0;
    struct disk_path part;
    enum status status;

    if (output_is_there(disk, output, path->text))
        return STATUS_OK;
    /* No output's name begins with a dot, so this is no output of the unit. */
    TRY(disk_join(&part, err, "%.*s.%s.part", folder, path->text, path->text + folder));
    hasher_init(&arriving.hasher);
    status = fetch_into(profile, output, &arriving, part.text, err);
    if (status == STATUS_OK)
        return disk->rename(disk, part.text, path->text, err);
    (void)disk->remove(disk, part.text, NULL);
    return status;
}
