#include "client/fetch/download.h"

#include "client/state/folder.h"

#define CHUNK 65536
#define SYNC_BYTES                                                                                 \
    (16 * 1024 * 1024) /* what the disk may owe: the last sync is to be short, too                 \
                        */

static struct disk *disk_of(const struct download *download)
{
    return download->cache->folder->env->disk;
}

static enum status rewind_part(struct download *download, struct error *err)
{
    TRY(disk_of(download)->truncate(download->file, 0, err));
    (void)hasher_end(&download->hasher);
    download->found = download->got = download->unsynced = 0;
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
    download->unsynced += (int64_t)count;
    if (download->unsynced < SYNC_BYTES)
        return STATUS_OK;
    download->unsynced = 0;
    return disk_of(download)->sync(download->file, err);
}

static enum status open_part(struct download *download, struct error *err)
{
    struct disk *disk = disk_of(download);
    struct disk_path path;

    TRY(cache_path(download->cache, &download->part, true, &path, err));
    TRY(disk->open_write(disk, path.text, 0600, &download->file, err));
    hasher_init(&download->hasher);
    TRY(disk->size(download->file, &download->found, err));
    return download->found > download->size ? rewind_part(download, err) : STATUS_OK;
}

enum status download_open(struct download *ret_download, struct cache *cache,
                          const struct download_of *of, struct error *err)
{
    struct digest part = cache_part(&of->project, &of->file);
    enum status status;

    TRY(cache_reserve(cache, &part, of->size, err));
    *ret_download =
        (struct download){.cache = cache, .digest = of->file, .part = part, .size = of->size};
    ret_download->sink =
        (struct http_sink){.begin = on_begin, .write = on_bytes, .context = ret_download};
    status = open_part(ret_download, err);
    if (status != STATUS_OK)
        download_close(ret_download); /* unopened: what was reserved goes when there is need */
    return status;
}

bool download_is_taken_up(const struct download *download)
{
    return download->got >= download->found;
}

enum status download_take_up(struct download *download, int64_t *bytes, struct error *err)
{
    struct disk *disk = disk_of(download);
    char chunk[CHUNK];
    size_t got;

    while (*bytes > 0 && !download_is_taken_up(download)) {
        TRY(disk->read_at(download->file, download->got, chunk, sizeof chunk, &got, err));
        if (got == 0)
            download->found = download->got;
        hasher_add(&download->hasher, chunk, got);
        download->got += (int64_t)got;
        *bytes -= (int64_t)got;
    }
    return STATUS_OK;
}

void download_close(struct download *download)
{
    if (download->file == NULL)
        return;
    disk_file_close(download->file);
    hasher_clear(&download->hasher);
    cache_leave_part(download->cache, &download->part,
                     download->got > download->found ? download->got : download->found);
    *download = (struct download){0};
}

void download_restart(struct download *download)
{
    struct disk *disk = disk_of(download);
    struct disk_path path;

    if (cache_path(download->cache, &download->part, true, &path, NULL) == STATUS_OK)
        (void)disk->remove(disk, path.text, NULL); /* else it is found and rewound */
    download->found = download->got = 0;
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
        status =
            cache_adopt(download->cache, &download->part, &download->digest, download->size, err);
    if (status == STATUS_OK)
        download->found = download->got = 0; /* it is no part any more */
    download_close(download);
    return status;
}
