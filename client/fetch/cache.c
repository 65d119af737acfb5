#include "client/fetch/cache.h"

#include <assert.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/text.h"

#define HEX_CHARS         (2 * DIGEST_BYTES)
#define CACHE_COUNTED_MAX (INT64_C(1) << 56) /* sizes that were signed may be any */

static struct disk *disk_of(const struct cache *cache)
{
    return cache->folder->env->disk;
}

enum status cache_path(const struct cache *cache, const struct digest *digest, bool is_part,
                       struct disk_path *ret_path, struct error *err)
{
    char hex[HEX_CHARS + 1];

    text_from_bytes(digest->bytes, DIGEST_BYTES, hex);
    return data_folder_join(cache->folder, ret_path, err, "cache/%s%s", hex,
                            is_part ? ".part" : "");
}

struct digest cache_part(const struct digest *project, const struct digest *file)
{
    uint8_t both[2 * DIGEST_BYTES];

    memcpy(both, project->bytes, DIGEST_BYTES);
    memcpy(both + DIGEST_BYTES, file->bytes, DIGEST_BYTES);
    return digest_of(both, sizeof both);
}

static struct cache_entry *find(const struct cache *cache, const struct digest *digest)
{
    for (size_t i = 0; i < cache->count; i++)
        if (digest_equals(&cache->entries[i].digest, digest))
            return &cache->entries[i];
    return NULL;
}

static struct cache_entry *find_or_add(struct cache *cache, const struct digest *digest)
{
    struct cache_entry *entry = find(cache, digest);

    if (entry != NULL)
        return entry;
    if (cache->count == cache->capacity) {
        size_t capacity = cache->capacity > 0 ? 2 * cache->capacity : 16;
        struct cache_entry *grown = realloc(cache->entries, capacity * sizeof *grown);

        if (grown == NULL)
            abort();
        cache->entries = grown;
        cache->capacity = capacity;
    }
    entry = &cache->entries[cache->count++];
    *entry = (struct cache_entry){.digest = *digest};
    return entry;
}

static void drop_unused(struct cache *cache, struct cache_entry *entry)
{
    if (entry->pins == 0 && !entry->is_here && entry->part_bytes == 0)
        *entry = cache->entries[--cache->count];
}

static void forget(struct cache *cache, struct cache_entry *entry)
{
    if (entry->is_here)
        cache->used_bytes -= entry->size;
    entry->is_here = false;
    drop_unused(cache, entry);
}

static void set_part(struct cache *cache, struct cache_entry *entry, int64_t bytes)
{
    cache->used_bytes += bytes - entry->part_bytes;
    entry->part_bytes = bytes;
}

static void note_here(struct cache *cache, const struct digest *digest, int64_t size)
{
    struct cache_entry *entry = find_or_add(cache, digest);

    if (entry->is_here)
        cache->used_bytes -= entry->size;
    entry->is_here = true;
    entry->size = size;
    entry->last_used = cache->uses++;
    cache->used_bytes += size;
}

static void note_file(struct cache *cache, const char *name, int64_t size)
{
    struct digest digest;

    if (text_to_exact_bytes(name, DIGEST_BYTES, digest.bytes))
        note_here(cache, &digest, size);
}

static bool is_part_name(const char *name)
{
    size_t length = strlen(name);

    return length == HEX_CHARS + strlen(".part") && strcmp(name + HEX_CHARS, ".part") == 0;
}

/* False: it is no part of anything. */
static bool note_part(struct cache *cache, const char *name, int64_t size)
{
    char hex[HEX_CHARS + 1] = {0};
    struct digest digest;

    if (!is_part_name(name) || size == 0)
        return false;
    memcpy(hex, name, HEX_CHARS);
    if (!text_to_exact_bytes(hex, DIGEST_BYTES, digest.bytes))
        return false;
    set_part(cache, find_or_add(cache, &digest), size);
    return true;
}

static enum status look_at(struct cache *cache, const char *name, struct error *err)
{
    struct disk *disk = disk_of(cache);
    struct disk_path path;
    struct disk_entry entry;

    TRY(data_folder_join(cache->folder, &path, err, "cache/%s", name));
    TRY(disk->look(disk, path.text, &entry, err));
    if (entry.kind == DISK_FILE && strlen(name) == HEX_CHARS)
        note_file(cache, name, entry.size_bytes);
    else if (entry.kind != DISK_FILE || !note_part(cache, name, entry.size_bytes))
        TRY(disk->remove_tree(disk, path.text, err));
    return STATUS_OK;
}

