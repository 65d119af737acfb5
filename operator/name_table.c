#include "operator/name_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

#define CAPACITY_LEAST 1024
#define PROBED         16   /* slots that are read at once, of a table that is at most half full */
#define BLOCK          1024 /* the same while it grows */

static_assert(PROBED <= BLOCK && BLOCK <= CAPACITY_LEAST, "blocks are whole");

struct name_slot {
    struct unit_name_key key;
    int64_t place; /* index + 1; 0: free, as what a file was never given */
};

static enum status open_nameless(struct disk *disk, const char *path, int64_t capacity,
                                 struct disk_file **ret_file, struct error *err)
{
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;

    TRY(disk->open_write(disk, path, 0600, &file, err));
    TRY(disk->remove(disk, path, err));
    TRY(disk->truncate(file, 0, err));
    TRY(disk->truncate(file, capacity * (int64_t)sizeof(struct name_slot), err));
    *ret_file = TAKE(file);
    return STATUS_OK;
}

enum status name_table_make(struct name_table *ret_table, struct disk *disk, const char *path,
                            int64_t expected, struct error *err)
{
    struct name_table table = {.disk = disk, .capacity = CAPACITY_LEAST};

    while (table.capacity / 2 <= expected)
        table.capacity *= 2;
    TRY(open_nameless(disk, path, table.capacity, &table.file, err));
    table.path = text_copy(path);
    *ret_table = table;
    return STATUS_OK;
}

void name_table_clear(struct name_table *table)
{
    disk_file_close(table->file);
    free(table->path);
    *table = (struct name_table){0};
}

static enum status read_slots(const struct name_table *table, int64_t first, size_t count,
                              struct name_slot *ret_slots, struct error *err)
{
    size_t bytes;

    TRY(table->disk->read_at(table->file, first * (int64_t)sizeof *ret_slots, ret_slots,
                             count * sizeof *ret_slots, &bytes, err));
    if (bytes != count * sizeof *ret_slots)
        return error_set(err, STATUS_STORAGE, "the table of the units' names cannot be read");
    return STATUS_OK;
}

/* By the key's first bits: so a table that grows is written in the order in which it is read. */
static int64_t home_of(const struct name_table *table, const struct unit_name_key *key)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < sizeof bits; i++)
        bits = bits << 8 | key->bytes[i];
    return (int64_t)(bits / (UINT64_MAX / (uint64_t)table->capacity + 1));
}

/* Where the key is, or the free slot where it belongs. */
static enum status find(const struct name_table *table, const struct unit_name_key *key,
                        int64_t *ret_at, struct name_slot *ret_slot, struct error *err)
{
    struct name_slot slots[PROBED];
    int64_t at = home_of(table, key);

    for (;;) {
        int64_t left = table->capacity - at;
        size_t count = left < PROBED ? (size_t)left : PROBED;

        TRY(read_slots(table, at, count, slots, err));
        for (size_t i = 0; i < count; i++)
            if (slots[i].place == 0 || memcmp(&slots[i].key, key, sizeof *key) == 0) {
                *ret_at = at + (int64_t)i;
                *ret_slot = slots[i];
                return STATUS_OK;
            }
        at = (at + (int64_t)count) & (table->capacity - 1);
    }
}

static enum status put(struct name_table *table, const struct name_slot *slot, int64_t at,
                       struct error *err)
{
    TRY(table->disk->write_at(table->file, at * (int64_t)sizeof *slot, slot, sizeof *slot, err));
    table->count++;
    return STATUS_OK;
}

static enum status move_slots(struct name_table *to, const struct name_slot *slots, size_t count,
                              struct error *err)
{
    struct name_slot found;
    int64_t at;

    for (size_t i = 0; i < count; i++) {
        if (slots[i].place == 0)
            continue;
        TRY(find(to, &slots[i].key, &at, &found, err));
        TRY(put(to, &slots[i], at, err));
    }
    return STATUS_OK;
}

static enum status grow(struct name_table *table, struct error *err)
{
    CLEANUP(name_table_clear) struct name_table larger = {0};
    struct name_slot slots[BLOCK];
    struct name_table old;

    TRY(name_table_make(&larger, table->disk, table->path, table->capacity / 2, err));
    for (int64_t first = 0; first < table->capacity; first += BLOCK) {
        TRY(read_slots(table, first, BLOCK, slots, err));
        TRY(move_slots(&larger, slots, BLOCK, err));
    }
    old = *table;
    *table = larger;
    larger = old;
    return STATUS_OK;
}

enum status name_table_claim(struct name_table *table, const struct unit_name_key *key,
                             int64_t index, int64_t *ret_other, struct error *err)
{
    struct name_slot slot;
    int64_t at;

    if (table->count >= table->capacity / 2)
        TRY(grow(table, err));
    TRY(find(table, key, &at, &slot, err));
    *ret_other = slot.place != 0 ? slot.place - 1 : index;
    if (slot.place != 0)
        return STATUS_OK;
    slot = (struct name_slot){.key = *key, .place = index + 1};
    return put(table, &slot, at, err);
}
