#include <stdio.h>
#include <string.h>

#include "common/base/env.h"
#include "common/base/text.h"
#include "server/files/owned.h"
#include "server/files/store.h"

struct folder {
    struct file_store base;
    struct env *env;
    int64_t server;
    char path[DISK_PATH_MAX];
};

struct file_writer {
    struct file_store *store; /* first: file_writer_abandon() relies on it */
    struct disk_path path;
    struct disk_file *file;
    struct hasher hasher;
    int64_t size;
    int64_t max_bytes;
};

static void folder_free(struct folder *folder)
{
    free(folder);
}
DEFINE_CLEANUP(struct folder *, folder_free)

static struct folder *folder_of(struct file_store *store)
{
    return (struct folder *)store;
}

static enum status shard_path(const struct folder *folder, unsigned shard,
                              struct disk_path *ret_path, struct error *err)
{
    return disk_join(ret_path, err, "%s/%02x", folder->path, shard);
}

static enum status file_path(const struct folder *folder, const struct digest *digest,
                             struct disk_path *ret_path, struct error *err)
{
    char rest[2 * (DIGEST_BYTES - 1) + 1];

    text_from_bytes(digest->bytes + 1, DIGEST_BYTES - 1, rest);
    return disk_join(ret_path, err, "%s/%02x/%s", folder->path, digest->bytes[0], rest);
}

static enum status begin(struct file_store *store, int64_t max_bytes,
                         struct file_writer **ret_writer, struct error *err)
{
    struct folder *folder = folder_of(store);
    CLEANUP(file_writer_abandonp) struct file_writer *writer = must_alloc(1, sizeof *writer);
    char name[OWNED_ID_CHARS + 1];

    writer->store = store;
    writer->max_bytes = max_bytes;
    hasher_init(&writer->hasher);
    owned_id_make(folder->env, folder->server, name);
    TRY(disk_join(&writer->path, err, "%s/incoming/%s", folder->path, name));
    TRY(store->disk->open_write(store->disk, writer->path.text, 0600, &writer->file, err));
    *ret_writer = TAKE(writer);
    return STATUS_OK;
}

static enum status add(struct file_writer *writer, const void *bytes, size_t count,
                       struct error *err)
{
    if (count > (uint64_t)(writer->max_bytes - writer->size))
        return error_set(err, STATUS_TOO_LARGE, "the file has more than %lld bytes",
                         (long long)writer->max_bytes);
    TRY(writer->store->disk->write_at(writer->file, writer->size, bytes, count, err));
    hasher_add(&writer->hasher, bytes, count);
    writer->size += (int64_t)count;
    return STATUS_OK;
}

static void abandon(struct file_writer *writer)
{
    struct disk *disk = writer->store->disk;

    if (writer->file != NULL) {
        disk_file_close(writer->file);
        (void)disk->remove(disk, writer->path.text, NULL);
    }
    hasher_clear(&writer->hasher);
    free(writer);
}

/*
 * Also over a file that is there: the bytes are the same, but it is young again, which collect()
 * respects; and another thread may have put it there this moment without having synced the folder.
 */
static enum status put_in_place(struct folder *folder, const char *from,
                                const struct digest *digest, bool *ret_is_new, struct error *err)
{
    struct disk *disk = folder->base.disk;
    struct disk_path shard;
    struct disk_path path;
    bool is_new;

    TRY(file_path(folder, digest, &path, err));
    TRY(shard_path(folder, digest->bytes[0], &shard, err));
    is_new = !disk_has(disk, path.text);
    TRY(disk->rename(disk, from, path.text, err));
    TRY(disk->sync_folder(disk, shard.text, err));
    if (ret_is_new != NULL)
        *ret_is_new = is_new;
    return STATUS_OK;
}

static enum status finish(struct file_writer *writer, const struct digest *expected,
                          bool *ret_is_new, struct error *err)
{
    CLEANUP(file_writer_abandonp) struct file_writer *owned = writer;
    struct folder *folder = folder_of(writer->store);
    struct digest digest = hasher_end(&writer->hasher);

    if (!digest_equals(&digest, expected)) {
        error_set(err, STATUS_INVALID, "the bytes that came are %s", digest_format(&digest).text);
        error_code(err, "digest");
        return STATUS_INVALID;
    }
    TRY(folder->base.disk->sync(writer->file, err));
    TRY(put_in_place(folder, writer->path.text, &digest, ret_is_new, err));
    disk_file_close(TAKE(owned->file));
    return STATUS_OK;
}

static enum status adopt(struct file_store *store, const char *path, const struct digest *digest,
                         struct error *err)
{
    return put_in_place(folder_of(store), path, digest, NULL, err);
}

static enum status look(struct file_store *store, const struct digest *digest, int64_t *ret_size,
                        struct error *err)
{
    struct disk_path path;
    struct disk_entry entry;

    TRY(file_path(folder_of(store), digest, &path, err));
    TRY(store->disk->look(store->disk, path.text, &entry, err));
    if (entry.kind != DISK_FILE)
        return error_set(err, STATUS_STORAGE, "a file of the site is no file");
    *ret_size = entry.size_bytes;
    return STATUS_OK;
}

static enum status open_file(struct file_store *store, const struct digest *digest,
                             struct disk_file **ret_file, int64_t *ret_size, struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    struct disk_path path;

    TRY(file_path(folder_of(store), digest, &path, err));
    TRY(store->disk->open_read(store->disk, path.text, &file, err));
    TRY(store->disk->size(file, ret_size, err));
    *ret_file = TAKE(file);
    return STATUS_OK;
}

static enum status remove_file(struct file_store *store, const struct digest *digest,
                               struct error *err)
{
    struct disk_path path;
    enum status status;

