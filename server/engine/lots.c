#include "server/engine/lots.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

static void bucket_free(struct bucket *bucket)
{
    line_clear(&bucket->line);
    reserve_clear(&bucket->reserve);
    free(bucket->class_name);
    free(bucket->classes);
    free(bucket->platforms);
    free(bucket);
}

void lots_free(struct lot *lot)
{
    for (size_t i = 0; i < lot->bucket_count; i++)
        bucket_free(lot->buckets[i]);
    free(lot->buckets);
    free(lot);
}

struct lot *lots_of(struct queue *queue, int64_t batch)
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
void lots_drop_if_over(struct queue *queue, struct lot *lot)
{
    if (is_over(lot) && lot->live == 0 && lot->early == 0)
        lots_free(map_take(&queue->lots, lot->batch));
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
    return bucket->app_version == hint->app_version && bucket->signer == hint->signer &&
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
                              .signer = hint->signer,
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
struct bucket *lots_bucket_of(struct queue *queue, const struct ready_hint *hint)
{
    struct lot *lot = lots_of(queue, hint->batch);
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

/* ---------------------------------------------------------------------------------- the reserve
 */

struct bucket *lots_reserve_of(const struct lot *lot, int64_t unit)
{
    for (size_t i = 0; i < lot->bucket_count; i++)
        if (reserve_has(&lot->buckets[i]->reserve, unit, NULL))
            return lot->buckets[i];
    return NULL;
}

struct entry *lots_entry(struct queue *queue, struct bucket *bucket, int64_t unit)
{
    struct entry *entry = must_alloc(1, sizeof *entry);

    entry->unit = unit;
    entry->bucket = bucket;
    map_put(&queue->entries, unit, entry);
    return entry;
}

static struct entry *take_out(struct queue *queue, struct bucket *bucket, int64_t unit)
{
    struct entry *entry = lots_entry(queue, bucket, unit);
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

struct bucket *lots_find_reserve(struct queue *queue, int64_t unit)
{
    struct lot *lot;
    size_t cursor = 0;

    while ((lot = map_next(&queue->lots, &cursor)) != NULL) {
        struct bucket *bucket = lots_reserve_of(lot, unit);

        if (bucket != NULL)
            return bucket;
    }
    return NULL;
}
