#include "server/engine/map.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/cleanup.h"

#define FIRST_CAPACITY 64

/* Ids count up, and neighbours must not crowd: Knuth's multiplicative hash (TAOCP 3, 6.4). */
static size_t home_of(const struct map *map, int64_t id)
{
    uint64_t hash = (uint64_t)id * UINT64_C(0x9E3779B97F4A7C15);

    return (size_t)(hash >> 20) & (map->capacity - 1);
}

static size_t find(const struct map *map, int64_t id)
{
    size_t at = home_of(map, id);

    while (map->slots[at].id != 0 && map->slots[at].id != id)
        at = (at + 1) & (map->capacity - 1);
    return at;
}

static void grow(struct map *map)
{
    struct map bigger = {.capacity = map->capacity > 0 ? map->capacity * 2 : FIRST_CAPACITY,
                         .count = map->count};

    bigger.slots = must_alloc(bigger.capacity, sizeof *bigger.slots);
    for (size_t i = 0; i < map->capacity; i++)
        if (map->slots[i].id != 0)
            bigger.slots[find(&bigger, map->slots[i].id)] = map->slots[i];
    free(map->slots);
    *map = bigger;
}

void map_clear(struct map *map)
{
    free(map->slots);
    *map = (struct map){0};
}

void *map_get(const struct map *map, int64_t id)
{
    return map->capacity > 0 ? map->slots[find(map, id)].value : NULL;
}

void map_put(struct map *map, int64_t id, void *value)
{
    size_t at;

    assert(id > 0 && value != NULL);
    if (map->count * 4 >= map->capacity * 3)
        grow(map);
    at = find(map, id);
    map->count += map->slots[at].id == 0;
    map->slots[at] = (struct map_slot){.id = id, .value = value};
}

/* What follows in the same run moves up, so that no search ends at the hole. */
static void close_hole(struct map *map, size_t hole)
{
    size_t mask = map->capacity - 1;

    for (size_t at = (hole + 1) & mask; map->slots[at].id != 0; at = (at + 1) & mask) {
        size_t home = home_of(map, map->slots[at].id);

        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        map->slots[hole] = map->slots[at];
        hole = at;
    }
    map->slots[hole] = (struct map_slot){0};
}

void *map_take(struct map *map, int64_t id)
{
    size_t at;
    void *value;

    if (map->capacity == 0)
        return NULL;
    at = find(map, id);
    value = map->slots[at].value;
    if (map->slots[at].id == 0)
        return NULL;
    map->count--;
    close_hole(map, at);
    return value;
}

void *map_next(const struct map *map, size_t *cursor)
{
    while (*cursor < map->capacity) {
        const struct map_slot *slot = &map->slots[(*cursor)++];

        if (slot->id != 0)
            return slot->value;
    }
    return NULL;
}
