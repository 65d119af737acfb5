#include "operator/download.h"

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

struct arriving {
    struct disk *disk;
    const struct wanted *wanted;
    struct disk_file *file; /* owned */
    struct hasher hasher;
    int64_t size;
};

static void arriving_clear(struct arriving *arriving)
{
    disk_file_close(arriving->file);
    hasher_clear(&arriving->hasher);
}

static enum status wrong_body(const struct wanted *wanted, struct error *err)
{
    error_set(err, STATUS_UNTRUSTED, "the bytes of %s are not of its digest", wanted->noun);
    error_code(err, RESULT_WRONG_BODY);
    return STATUS_UNTRUSTED;
}

static enum status take_piece(void *context, const void *bytes, size_t count, struct error *err)
{
    struct arriving *arriving = context;

    if ((int64_t)count > arriving->wanted->size - arriving->size)
        return wrong_body(arriving->wanted, err);
    TRY(arriving->disk->write_at(arriving->file, arriving->size, bytes, count, err));
    hasher_add(&arriving->hasher, bytes, count);
    arriving->size += (int64_t)count;
    return STATUS_OK;
}

static enum status ask(struct profile *profile, const struct wanted *wanted, struct http_sink *sink,
                       struct error *err)
{
    CLEANUP(http_response_clear) struct http_response response = {0};
    CLEANUP(freep) char *path = NULL;
    char hex[2 * DIGEST_BYTES + 1];
    struct remote_request request = {
        .method = HTTP_GET, .max_bytes = wanted->size + 1, .sink = sink};

    text_from_bytes(wanted->digest.bytes, DIGEST_BYTES, hex);
    path = text_format("/v1/%s/%s", wanted->collection, hex);
    request.path = path;
    http_response_init(&response);
    return remote_ask(profile, &request, &response, err);
}

static enum status fetch_into(struct profile *profile, struct arriving *arriving, const char *part,
                              struct error *err)
{
    const struct wanted *wanted = arriving->wanted;
    struct disk *disk = arriving->disk;
    struct http_sink sink = {.write = take_piece, .context = arriving};
    struct digest digest;

    TRY(disk->open_write(disk, part, wanted->mode, &arriving->file, err));
    TRY(disk->truncate(arriving->file, 0, err));
    TRY(ask(profile, wanted, &sink, err));
    digest = hasher_end(&arriving->hasher);
    if (arriving->size != wanted->size || !digest_equals(&digest, &wanted->digest))
        return wrong_body(wanted, err);
    return disk->sync(arriving->file, err);
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

static enum status download(struct profile *profile, const struct wanted *wanted,
                            const struct disk_path *path, struct error *err)
{
    struct disk *disk = profile->session->env->disk;
    CLEANUP(arriving_clear) struct arriving arriving = {.disk = disk, .wanted = wanted};
    const char *slash = strrchr(path->text, '/');
    int folder = slash != NULL ? (int)(slash - path->text) + 1 : 0;
    struct disk_path part;
    enum status status;

    if (is_there(disk, wanted, path->text))
        return STATUS_OK;
    /* No output's or input's name begins with a dot, so this is none of the unit. */
    TRY(disk_join(&part, err, "%.*s.%s.part", folder, path->text, path->text + folder));
    hasher_init(&arriving.hasher);
    status = fetch_into(profile, &arriving, part.text, err);
    if (status == STATUS_OK)
        return disk->rename(disk, part.text, path->text, err);
    (void)disk->remove(disk, part.text, NULL);
    return status;
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

enum status download_file(struct profile *profile, const struct slot_file *file,
                          const struct disk_path *path, struct error *err)
{
    const struct wanted wanted = {.collection = "files",
                                  .noun = "an input, or of a file of the app,",
                                  .digest = file->digest,
                                  .size = file->size,
                                  .mode = file->mode};

    return download(profile, &wanted, path, err);
}