    TRY(file_path(folder_of(store), digest, &path, err));
    status = store->disk->remove(store->disk, path.text, err);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

/* One that comes again between the look and the removal is lost, too: who brings it is told. */
static enum status collect(struct file_store *store, const struct digest *digest, int64_t before_s,
                           struct error *err)
{
    struct disk_path path;
    struct disk_entry entry;
    enum status status;

    TRY(file_path(folder_of(store), digest, &path, err));
    status = store->disk->look(store->disk, path.text, &entry, err);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && entry.changed_s >= before_s))
        return STATUS_OK;
    TRY(status);
    return remove_file(store, digest, err);
}

static bool name_to_digest(unsigned shard, const char *name, struct digest *ret_digest)
{
    struct digest digest = {.bytes = {(uint8_t)shard}};

    if (!text_to_exact_bytes(name, DIGEST_BYTES - 1, digest.bytes + 1))
        return false;
    *ret_digest = digest;
    return true;
}

static enum status visit_one(struct folder *folder, unsigned shard, const char *name,
                             const struct file_visitor *visitor, struct error *err)
{
    struct disk *disk = folder->base.disk;
    struct disk_path path;
    struct disk_entry facts;
    struct file_entry entry = {0};
    enum status status;

    TRY(disk_join(&path, err, "%s/%02x/%s", folder->path, shard, name));
    status = disk->look(disk, path.text, &facts, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK; /* removed since it was listed */
    TRY(status);
    entry.path = path.text;
    entry.size_bytes = facts.size_bytes;
    entry.changed_s = facts.changed_s;
    if (facts.kind == DISK_FILE)
        (void)name_to_digest(shard, name, &entry.digest);
    return visitor->visit(visitor->context, &entry, err);
}

static enum status walk(struct file_store *store, unsigned part, const struct file_visitor *visitor,
                        struct error *err)
{
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    struct folder *folder = folder_of(store);
    struct disk_path path;
    enum status status;

    TRY(shard_path(folder, part, &path, err));
    status = store->disk->list(store->disk, path.text, &names, err);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK; /* nothing was ever put there, or it is being looked at only */
    TRY(status);
    for (size_t i = 0; i < names.count; i++)
        TRY(visit_one(folder, part, names.names[i], visitor, err));
    return STATUS_OK;
}

static enum status space(struct file_store *store, struct disk_space *ret_space, struct error *err)
{
    return store->disk->space(store->disk, folder_of(store)->path, ret_space, err);
}

static void close_folder(struct file_store *store)
{
    folder_free(folder_of(store));
}

/* All of them at once, so that no write ever has to make one and sync its parent. */
static enum status make_shards(struct folder *folder, struct error *err)
{
    struct disk *disk = folder->base.disk;
    struct disk_path path;

    for (unsigned shard = 0; shard < FILE_STORE_PARTS; shard++) {
        TRY(shard_path(folder, shard, &path, err));
        if (!disk_has(disk, path.text))
            TRY(disk->make_folder(disk, path.text, 0700, err));
    }
    return disk->sync_folder(disk, folder->path, err);
}

static enum status clear_one(struct folder *folder, const char *path, const char *name,
                             struct error *err)
{
    struct disk *disk = folder->base.disk;
    struct disk_entry entry;
    enum status status = disk->look(disk, path, &entry, err);

    if (status == STATUS_OK && entry.kind == DISK_FILE &&
        owned_is_leftover(name, folder->server, entry.changed_s, folder->env->now_s(folder->env)))
        status = disk->remove(disk, path, err);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status; /* its server has removed it */
}

static enum status clear_incoming(struct folder *folder, const char *incoming, struct error *err)
{
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    struct disk_path path;

    TRY(folder->base.disk->list(folder->base.disk, incoming, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        TRY(disk_join(&path, err, "%s/%s", incoming, names.names[i]));
        TRY(clear_one(folder, path.text, names.names[i], err));
    }
    return STATUS_OK;
}

static enum status prepare(struct folder *folder, struct error *err)
{
    struct disk *disk = folder->base.disk;
    struct disk_path incoming;

    TRY(disk_make_folders(disk, folder->path, 0700, err));
    TRY(disk_join(&incoming, err, "%s/incoming", folder->path));
    TRY(disk->make_folder(disk, incoming.text, 0700, err));
    TRY(clear_incoming(folder, incoming.text, err));
    return make_shards(folder, err);
}

enum status file_store_open_to_look(struct env *env, const char *path,
                                    struct file_store **ret_store, struct error *err)
{
    CLEANUP(folder_freep) struct folder *folder = must_alloc(1, sizeof *folder);

    folder->base = (struct file_store){
        .begin = begin,
        .add = add,
        .finish = finish,
        .abandon = abandon,
        .adopt = adopt,
        .look = look,
        .open = open_file,
        .remove = remove_file,
        .collect = collect,
        .walk = walk,
        .space = space,
        .close = close_folder,
        .disk = env->disk,
    };
    folder->env = env;
    folder->server = 1;
    if (!text_fit(folder->path, sizeof folder->path, path))
        return error_set(err, STATUS_TOO_LARGE, "a path has up to %d bytes", DISK_PATH_MAX - 1);
    *ret_store = &TAKE(folder)->base;
    return STATUS_OK;
}

enum status file_store_open_folder(struct env *env, const char *path, int64_t server,
                                   struct file_store **ret_store, struct error *err)
{
    CLEANUP(file_store_closep) struct file_store *store = NULL;

    TRY(file_store_open_to_look(env, path, &store, err));
    folder_of(store)->server = server;
    TRY(prepare(folder_of(store), err));
    *ret_store = TAKE(store);
    return STATUS_OK;
}
