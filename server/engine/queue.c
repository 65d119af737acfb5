#include "server/engine/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "server/engine/lots.h"

struct queue *queue_new(size_t window, struct chance *chance)
{
    struct queue *queue = must_alloc(1, sizeof *queue);

    assert(window >= 1);
    queue->window = window;
    queue->chance = chance;
    return queue;
}

static void forget_all(struct queue *queue)
{
    struct entry *entry;
    size_t cursor = 0;

    while ((entry = map_next(&queue->entries, &cursor)) != NULL) {
        entry->copies = 0; /* its slot frees it */
        if (entry->slots == 0)
            free(entry);
    }
    map_clear(&queue->entries);
}

void queue_free(struct queue *queue)
{
    struct lot *lot;
    size_t cursor = 0;

    if (queue == NULL)
        return;
    forget_all(queue);
    while ((lot = map_next(&queue->lots, &cursor)) != NULL)
        lots_free(lot);
    map_clear(&queue->lots);
    deadlines_clear(&queue->early);
    free(queue);
}

size_t queue_count(const struct queue *queue)
{
    return queue->entries.count + queue->reserved;
}

uint64_t queue_news(const struct queue *queue)
{
    return queue->news;
}

static bool is_issued(const struct lot *lot)
{
    return lot->state == BATCH_OPEN || lot->state == BATCH_CLOSED;
}

int64_t queue_copies(const struct queue *queue)
{
    const struct lot *lot;
    size_t cursor = 0;
    int64_t copies = 0;

    while ((lot = map_next(&queue->lots, &cursor)) != NULL)
        if (is_issued(lot))
            copies += lot->copies;
    return copies;
}

void queue_put_batch(struct queue *queue, const struct batch *batch)
{
    struct lot *lot = lots_of(queue, batch->id);
    bool was_issued = is_issued(lot);

    lot->state = batch->state;
    queue->news += !was_issued && is_issued(lot) && lot->copies > 0;
    lot->turn.priority = batch->priority;
    lot->turn.needed_by_s = batch->needed_by_s;
    lots_drop_if_over(queue, lot);
}

/* A batch that had nothing to give comes back at the present, not with what it missed. */
static void wake(struct queue *queue, struct lot *lot, uint32_t copies)
{
    lot->copies += copies;
    if (lot->live++ == 0)
        lot->turn.virtual_time = fairness_enter(lot->turn.virtual_time, queue->present);
}

/* Before it is there. A unit that had a copy before is news where none of its kind waits. */
static void note_news(struct queue *queue, const struct bucket *bucket, bool is_new)
{
    bool is_empty = line_live(&bucket->line) == 0 && bucket->reserve.units == 0;

    queue->news += (is_new || is_empty) && is_issued(bucket->lot);
}

/* Before its facts change. */
static void leave(struct entry *entry)
{
    struct bucket *bucket = entry->bucket;

    bucket->lot->live--;
    bucket->lot->copies -= entry->copies;
}

/* ---------------------------------------------------------------------------------- the reserve
 */

/* Nothing is known of it but what a reserve keeps, and it comes behind all that is there. */
static bool put_in_reserve(struct queue *queue, struct bucket *bucket,
                           const struct queue_unit *unit)
{
    const struct reserve_unit facts = {.unit = unit->hint.unit,
                                       .memory_bytes = unit->hint.memory_bytes,
                                       .disk_bytes = unit->hint.disk_bytes,
                                       .copies = unit->hint.copies_wanted};

    if (unit->holder_count > 0 || unit->hint.not_before_s > queue->now_s ||
        !reserve_put(&bucket->reserve, &facts))
        return false;
    queue->reserved++;
    note_news(queue, bucket, true);
    wake(queue, bucket->lot, facts.copies);
    return true;
}

/* Still nothing else is known of it. */
static bool stays_in_reserve(const struct bucket *bucket, const struct queue_unit *unit)
{
    struct reserve_unit known;

    return unit->holder_count == 0 && reserve_has(&bucket->reserve, unit->hint.unit, &known) &&
           known.copies == unit->hint.copies_wanted;
}

/* ------------------------------------------------------------------------------------------ units
 */

static void enter_last(struct queue *queue, struct entry *entry)
{
    note_news(queue, entry->bucket, entry->holder_count == 0);
    wake(queue, entry->bucket->lot, entry->copies);
    lots_fill_front(queue, entry->bucket);
    line_append(&entry->bucket->line, entry);
}

