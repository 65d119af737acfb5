#include "operator/name_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

#define BLOCK 4096 /* names that are read or written at once */

enum status name_list_make(struct name_list *ret_list, struct disk *disk, const char *path,
                           struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;

    TRY(disk->open_write(disk, path, 0600, &file, err));
    TRY(disk->remove(disk, path, err));
    TRY(disk->truncate(file, 0, err));
    *ret_list = (struct name_list){
        .disk = disk, .file = TAKE(file), .held = must_alloc(BLOCK, sizeof(struct unit_name_key))};
    return STATUS_OK;
}

void name_list_clear(struct name_list *list)
{
    disk_file_close(list->file);
    free(list->held);
    *list = (struct name_list){0};
}

static enum status write_held(struct name_list *list, struct error *err)
{
    int64_t first = list->count - (int64_t)list->held_count;

    TRY(list->disk->write_at(list->file, first * UNIT_NAME_KEY_BYTES, list->held,
                             list->held_count * UNIT_NAME_KEY_BYTES, err));
    list->held_count = 0;
    return STATUS_OK;
}

enum status name_list_add(struct name_list *list, const struct unit_name_key *key,
                          struct error *err)
{
    list->held[list->held_count++] = *key;
    list->count++;
    return list->held_count == BLOCK ? write_held(list, err) : STATUS_OK;
}

enum status name_list_end(struct name_list *list, struct error *err)
{
    return write_held(list, err);
}

static bool is_none(const struct unit_name_key *key)
{
    static const struct unit_name_key none;

    return memcmp(key, &none, sizeof none) == 0;
}

/* Up to BLOCK names from `first` on. */
static enum status read_block(const struct name_list *list, int64_t first,
                              struct unit_name_key *ret_keys, size_t *ret_count, struct error *err)
{
    size_t count = list->count - first < BLOCK ? (size_t)(list->count - first) : BLOCK;
    size_t bytes;

    TRY(list->disk->read_at(list->file, first * UNIT_NAME_KEY_BYTES, ret_keys,
                            count * sizeof *ret_keys, &bytes, err));
    if (bytes != count * sizeof *ret_keys)
        return error_set(err, STATUS_STORAGE, "the list of the units' names cannot be read");
    *ret_count = count;
    return STATUS_OK;
}

enum status name_list_fill(struct name_list *list, struct unit_name_key (*name_of)(int64_t index),
                           int64_t first_index, struct error *err)
{
    struct unit_name_key *keys = list->held;
    size_t count;

    assert(list->held_count == 0);
    for (int64_t first = 0; first < list->count; first += BLOCK) {
        TRY(read_block(list, first, keys, &count, err));
        for (size_t i = 0; i < count; i++)
            if (is_none(&keys[i]))
                keys[i] = name_of(first_index + first + (int64_t)i);
        TRY(list->disk->write_at(list->file, first * UNIT_NAME_KEY_BYTES, keys,
                                 count * sizeof *keys, err));
    }
    return STATUS_OK;
}

/* --- comparing --- */

/* Those names whose key falls to `part` of `parts`. */
struct comparison {
    struct unit_names names;
    struct unit_name_key *keys; /* BLOCK */
    int64_t part, parts;
    int64_t place; /* of the list at hand's first name */
    struct name_twice *twice;
};

static void comparison_clear(struct comparison *comparison)
{
    unit_names_clear(&comparison->names);
    free(comparison->keys);
}

static bool is_in_part(const struct comparison *comparison, const struct unit_name_key *key)
{
    uint32_t bits;

    memcpy(&bits, key->bytes + UNIT_NAME_KEY_BYTES - sizeof bits, sizeof bits);
    return bits % (uint32_t)comparison->parts == (uint32_t)comparison->part && !is_none(key);
}

static enum status compare_list(struct comparison *comparison, const struct name_list *list,
                                struct error *err)
{
    struct name_twice *twice = comparison->twice;
    size_t count;

    for (int64_t first = 0; first < list->count && !twice->is_there; first += BLOCK) {
        TRY(read_block(list, first, comparison->keys, &count, err));
        for (size_t i = 0; i < count && !twice->is_there; i++) {
            twice->second = comparison->place + first + (int64_t)i;
            twice->is_there = is_in_part(comparison, &comparison->keys[i]) &&
                              !unit_names_claim(&comparison->names, &comparison->keys[i],
                                                twice->second, &twice->first);
        }
    }
    comparison->place += list->count;
    return STATUS_OK;
}

enum status name_lists_compare(const struct name_list *const *lists, size_t count,
                               struct name_twice *ret_twice, struct error *err)
{
    int64_t all = 0, parts;

    *ret_twice = (struct name_twice){.is_there = false};
    for (size_t i = 0; i < count; i++)
        all += lists[i]->count;
    parts = all / NAME_LIST_PART + 1;
    for (int64_t part = 0; part < parts && !ret_twice->is_there; part++) {
        CLEANUP(comparison_clear)
        struct comparison comparison = {.keys = must_alloc(BLOCK, sizeof(struct unit_name_key)),
                                        .part = part,
                                        .parts = parts,
                                        .twice = ret_twice};

        for (size_t i = 0; i < count && !ret_twice->is_there; i++)
            TRY(compare_list(&comparison, lists[i], err));
    }
    return STATUS_OK;
}