enum status cache_open(struct cache *ret_cache, const struct data_folder *folder, int64_t max_bytes,
                       struct error *err)
{
    CLEANUP(disk_names_clear) struct disk_names names = {0};
    CLEANUP(cache_close) struct cache cache = {.folder = folder, .max_bytes = max_bytes};
    struct disk_path path;

    TRY(data_folder_join(folder, &path, err, "cache"));
    TRY(folder->env->disk->list(folder->env->disk, path.text, &names, err));
    for (size_t i = 0; i < names.count; i++)
        TRY(look_at(&cache, names.names[i], err));
    *ret_cache = cache;
    cache = (struct cache){0};
    return STATUS_OK;
}

void cache_close(struct cache *cache)
{
    free(cache->entries);
    *cache = (struct cache){0};
}

bool cache_has(const struct cache *cache, const struct digest *digest)
{
    const struct cache_entry *entry = find(cache, digest);

    return entry != NULL && entry->is_here;
}

void cache_pin(struct cache *cache, const struct digest *digest, int64_t size)
{
    struct cache_entry *entry = find_or_add(cache, digest);

    entry->pins++;
    if (!entry->is_here)
        entry->size = size;
}

void cache_unpin(struct cache *cache, const struct digest *digest)
{
    struct cache_entry *entry = find(cache, digest);

    assert(entry != NULL && entry->pins > 0);
    entry->pins--;
    drop_unused(cache, entry);
}

static struct cache_entry *least_recently_used(const struct cache *cache)
{
    struct cache_entry *best = NULL;

    for (size_t i = 0; i < cache->count; i++) {
        struct cache_entry *entry = &cache->entries[i];

        if (entry->pins == 0 && (entry->is_here || entry->part_bytes > 0) &&
            (best == NULL || entry->last_used < best->last_used))
            best = entry;
    }
    return best;
}

static enum status evict(struct cache *cache, struct cache_entry *entry, struct error *err)
{
    struct disk *disk = disk_of(cache);
    struct disk_path path;
    enum status status;

    TRY(cache_path(cache, &entry->digest, false, &path, err));
    status = disk->remove(disk, path.text, err);
    if (status == STATUS_OK || status == STATUS_NOT_FOUND) {
        forget(cache, entry);
        return STATUS_OK;
    }
    return status;
}

static enum status remove_part(struct cache *cache, struct cache_entry *entry, struct error *err)
{
    struct disk *disk = disk_of(cache);
    struct disk_path path;
    enum status status;

    TRY(cache_path(cache, &entry->digest, true, &path, err));
    status = disk->remove(disk, path.text, err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND)
        return status;
    set_part(cache, entry, 0);
    return STATUS_OK;
}

/* Its part first: evicting what is here may take the entry away. */
static enum status evict_all(struct cache *cache, struct cache_entry *entry, struct error *err)
{
    if (entry->part_bytes > 0)
        TRY(remove_part(cache, entry, err));
    if (entry->is_here)
        return evict(cache, entry, err);
    drop_unused(cache, entry);
    return STATUS_OK;
}

int64_t cache_room(const struct cache *cache)
{
    int64_t bytes = cache->max_bytes - cache->used_bytes;

    for (size_t i = 0; i < cache->count; i++) {
        const struct cache_entry *entry = &cache->entries[i];

        if (entry->pins == 0)
            bytes += entry->part_bytes + (entry->is_here ? entry->size : 0);
    }
    return bytes;
}

enum status cache_make_room(struct cache *cache, int64_t bytes, struct error *err)
{
    if (bytes > cache->max_bytes)
        return error_set(err, STATUS_TOO_LARGE, "one file is larger than the whole cache may be");
    while (cache->used_bytes + bytes > cache->max_bytes) {
        struct cache_entry *entry = least_recently_used(cache);

        if (entry == NULL)
            return error_set(err, STATUS_FULL, "the cache is full of files that are in use");
        TRY(evict_all(cache, entry, err));
    }
    return STATUS_OK;
}

