#include "client/fetch/download.h"

#include "client/state/folder.h"

#define CHUNK 65536

static struct disk *disk_of(const struct download *download)
{
    return download->cache->folder->env->disk;
}

static enum status rewind_part(struct download *download, struct error *err)
{
    TRY(disk_of(download)->truncate(download->file, 0, err));
    (void)hasher_end(&download->hasher);
    download->got = 0;
    return STATUS_OK;
}

/* 206 of just what is missing, or 200 with all of it. */
static enum status on_begin(void *context, const struct http_response *head, struct error *err)
{
    struct download *download = context;

    if (head->status == 206 && head->range_first == download->got)
        return STATUS_OK;
    if (head->status != 200)
        return error_set(err, STATUS_INVALID, "the server sent another part than was asked for");
    return rewind_part(download, err);
}

static enum status on_bytes(void *context, const void *bytes, size_t count, struct error *err)
{
    struct download *download = context;

    if ((int64_t)count > download->size - download->got)
        return error_set(err, STATUS_TOO_LARGE, "the file has more bytes than were signed");
    TRY(disk_of(download)->write_at(download->file, download->got, bytes, count, err));
    hasher_add(&download->hasher, bytes, count);
    download->got += (int64_t)count;
    return STATUS_OK;
}

static enum status take_up(struct download *download, struct error *err)
{
    struct disk *disk = disk_of(download);
    char chunk[CHUNK];
    int64_t size;
    size_t got;

    TRY(disk->size(download->file, &size, err));
    if (size > download->size)
        return rewind_part(download, err);
    while (download->got < size) {
        TRY(disk->read_at(download->file, download->got, chunk, sizeof chunk, &got, err));
        if (got == 0)
            break;
        hasher_add(&download->hasher, chunk, got);
        download->got += (int64_t)got;
    }
    return STATUS_OK;
}

enum status download_open(struct download *ret_download, struct cache *cache,
                          const struct digest *digest, int64_t size, struct error *err)
{
    struct disk *disk = cache->folder->env->disk;
    struct disk_path path;
    enum status status;

    TRY(cache_path(cache, digest, true, &path, err));
    TRY(cache_reserve(cache, digest, size, err));
    *ret_download = (struct download){.cache = cache, .digest = *digest, .size = size};
    ret_download->sink =
        (struct http_sink){.begin = on_begin, .write = on_bytes, .context = ret_download};
    status = disk->open_write(disk, path.text, 0600, &ret_download->file, err);
    if (status != STATUS_OK)
        return status; /* what was reserved goes when there is need */
    hasher_init(&ret_download->hasher);
    status = take_up(ret_download, err);
    if (status != STATUS_OK)
        download_close(ret_download);
    return status;
}

void download_close(struct download *download)
{
    if (download->file == NULL)
        return;
    disk_file_close(download->file);
    hasher_clear(&download->hasher);
    cache_leave_part(download->cache, &download->digest, download->got);
    *download = (struct download){0};
}

void download_restart(struct download *download)
{
    struct disk *disk = disk_of(download);
    struct disk_path path;

    if (cache_path(download->cache, &download->digest, true, &path, NULL) == STATUS_OK)
        (void)disk->remove(disk, path.text, NULL); /* else it is found and rewound */
    download->got = 0;
    download_close(download);
}

enum status download_finish(struct download *download, struct error *err)
{
    struct disk *disk = disk_of(download);
    struct digest digest = hasher_end(&download->hasher);
    enum status status;

    if (download->got != download->size || !digest_equals(&digest, &download->digest)) {
        download_restart(download);
        return error_set(err, STATUS_UNTRUSTED, "the file's bytes are not those that were signed");
    }
    status = disk->sync(download->file, err);
    if (status == STATUS_OK)
        status = cache_adopt(download->cache, &download->digest, download->size, err);
    if (status == STATUS_OK)
        download->got = 0; /* it is no part any more */
    download_close(download);
    return status;
}