/* Behind the window, and at a random place there: copies of one unit come up apart. */
static void enter_apart(struct queue *queue, struct entry *entry)
{
    wake(queue, entry->bucket->lot, entry->copies);
    lots_fill_front(queue, entry->bucket);
    line_insert(&entry->bucket->line, queue->window + chance_below(queue->chance, queue->window),
                entry);
}

static void leave_reserve(struct queue *queue, struct bucket *bucket, int64_t unit)
{
    struct reserve_unit known;
    bool is_there = reserve_take(&bucket->reserve, unit, &known);

    assert(is_there);
    (void)is_there;
    queue->reserved--;
    bucket->lot->live--;
    bucket->lot->copies -= known.copies;
}

static void forget_reserved(struct queue *queue, int64_t unit)
{
    struct bucket *bucket = lots_find_reserve(queue, unit);

    if (bucket == NULL)
        return;
    leave_reserve(queue, bucket, unit);
    lots_drop_if_over(queue, bucket->lot);
}

void queue_forget(struct queue *queue, int64_t unit)
{
    struct entry *entry = map_take(&queue->entries, unit);
    struct lot *lot;

    if (entry == NULL) {
        forget_reserved(queue, unit);
        return;
    }
    lot = entry->bucket->lot;
    if (entry->is_early) {
        lot->early--;
        free(entry);
    } else {
        leave(entry);
        entry->copies = 0; /* its slot frees it */
        line_void(&entry->bucket->line, entry);
    }
    lots_drop_if_over(queue, lot);
}

static void add(struct queue *queue, const struct ready_hint *hint, struct entry *entry)
{
    if (hint->not_before_s <= queue->now_s) {
        enter_last(queue, entry);
        return;
    }
    entry->is_early = true;
    entry->bucket->lot->early++;
    deadlines_add(&queue->early,
                  (struct deadline_hint){.up_s = hint->not_before_s, .unit = hint->unit});
}

static void copy_facts(struct entry *entry, const struct queue_unit *unit)
{
    entry->unit = unit->hint.unit;
    entry->memory_bytes = unit->hint.memory_bytes;
    entry->disk_bytes = unit->hint.disk_bytes;
    entry->copies = unit->hint.copies_wanted;
    entry->independence = unit->independence;
    entry->holder_count = (uint32_t)unit->holder_count;
    memcpy(entry->holders, unit->holders, sizeof entry->holders);
}

/* Of a unit that waits in a line. */
static void change(struct queue *queue, struct bucket *bucket, struct entry *entry,
                   const struct queue_unit *unit)
{
    bool moves =
        !entry->is_early && (entry->bucket != bucket || entry->copies != unit->hint.copies_wanted);

    if (moves) {
        leave(entry);
        line_void(&entry->bucket->line, entry);
    }
    copy_facts(entry, unit);
    entry->bucket = bucket;
    if (moves)
        enter_apart(queue, entry);
}

/* Of one that no line has. */
static void put_new(struct queue *queue, struct bucket *bucket, const struct queue_unit *unit)
{
    struct bucket *reserved = lots_reserve_of(bucket->lot, unit->hint.unit);
    struct entry *entry;

    if (reserved == bucket && stays_in_reserve(bucket, unit))
        return;
    if (reserved == NULL && put_in_reserve(queue, bucket, unit))
        return;
    if (reserved != NULL)
        leave_reserve(queue, reserved, unit->hint.unit);
    entry = lots_entry(queue, bucket, unit->hint.unit);
    copy_facts(entry, unit);
    if (reserved != NULL)
        enter_apart(queue, entry);
    else
        add(queue, &unit->hint, entry);
}

void queue_put(struct queue *queue, const struct queue_unit *unit)
{
    struct entry *entry = map_get(&queue->entries, unit->hint.unit);
    struct bucket *bucket;

    assert(unit->holder_count <= QUEUE_HOLDERS_MAX);
    if (unit->hint.copies_wanted == 0) {
        queue_forget(queue, unit->hint.unit);
        return;
    }
    bucket = lots_bucket_of(queue, &unit->hint);
    if (entry != NULL)
        change(queue, bucket, entry, unit);
    else
        put_new(queue, bucket, unit);
}

void queue_let_in(struct queue *queue, int64_t now_s)
{
    struct deadline_hint hint;

    queue->now_s = now_s;
    while (deadlines_take(&queue->early, now_s, &hint)) {
        struct entry *entry = map_get(&queue->entries, hint.unit);

        if (entry == NULL || !entry->is_early)
            continue;
        entry->is_early = false;
        entry->bucket->lot->early--;
        enter_last(queue, entry);
    }
}
