#include "client/fetch/slot.h"

#include "sandbox/task_slot.h"

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

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static struct digest part_of(const struct prepared *prepared, const struct needed_file *file)
{
    return cache_part(&prepared->unit.project, &file->digest);
}

void slot_pin(struct cache *cache, const struct prepared *prepared)
{
    for (size_t i = slot_file_count(prepared); i > 0; i--) {
        struct needed_file file = slot_file(prepared, i - 1);
        struct digest part = part_of(prepared, &file);

        cache_pin(cache, &file.digest, file.size);
        cache_pin(cache, &part, 0);
    }
}

void slot_unpin(struct cache *cache, const struct prepared *prepared)
{
    for (size_t i = slot_file_count(prepared); i > 0; i--) {
        struct needed_file file = slot_file(prepared, i - 1);
        struct digest part = part_of(prepared, &file);

        cache_unpin(cache, &file.digest);
        cache_unpin(cache, &part);
    }
}

void slot_drop_parts(struct cache *cache, const struct prepared *prepared)
{
    for (size_t i = slot_file_count(prepared); i > 0; i--) {
        struct needed_file file = slot_file(prepared, i - 1);
        struct digest part = part_of(prepared, &file);

        cache_drop_part(cache, &part);
    }
}

int64_t slot_missing_bytes(const struct cache *cache, const struct prepared *prepared)
{
    int64_t bytes = 0;

    for (size_t i = slot_file_count(prepared); i > 0; i--) {
        struct needed_file file = slot_file(prepared, i - 1);
        struct digest part = part_of(prepared, &file);

        if (!cache_has(cache, &file.digest))
            bytes = room_sum(bytes, file.size - least(file.size, cache_part_bytes(cache, &part)));
    }
    return bytes;
}

struct task_need slot_need(const struct prepared *prepared)
{
    const struct work_unit *unit = &prepared->unit;
    struct task_need need = {.disk = unit->limits.disk_bytes, .outputs = unit->limits.output_bytes};

    for (size_t i = 0; i < prepared->variant.file_count; i++)
        need.files = room_sum(need.files, prepared->variant.files[i].size);
    for (size_t i = 0; i < unit->input_count; i++)
        need.files = room_sum(need.files, unit->inputs[i].size);
    return need;
}

static struct disk *disk_of(const struct slot_work *work)
{
    return work->cache->folder->env->disk;
}

static void close_file(struct slot_work *work)
{
    disk_file_close(work->from);
    disk_file_close(work->to);
    work->from = work->to = NULL;
    if (work->is_hashing)
        hasher_clear(&work->hasher);
    work->is_hashing = false;
    work->done_bytes = 0;
}

/* Whatever lies there: an earlier copy cannot be written to, and may have been changed. */
static enum status open_anew(struct slot_work *work, const struct slot_file *file,
                             struct error *err)
{
    struct disk *disk = disk_of(work);
    struct disk_path target;

    TRY(disk_join(&target, err, "%s/%s", work->slot.text, file->name));
    TRY(disk->remove_tree(disk, target.text, err));
    return disk->open_write(disk, target.text, file->mode, &work->to, err);
}

static enum status open_source(struct slot_work *work, const struct slot_file *file,
                               struct error *err)
{
    struct disk_path source;

    TRY(cache_path(work->cache, &file->digest, false, &source, err));
    return disk_of(work)->open_read(disk_of(work), source.text, &work->from, err);
}

/* It is fetched again. The others are looked at before that. */
static void pass_over(struct slot_work *work, const struct slot_file *file)
{
    close_file(work);
    work->next++;
    work->is_lacking = true;
    cache_discard(work->cache, &file->digest);
}

/* The whole file was copied: is it what was signed? */
static void end_file(struct slot_work *work, const struct slot_file *file)
{
    struct digest digest = hasher_end(&work->hasher);

    if (work->done_bytes != file->size || !digest_equals(&digest, &file->digest)) {
        pass_over(work, file);
        return;
    }
    close_file(work);
    work->next++;
    cache_touch(work->cache, &file->digest);
}

static enum status open_both(struct slot_work *work, const struct slot_file *file,
                             struct error *err)
{
    TRY(open_source(work, file, err));
    TRY(open_anew(work, file, err));
    hasher_init(&work->hasher);
    work->is_hashing = true;
    return STATUS_OK;
}

static enum status copy_chunks(struct slot_work *work, const struct slot_file *file,
                               int64_t *budget, struct error *err)
{
    struct disk *disk = disk_of(work);
    char chunk[CHUNK];
    size_t got;

    while (*budget > 0) {
        TRY(disk->read_at(work->from, work->done_bytes, chunk, sizeof chunk, &got, err));
        if (got == 0) {
            end_file(work, file);
            return STATUS_OK;
        }
        hasher_add(&work->hasher, chunk, got);
        TRY(disk->write_at(work->to, work->done_bytes, chunk, got, err));
        work->done_bytes += (int64_t)got;
        *budget -= (int64_t)got;
    }
    return STATUS_OK;
}

static enum status copy_some(struct slot_work *work, const struct slot_file *file, int64_t *budget,
                             struct error *err)
{
    enum status status = work->to == NULL ? open_both(work, file, err) : STATUS_OK;

    if (status == STATUS_NOT_FOUND && work->from == NULL) {
        pass_over(work, file);
        return STATUS_OK;
    }
    TRY(status);
    return copy_chunks(work, file, budget, err);
}

static enum status write_inline(struct slot_work *work, const struct slot_file *file,
                                int64_t *budget, struct error *err)
{
    TRY(open_anew(work, file, err));
    TRY(disk_of(work)->write_at(work->to, 0, file->bytes, (size_t)file->size, err));
    close_file(work);
    work->next++;
    *budget -= file->size + 1;
    return STATUS_OK;
}

enum status slot_begin(struct slot_work *ret_work, const char *slot, bool keeps_own,
                       struct error *err)
{
    struct disk *disk = disk_of(ret_work);

    TRY(disk_join(&ret_work->slot, err, "%s", slot));
    if (!keeps_own)
        TRY(disk->remove_tree(disk, slot, err));
    return disk->make_folder(disk, slot, 0700, err);
}

enum status slot_go_on(struct slot_work *work, int64_t bytes, bool *ret_is_done, struct error *err)
{
    struct slot_file file;

    *ret_is_done = false;
    while (bytes > 0) {
        if (!task_slot_file(work->prepared, work->next, &file)) {
            if (work->is_lacking)
                return error_set(err, STATUS_NOT_FOUND,
                                 "files in the cache were damaged; they are fetched again");
            *ret_is_done = true;
            return STATUS_OK;
        }
        if (file.bytes != NULL)
            TRY(write_inline(work, &file, &bytes, err));
        else
            TRY(copy_some(work, &file, &bytes, err));
    }
    return STATUS_OK;
}

void slot_work_clear(struct slot_work *work)
{
    close_file(work);
}
