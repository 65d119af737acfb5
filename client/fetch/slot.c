#include "client/fetch/slot.h"

#define CHUNK 65536

static size_t inputs_to_fetch(const struct work_unit *unit)
{
    size_t count = 0;

    for (size_t i = 0; i < unit->input_count; i++)
        count += unit->inputs[i].is_inline ? 0 : 1;
    return count;
}

size_t slot_file_count(const struct prepared *prepared)
{
    return prepared->variant.file_count + inputs_to_fetch(&prepared->unit);
}

struct needed_file slot_file(const struct prepared *prepared, size_t index)
{
    const struct variant *variant = &prepared->variant;
    const struct work_unit *unit = &prepared->unit;
    size_t i = 0;

    if (index < variant->file_count)
        return (struct needed_file){.digest = variant->files[index].digest,
                                    .size = variant->files[index].size,
                                    .is_of_app = true};
    index -= variant->file_count;
    while (unit->inputs[i].is_inline || index > 0) {
        index -= unit->inputs[i].is_inline ? 0 : 1;
        i++;
    }
    return (struct needed_file){.digest = unit->inputs[i].digest, .size = unit->inputs[i].size};
}

bool slot_next_missing(struct cache *cache, const struct prepared *prepared,
                       struct needed_file *ret_file)
{
    size_t count = slot_file_count(prepared);

    for (size_t i = 0; i < count; i++) {
        *ret_file = slot_file(prepared, i);
        if (!cache_has(cache, &ret_file->digest))
            return true;
    }
    return false;
}

struct placing {
    struct cache *cache;
    const char *slot;
};

struct wanted_file {
    const char *name;
    struct digest digest;
    int64_t size;
    unsigned mode;
};

static enum status copy_bytes(struct disk *disk, struct disk_file *from, struct disk_file *to,
                              struct hasher *hasher, int64_t *ret_size, struct error *err)
{
    char chunk[CHUNK];
    int64_t done = 0;
    size_t got;

    for (;;) {
        TRY(disk->read_at(from, done, chunk, sizeof chunk, &got, err));
        if (got == 0)
            break;
        hasher_add(hasher, chunk, got);
        TRY(disk->write_at(to, done, chunk, got, err));
        done += (int64_t)got;
    }
    *ret_size = done;
    return STATUS_OK;
}

/* Whatever lies there: an earlier copy cannot be written to, and may have been changed. */
static enum status open_anew(const struct placing *placing, const char *name, unsigned mode,
                             struct disk_file **ret_file, struct error *err)
{
    struct disk *disk = placing->cache->folder->env->disk;
    struct disk_path target;

    TRY(disk_join(&target, err, "%s/%s", placing->slot, name));
    TRY(disk->remove_tree(disk, target.text, err));
    return disk->open_write(disk, target.text, mode, ret_file, err);
}

static enum status place(const struct placing *placing, const struct wanted_file *file,
                         struct error *err)
{
    struct disk *disk = placing->cache->folder->env->disk;
    CLEANUP(disk_file_closep) struct disk_file *from = NULL;
    CLEANUP(disk_file_closep) struct disk_file *to = NULL;
    CLEANUP(hasher_clear) struct hasher hasher;
    struct disk_path source;
    struct digest digest;
    int64_t size;

    hasher_init(&hasher);
    TRY(cache_path(placing->cache, &file->digest, false, &source, err));
    TRY(disk->open_read(disk, source.text, &from, err));
    TRY(open_anew(placing, file->name, file->mode, &to, err));
    TRY(copy_bytes(disk, from, to, &hasher, &size, err));
    digest = hasher_end(&hasher);
    if (size == file->size && digest_equals(&digest, &file->digest)) {
        cache_touch(placing->cache, &file->digest);
        return STATUS_OK;
    }
    cache_discard(placing->cache, &file->digest);
    return error_set(err, STATUS_NOT_FOUND, "a file in the cache was damaged; it is fetched again");
}

static enum status place_input(const struct placing *placing, const struct work_input *input,
                               struct error *err)
{
    struct disk *disk = placing->cache->folder->env->disk;
    CLEANUP(disk_file_closep) struct disk_file *to = NULL;
    struct wanted_file file = {
        .name = input->name.text, .digest = input->digest, .size = input->size, .mode = 0400};

    if (!input->is_inline)
        return place(placing, &file, err);
    TRY(open_anew(placing, input->name.text, 0400, &to, err));
    return disk->write_at(to, 0, input->bytes, (size_t)input->size, err);
}

static enum status place_all(const struct placing *placing, const struct prepared *prepared,
                             struct error *err)
{
    for (size_t i = 0; i < prepared->variant.file_count; i++) {
        const struct variant_file *it = &prepared->variant.files[i];
        struct wanted_file file = {.name = it->name.text,
                                   .digest = it->digest,
                                   .size = it->size,
                                   .mode = it->executable ? 0500 : 0400};

        TRY(place(placing, &file, err));
    }
    for (size_t i = 0; i < prepared->unit.input_count; i++)
        TRY(place_input(placing, &prepared->unit.inputs[i], err));
    return STATUS_OK;
}

enum status slot_build(struct cache *cache, const struct prepared *prepared, const char *slot,
                       bool keeps_own, struct error *err)
{
    struct disk *disk = cache->folder->env->disk;
    const struct placing placing = {.cache = cache, .slot = slot};

    if (!keeps_own)
        TRY(disk->remove_tree(disk, slot, err));
    TRY(disk->make_folder(disk, slot, 0700, err));
    return place_all(&placing, prepared, err);
}
