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

static void bucket_free(struct bucket *bucket)
{
    line_clear(&bucket->line);
    reserve_clear(&bucket->reserve);
    free(bucket->class_name);
    free(bucket->classes);
    free(bucket->platforms);
    free(bucket);
}

static void lot_free(struct lot *lot)
{
    for (size_t i = 0; i < lot->bucket_count; i++)
        bucket_free(lot->buckets[i]);
    free(lot->buckets);
    free(lot);
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
        lot_free(lot);
    map_clear(&queue->lots);
    deadlines_clear(&queue->early);
    free(queue);
}

size_t queue_count(const struct queue *queue)
{
    return queue->entries.count + queue->reserved;
}

static struct lot *lot_of(struct queue *queue, int64_t batch)
{
    struct lot *lot = map_get(&queue->lots, batch);

    if (lot != NULL)
        return lot;
    lot = must_alloc(1, sizeof *lot);
    lot->batch = batch;
    lot->turn.virtual_time = queue->present;
    map_put(&queue->lots, batch, lot);
    return lot;
}

static bool is_over(const struct lot *lot)
{
    return lot->state == BATCH_CANCELLED || lot->state == BATCH_FINISHED;
}

/* Once nothing of it waits: entries point to the lot. */
static void drop_if_over(struct queue *queue, struct lot *lot)
{
    if (is_over(lot) && lot->live == 0 && lot->early == 0)
        lot_free(map_take(&queue->lots, lot->batch));
}

void queue_put_batch(struct queue *queue, const struct batch *batch)
{
    struct lot *lot = lot_of(queue, batch->id);

    lot->state = batch->state;
    lot->turn.priority = batch->priority;
    lot->turn.needed_by_s = batch->needed_by_s;
    drop_if_over(queue, lot);
}

/* To an eighth of an octave: few buckets, and none mixes small needs with large ones. */
static int64_t size_class(int64_t bytes)
{
    int64_t octave = 0;

    while (bytes >> octave > 15)
        octave++;
    return octave * 16 + (bytes >> octave);
}

static bool is_bucket_of(const struct bucket *bucket, const struct ready_hint *hint)
{
    return bucket->app_version == hint->app_version &&
           bucket->memory_class == size_class(hint->memory_bytes) &&
           bucket->disk_class == size_class(hint->disk_bytes) &&
           strcmp(bucket->class_name, hint->class_name) == 0 &&
           strcmp(bucket->classes, hint->classes) == 0 &&
           strcmp(bucket->platforms, hint->platforms) == 0;
}

static struct bucket *add_bucket(struct lot *lot, const struct ready_hint *hint)
{
    struct bucket *bucket = must_alloc(1, sizeof *bucket);

    *bucket = (struct bucket){.lot = lot,
                              .app_version = hint->app_version,
                              .memory_class = size_class(hint->memory_bytes),
                              .disk_class = size_class(hint->disk_bytes),
                              .class_name = text_copy(hint->class_name),
                              .classes = text_copy(hint->classes),
                              .platforms = text_copy(hint->platforms),
                              .least_memory_bytes = hint->memory_bytes,
                              .least_disk_bytes = hint->disk_bytes};
    lot->buckets = realloc(lot->buckets, (lot->bucket_count + 1) * sizeof(struct bucket *));
    if (lot->buckets == NULL)
        abort();
    lot->buckets[lot->bucket_count++] = bucket;
    return bucket;
}

/* The newest first: units of a batch mostly come one like the other. */
static struct bucket *bucket_of(struct queue *queue, const struct ready_hint *hint)
{
    struct lot *lot = lot_of(queue, hint->batch);
    struct bucket *bucket = NULL;

    for (size_t i = lot->bucket_count; i > 0 && bucket == NULL; i--)
        if (is_bucket_of(lot->buckets[i - 1], hint))
            bucket = lot->buckets[i - 1];
    if (bucket == NULL)
        bucket = add_bucket(lot, hint);
    if (hint->memory_bytes < bucket->least_memory_bytes)
        bucket->least_memory_bytes = hint->memory_bytes;
    if (hint->disk_bytes < bucket->least_disk_bytes)
        bucket->least_disk_bytes = hint->disk_bytes;
    return bucket;
}

/* A batch that had nothing to give comes back at the present, not with what it missed. */
static void wake(struct queue *queue, struct lot *lot)
{
    if (lot->live++ == 0)
        lot->turn.virtual_time = fairness_enter(lot->turn.virtual_time, queue->present);
}

