#include "server/engine/line.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 32
#define VOIDS_MIN      64 /* fewer are not worth a sweep */

static void drop_slot(struct entry *entry)
{
    assert(entry->slots > 0);
    entry->slots--;
    if (entry->slots == 0 && entry->copies == 0)
        free(entry);
}

void line_clear(struct line *line)
{
    for (size_t i = 0; i < line->count; i++)
        drop_slot(line->slots[line->head + i].entry);
    free(line->slots);
    *line = (struct line){0};
}

static bool is_void(const struct line_slot *slot)
{
    return slot->entry->copies == 0 || slot->entry->stamp != slot->stamp;
}

/* Move the slots to the middle of a room for `capacity`, leaving voids behind. */
static void move_to(struct line *line, size_t capacity)
{
    size_t live = line_live(line), at = (capacity - live) / 2;
    struct line moved = {.slots = must_alloc(capacity, sizeof *moved.slots),
                         .capacity = capacity,
                         .head = at,
                         .count = live};

    for (size_t i = 0; i < line->count; i++) {
        struct line_slot *slot = &line->slots[line->head + i];

        if (is_void(slot))
            drop_slot(slot->entry);
        else
            moved.slots[at++] = *slot;
    }
    assert(at == moved.head + live);
    free(line->slots);
    *line = moved;
}

/* Room for one more slot at both ends. */
static void make_room(struct line *line)
{
    bool is_full = line->head == 0 || line->head + line->count == line->capacity;

    if (is_full || (line->voids > VOIDS_MIN && line->voids > line->count / 2))
        move_to(line, line_live(line) * 2 + FIRST_CAPACITY);
}

static void fill(struct line_slot *slot, struct entry *entry)
{
    *slot = (struct line_slot){.entry = entry, .stamp = entry->stamp};
    entry->slots++;
}

void line_append(struct line *line, struct entry *entry)
{
    make_room(line);
    fill(&line->slots[line->head + line->count], entry);
    line->count++;
}

/* Those in front step forward, for places are near the front and lines are long. */
void line_insert(struct line *line, size_t place, struct entry *entry)
{
    if (place >= line->count) {
        line_append(line, entry);
        return;
    }
    make_room(line);
    if (place > line->count)
        place = line->count;
    memmove(&line->slots[line->head - 1], &line->slots[line->head], place * sizeof *line->slots);
    line->head--;
    fill(&line->slots[line->head + place], entry);
    line->count++;
}

static void drop_voids_in_front(struct line *line)
{
    while (line->count > 0 && is_void(&line->slots[line->head])) {
        struct entry *entry = line->slots[line->head].entry;

        line->head++;
        line->count--;
        line->voids--;
        drop_slot(entry);
    }
}

void line_void(struct line *line, struct entry *entry)
{
    entry->stamp++;
    line->voids++;
    drop_voids_in_front(line);
}

struct entry *line_at(const struct line *line, size_t place)
{
    const struct line_slot *slot = &line->slots[line->head + place];

    assert(place < line->count);
    return is_void(slot) ? NULL : slot->entry;
}
