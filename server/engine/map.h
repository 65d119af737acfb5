/* A hash table from row ids to pointers. Ids are > 0; the pointers are the caller's to release. */
#ifndef SERVER_ENGINE_MAP_H
#define SERVER_ENGINE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_slot {
    int64_t id; /* 0: free */
    void *value;
};

/* Zeroed: empty. */
struct map {
    struct map_slot *slots; /* owned; a power of two of them */
    size_t capacity;
    size_t count;
};

void map_clear(struct map *map);

/* NULL: nothing is kept under this id. */
void *map_get(const struct map *map, int64_t id);

/* Keep `value` (not NULL) under `id`, in place of another. */
void map_put(struct map *map, int64_t id, void *value);

/* Forget the id; returns what was kept, or NULL. */
void *map_take(struct map *map, int64_t id);

/* Go through all: begin with *cursor 0; NULL at the end. Change nothing meanwhile. */
void *map_next(const struct map *map, size_t *cursor);

#endif