static void leave(struct entry *entry)
{
    struct bucket *bucket = entry->bucket;

    bucket->lot->live--;
    line_void(&bucket->line, entry);
}

/* ---------------------------------------------------------------------------------- the reserve
 */

static struct bucket *reserve_of(const struct lot *lot, int64_t unit)
{
    for (size_t i = 0; i < lot->bucket_count; i++)
        if (reserve_has(&lot->buckets[i]->reserve, unit, NULL))
            return lot->buckets[i];
    return NULL;
}

static struct entry *entry_of(struct queue *queue, struct bucket *bucket, int64_t unit)
{
    struct entry *entry = must_alloc(1, sizeof *entry);

    entry->unit = unit;
    entry->bucket = bucket;
    map_put(&queue->entries, unit, entry);
    return entry;
}

static struct entry *take_out(struct queue *queue, struct bucket *bucket, int64_t unit)
{
    struct entry *entry = entry_of(queue, bucket, unit);
    struct reserve_unit known;
    bool is_there = reserve_take(&bucket->reserve, unit, &known);

    assert(is_there);
    (void)is_there;
    queue->reserved--;
    entry->memory_bytes = known.memory_bytes;
    entry->disk_bytes = known.disk_bytes;
    entry->copies = known.copies;
    return entry;
}

void lots_bring_out(struct queue *queue, struct bucket *bucket, size_t count)
{
    for (; count > 0 && bucket->reserve.units > 0; count--)
        line_append(&bucket->line, take_out(queue, bucket, reserve_first(&bucket->reserve)));
}

void lots_bring_out_somewhere(struct queue *queue, struct bucket *bucket, size_t count)
{
    int64_t unit = reserve_somewhere(&bucket->reserve, queue->chance);

    for (; count > 0 && reserve_has(&bucket->reserve, unit, NULL); count--)
        line_append(&bucket->line, take_out(queue, bucket, unit++));
}

/* Further copies of a unit enter up to two windows behind the first place: so much is in front. */
void lots_fill_front(struct queue *queue, struct bucket *bucket)
{
    size_t live = line_live(&bucket->line), front = 2 * queue->window;

    lots_bring_out(queue, bucket, live < front ? front - live : 0);
}

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
    wake(queue, bucket->lot);
    return true;
}

/* Still nothing else is known of it. */
static bool stays_in_reserve(const struct bucket *bucket, const struct queue_unit *unit)
{
    struct reserve_unit known;

    return unit->holder_count == 0 && reserve_has(&bucket->reserve, unit->hint.unit, &known) &&
           known.copies == unit->hint.copies_wanted;
}

static struct bucket *find_reserve(struct queue *queue, int64_t unit)
{
    struct lot *lot;
    size_t cursor = 0;

    while ((lot = map_next(&queue->lots, &cursor)) != NULL) {
        struct bucket *bucket = reserve_of(lot, unit);

        if (bucket != NULL)
            return bucket;
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------------ units
 */

static void enter_last(struct queue *queue, struct entry *entry)
{
    wake(queue, entry->bucket->lot);
    lots_fill_front(queue, entry->bucket);
    line_append(&entry->bucket->line, entry);
}

/* Behind the window, and at a random place there: copies of one unit come up apart. */
static void enter_apart(struct queue *queue, struct entry *entry)
{
    wake(queue, entry->bucket->lot);
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
}

static void forget_reserved(struct queue *queue, int64_t unit)
{
    struct bucket *bucket = find_reserve(queue, unit);

    if (bucket == NULL)
        return;
    leave_reserve(queue, bucket, unit);
    drop_if_over(queue, bucket->lot);
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
    entry->copies = 0;
    if (entry->is_early) {
        lot->early--;
        free(entry);
    } else {
        leave(entry);
    }
    drop_if_over(queue, lot);
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

    if (moves)
        leave(entry);
    copy_facts(entry, unit);
    entry->bucket = bucket;
    if (moves)
        enter_apart(queue, entry);
}

/* Of one that no line has. */
static void put_new(struct queue *queue, struct bucket *bucket, const struct queue_unit *unit)
{
    struct bucket *reserved = reserve_of(bucket->lot, unit->hint.unit);
    struct entry *entry;

    if (reserved == bucket && stays_in_reserve(bucket, unit))
        return;
    if (reserved == NULL && put_in_reserve(queue, bucket, unit))
        return;
    if (reserved != NULL)
        leave_reserve(queue, reserved, unit->hint.unit);
    entry = entry_of(queue, bucket, unit->hint.unit);
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
    bucket = bucket_of(queue, &unit->hint);
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
