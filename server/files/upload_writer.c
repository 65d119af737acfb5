#include <assert.h>
#include <stdlib.h>

#include "common/base/env.h"
#include "common/base/log.h"
#include "server/files/store.h"
#include "server/files/upload_table.h"

struct upload_writer {
    struct uploads *uploads;
    struct upload_entry *entry;
    struct disk_file *file;
};

static enum status claim(struct uploads *uploads, const char *id, int64_t host, int64_t offset,
                         struct upload_entry **ret_entry, struct error *err)
{
    struct upload_entry *entry = upload_find(uploads, id, host);

    if (entry == NULL)
        return upload_not_found(err);
    if (entry->state == UPLOAD_WRITTEN || entry->state == UPLOAD_COMPLETE)
        return upload_is_busy(err);
    if (entry->state == UPLOAD_DONE || entry->facts.offset != offset) {
        error_set(err, STATUS_CONFLICT, "this upload goes on at %lld",
                  (long long)entry->facts.offset);
        error_code(err, "offset");
        return STATUS_CONFLICT;
    }
    entry->state = UPLOAD_WRITTEN;
    *ret_entry = entry;
    return STATUS_OK;
}

static void release(struct upload_writer *writer, enum upload_state state)
{
    struct uploads *uploads = writer->uploads;

    disk_file_close(writer->file);
    pthread_mutex_lock(&uploads->mutex);
    writer->entry->state = state;
    writer->entry->touched_s = uploads->env->now_s(uploads->env);
    pthread_mutex_unlock(&uploads->mutex);
    free(writer);
}

static enum status open_part(struct upload_writer *writer, struct error *err)
{
    struct disk *disk = writer->uploads->env->disk;
    struct disk_path path;

    TRY(upload_part_path(writer->uploads, writer->entry->facts.id, &path, err));
    TRY(disk->open_write(disk, path.text, 0600, &writer->file, err));
    return disk->size(writer->file, &writer->entry->facts.offset, err);
}

enum status uploads_write(struct uploads *uploads, const char *id, int64_t host, int64_t offset,
                          struct upload_writer **ret_writer, struct error *err)
{
    struct upload_writer *writer;
    struct upload_entry *entry = NULL;
    enum status status;

    pthread_mutex_lock(&uploads->mutex);
    status = claim(uploads, id, host, offset, &entry, err);
    pthread_mutex_unlock(&uploads->mutex);
    TRY(status);
    writer = must_alloc(1, sizeof *writer);
    *writer = (struct upload_writer){.uploads = uploads, .entry = entry};
    status = open_part(writer, err);
    if (status == STATUS_OK && entry->facts.offset != offset)
        status = error_set(err, STATUS_STORAGE, "the file of this upload changed by itself");
    if (status != STATUS_OK) {
        release(writer, UPLOAD_RESTING);
        return status;
    }
    *ret_writer = writer;
    return STATUS_OK;
}

enum status upload_writer_add(struct upload_writer *writer, const void *bytes, size_t count,
                              struct error *err)
{
    struct upload *facts = &writer->entry->facts;
    struct disk *disk = writer->uploads->env->disk;

    if (count > (uint64_t)(facts->length - facts->offset))
        return error_set(err, STATUS_TOO_LARGE, "this output was reported with %lld bytes",
                         (long long)facts->length);
    TRY(disk->write_at(writer->file, facts->offset, bytes, count, err));
    if (writer->entry->hashed == facts->offset) {
        hasher_add(&writer->entry->hasher, bytes, count);
        writer->entry->hashed += (int64_t)count;
    }
    facts->offset += (int64_t)count;
    return STATUS_OK;
}

const struct upload *upload_writer_facts(const struct upload_writer *writer)
{
    return &writer->entry->facts;
}

/* A write that failed may have left more than was counted: that is cut off. */
enum status upload_writer_pause(struct upload_writer *writer, struct error *err)
{
    struct disk *disk = writer->uploads->env->disk;
    enum status status = disk->truncate(writer->file, writer->entry->facts.offset, err);

    if (status == STATUS_OK)
        status = disk->sync(writer->file, err);
    release(writer, UPLOAD_RESTING);
    return status;
}

/* After a restart the hash has to catch up with what came before. */
static enum status hash_rest(struct upload_writer *writer, struct error *err)
{
    struct upload_entry *entry = writer->entry;
    struct disk *disk = writer->uploads->env->disk;
    char bytes[65536];

    while (entry->hashed < entry->facts.offset) {
        size_t count = 0;

        TRY(disk->read_at(writer->file, entry->hashed, bytes, sizeof bytes, &count, err));
        if (count == 0)
            return error_set(err, STATUS_STORAGE, "the file of this upload became shorter");
        hasher_add(&entry->hasher, bytes, count);
        entry->hashed += (int64_t)count;
    }
    return STATUS_OK;
}

static enum status make_file(struct upload_writer *writer, struct error *err)
{
    struct uploads *uploads = writer->uploads;
    struct upload_entry *entry = writer->entry;
    struct disk_path path;
    struct digest digest;

    TRY(hash_rest(writer, err));
    digest = hasher_end(&entry->hasher);
    entry->hashed = 0;
    if (!digest_equals(&digest, &entry->facts.digest)) {
        error_set(err, STATUS_CONFLICT, "the bytes that came are %s, not as reported",
                  digest_format(&digest).text);
        error_code(err, "digest");
        return STATUS_CONFLICT;
    }
    TRY(uploads->env->disk->sync(writer->file, err));
    TRY(upload_part_path(uploads, entry->facts.id, &path, err));
    return uploads->files->adopt(uploads->files, path.text, &digest, err);
}

enum status upload_writer_finish(struct upload_writer *writer, struct error *err)
{
    struct uploads *uploads = writer->uploads;
    struct upload facts = writer->entry->facts;
    enum status status;

    assert(facts.offset == facts.length);
    status = make_file(writer, err);
    release(writer, status == STATUS_OK ? UPLOAD_COMPLETE : UPLOAD_RESTING);
    if (status == STATUS_OK)
        upload_remove_files(uploads, facts.id);
    else if (status == STATUS_CONFLICT &&
             uploads_remove(uploads, facts.id, facts.host, NULL) != STATUS_OK)
        LOG(LOG_WARN, "upload.kept", LOG_S("upload", facts.id));
    return status;
}