void cache_give_back(struct cache *cache, int64_t bytes)
{
    int64_t enough = cache->used_bytes - bytes;
    struct cache_entry *entry;
    struct error err = {0};

    while (cache->used_bytes > enough && (entry = least_recently_used(cache)) != NULL)
        if (evict_all(cache, entry, &err) != STATUS_OK) {
            log_failure(LOG_WARN, "cache.not-removed", &err);
            return;
        }
}

int64_t cache_part_bytes(const struct cache *cache, const struct digest *part)
{
    const struct cache_entry *entry = find(cache, part);

    return entry != NULL ? entry->part_bytes : 0;
}

int64_t cache_missing_bytes(const struct cache *cache)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < cache->count; i++)
        if (cache->entries[i].pins > 0 && !cache->entries[i].is_here &&
            bytes < CACHE_COUNTED_MAX - cache->entries[i].size)
            bytes += cache->entries[i].size;
    return bytes;
}

enum status cache_reserve(struct cache *cache, const struct digest *part, int64_t bytes,
                          struct error *err)
{
    struct cache_entry *entry = find_or_add(cache, part);
    int64_t before = entry->part_bytes;
    enum status status;

    entry->pins++; /* it must not make room for itself */
    set_part(cache, entry, 0);
    status = cache_make_room(cache, bytes, err);
    entry = find(cache, part); /* entries moved */
    set_part(cache, entry, status == STATUS_OK ? bytes : before);
    cache_unpin(cache, part);
    return status;
}

void cache_leave_part(struct cache *cache, const struct digest *part, int64_t bytes)
{
    struct cache_entry *entry = find_or_add(cache, part);

    set_part(cache, entry, bytes);
    drop_unused(cache, entry);
}

void cache_drop_part(struct cache *cache, const struct digest *part)
{
    struct cache_entry *entry = find(cache, part);
    struct error err = {0};

    if (entry == NULL || entry->pins > 0 || entry->part_bytes == 0)
        return;
    if (remove_part(cache, entry, &err) != STATUS_OK)
        log_failure(LOG_WARN, "cache.not-removed", &err);
    drop_unused(cache, entry);
}

enum status cache_adopt(struct cache *cache, const struct digest *part, const struct digest *digest,
                        int64_t size, struct error *err)
{
    struct disk *disk = disk_of(cache);
    struct disk_path from, to;
    struct cache_entry *entry = find(cache, part);

    TRY(cache_path(cache, part, true, &from, err));
    TRY(cache_path(cache, digest, false, &to, err));
    TRY(disk->rename(disk, from.text, to.text, err));
    if (entry != NULL) {
        set_part(cache, entry, 0);
        drop_unused(cache, entry);
    }
    note_here(cache, digest, size);
    return STATUS_OK;
}

/* Over whatever a failure may have left there. */
static enum status write_file(struct disk *disk, const char *path, const void *bytes, size_t length,
                              struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    int64_t size;

    TRY(disk->open_write(disk, path, 0600, &file, err));
    TRY(disk->size(file, &size, err));
    if (size > 0)
        TRY(disk->truncate(file, 0, err));
    return length > 0 ? disk->write_at(file, 0, bytes, length, err) : STATUS_OK;
}

enum status cache_put(struct cache *cache, const struct digest *digest, const void *bytes,
                      size_t length, struct error *err)
{
    struct disk *disk = disk_of(cache);
    struct disk_path path;
    enum status status;

    if (cache_has(cache, digest))
        return STATUS_OK;
    TRY(cache_path(cache, digest, false, &path, err));
    TRY(cache_make_room(cache, (int64_t)length, err));
    status = write_file(disk, path.text, bytes, length, err);
    if (status != STATUS_OK) {
        (void)disk->remove(disk, path.text, NULL);
        return status;
    }
    note_here(cache, digest, (int64_t)length);
    return STATUS_OK;
}

void cache_discard(struct cache *cache, const struct digest *digest)
{
    struct cache_entry *entry = find(cache, digest);
    struct error err = {0};

    if (entry == NULL || !entry->is_here)
        return;
    if (evict(cache, entry, &err) != STATUS_OK)
        log_failure(LOG_WARN, "cache.not-removed", &err);
}

void cache_touch(struct cache *cache, const struct digest *digest)
{
    struct cache_entry *entry = find(cache, digest);

    if (entry != NULL)
        entry->last_used = cache->uses++;
}
