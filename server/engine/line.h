/*
 * Units of one bucket in the order in which they come up. Leaving is lazy: a unit that goes away or
 * to another place leaves a void slot behind, and voids are swept out when they are many.
 */
#ifndef SERVER_ENGINE_LINE_H
#define SERVER_ENGINE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/engine/queue.h"

struct bucket;

/* A unit that waits. Lives until it is forgotten and no slot points to it any more. */
struct entry {
    int64_t unit;
    int64_t memory_bytes;
    int64_t disk_bytes;
    int64_t holders[QUEUE_HOLDERS_MAX];
    enum independence independence; /* what `holders` are */
    struct bucket *bucket;          /* where it waits */
    uint32_t holder_count;
    uint32_t copies;   /* that it wants; 0: forgotten */
    uint32_t stamp;    /* slots with another one are void */
    uint32_t slots;    /* that point here */
    uint32_t cycle;    /* of which `promised` speaks */
    uint32_t promised; /* copies */
    uint32_t visit;    /* that looked at it last */
    bool is_early;     /* its validity has not begun: in no line */
};

struct line_slot {
    struct entry *entry;
    uint32_t stamp;
};

/* Zeroed: empty. Slots head..head + count are in use. */
struct line {
    struct line_slot *slots; /* owned */
    size_t capacity;
    size_t head;
    size_t count;
    size_t voids; /* among them */
};

void line_clear(struct line *line);

/* At the end, or so many slots behind the first one. */
void line_append(struct line *line, struct entry *entry);
void line_insert(struct line *line, size_t place, struct entry *entry);

/* The entry leaves its place: call this first, then line_insert() it elsewhere, or forget it. An
 * entry with no copies that no slot points to any more is freed. */
void line_void(struct line *line, struct entry *entry);

/* The entry in slot `place`; NULL: it is void. */
struct entry *line_at(const struct line *line, size_t place);

static inline size_t line_live(const struct line *line)
{
    return line->count - line->voids;
}

#endif
