/* Which units of the queue a host is shown, and in which order. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "server/engine/lots.h"

#define SCAN_MAX    4096 /* slots looked at from one place of a line */
#define BUCKETS_MAX 4096 /* buckets looked at per batch */

/* What one batch has for the host that seeks. */
struct offer {
    struct lot *lot;
    struct entry **entries; /* owned; NULL: not looked yet */
    size_t count;
};

struct draw {
    struct queue *queue;
    const struct queue_seek *seek;
    struct queue_lack *lack;
    struct offer *offers; /* owned */
    size_t offer_count;
};

static void note_lack(struct queue_lack *lack, enum match_result result)
{
    if (result > lack->nearest)
        lack->nearest = result;
}

static bool holds_copy(const struct entry *entry, const struct identity *who)
{
    for (uint32_t i = 0; i < entry->holder_count; i++)
        if (entry->holders[i] == identity_named(who, entry->independence))
            return true;
    return false;
}

static bool is_worth_a_look(struct draw *draw, const struct entry *entry)
{
    const struct queue_seek *seek = draw->seek;

    if (entry->visit == seek->visit)
        return false;
    if (entry->cycle == seek->cycle && entry->promised >= entry->copies)
        return false;
    if (entry->memory_bytes > seek->memory_bytes)
        note_lack(draw->lack, MATCH_MEMORY);
    else if (entry->disk_bytes > seek->disk_bytes)
        note_lack(draw->lack, MATCH_DISK);
    else if (holds_copy(entry, &seek->identity))
        note_lack(draw->lack, MATCH_IDENTITY);
    else
        return true;
    return false;
}

/* Up to a window's worth of a line, from `place` on. */
static size_t scan(struct draw *draw, const struct line *line, size_t place, struct offer *offer,
                   size_t room)
{
    size_t end = place + SCAN_MAX < line->count ? place + SCAN_MAX : line->count;
    size_t found = 0;

    for (; place < end && found < room; place++) {
        struct entry *entry = line_at(line, place);

        if (entry == NULL || !is_worth_a_look(draw, entry))
            continue;
        offer->entries[offer->count++] = entry;
        found++;
    }
    return found;
}

static bool is_open_to(struct draw *draw, const struct bucket *bucket)
{
    struct queue_bucket facts = {.app_version = bucket->app_version,
                                 .signer = bucket->signer,
                                 .class_name = bucket->class_name,
                                 .classes = bucket->classes,
                                 .platforms = bucket->platforms,
                                 .least_memory_bytes = bucket->least_memory_bytes,
                                 .least_disk_bytes = bucket->least_disk_bytes};
    enum match_result result;

    if (line_live(&bucket->line) + bucket->reserve.units == 0)
        return false;
    result = draw->seek->judge(draw->seek->context, &facts);
    note_lack(draw->lack, result);
    return result == MATCH_YES;
}

/*
 * Where the front of a long line is full of what this host may not have, look at a random place,
 * too: so nothing in front blocks what is behind for ever.
 */
static void look_behind(struct draw *draw, struct bucket *bucket, struct offer *offer)
{
    const struct line *line = &bucket->line;
    size_t front = line->count < SCAN_MAX ? line->count : SCAN_MAX;
    size_t behind = line->count - front + bucket->reserve.units;
    size_t place;

    if (behind == 0)
        return;
    place = front + chance_below(draw->queue->chance, behind);
    if (place >= line->count) {
        place = line->count;
        lots_bring_out_somewhere(draw->queue, bucket, draw->queue->window);
    }
    (void)scan(draw, line, place, offer, draw->queue->window);
}

static void add_window(struct draw *draw, struct bucket *bucket, struct offer *offer)
{
    const struct line *line = &bucket->line;
    size_t window = draw->queue->window, place = 0, found = 0;

    offer->entries = realloc(offer->entries, (offer->count + window) * sizeof(struct entry *));
    if (offer->entries == NULL)
        abort();
    lots_fill_front(draw->queue, bucket);
    while (found < window && place < line->count && place < SCAN_MAX) {
        found += scan(draw, line, place, offer, window - found);
        place = line->count;
        if (found < window && place < SCAN_MAX)
            lots_bring_out(draw->queue, bucket, window);
    }
    if (found == 0)
        look_behind(draw, bucket, offer);
}

static void look(struct draw *draw, struct offer *offer)
{
    struct lot *lot = offer->lot;
    size_t most = lot->bucket_count < BUCKETS_MAX ? lot->bucket_count : BUCKETS_MAX;
    size_t first = chance_below(draw->queue->chance, lot->bucket_count);

    offer->entries = must_alloc(1, sizeof(struct entry *));
    for (size_t i = 0; i < most; i++) {
        struct bucket *bucket = lot->buckets[(first + i) % lot->bucket_count];

        if (is_open_to(draw, bucket))
            add_window(draw, bucket, offer);
    }
}

static bool comes_first(const struct offer *a, const struct offer *b)
{
    return b == NULL || fairness_compare(&a->lot->turn, &b->lot->turn) < 0;
}

/* The batch whose turn it is, among those that have something; NULL: none has. */
static struct offer *next_offer(struct draw *draw)
{
    for (;;) {
        struct offer *best = NULL;

        for (size_t i = 0; i < draw->offer_count; i++) {
            struct offer *offer = &draw->offers[i];

            if ((offer->entries == NULL || offer->count > 0) && comes_first(offer, best))
                best = offer;
        }
        if (best == NULL || best->entries != NULL)
            return best;
        look(draw, best);
    }
}

static struct entry *take_one(struct draw *draw, struct offer *offer)
{
    size_t at = chance_below(draw->queue->chance, offer->count);
    struct entry *entry = offer->entries[at];

    offer->entries[at] = offer->entries[--offer->count];
    entry->visit = draw->seek->visit;
    return entry;
}

static void promise(struct draw *draw, struct lot *lot, struct entry *entry)
{
    if (entry->cycle != draw->seek->cycle)
        entry->promised = 0;
    entry->cycle = draw->seek->cycle;
    entry->promised++;
    draw->queue->present = lot->turn.virtual_time;
    lot->turn.virtual_time = fairness_charge(lot->turn.virtual_time, 1, lot->turn.priority);
}

static void gather_offers(struct draw *draw)
{
    struct lot *lot;
    size_t cursor = 0;

    draw->offers = must_alloc(draw->queue->lots.count, sizeof *draw->offers);
    while ((lot = map_next(&draw->queue->lots, &cursor)) != NULL) {
        bool is_live = lot->live > 0;

        draw->lack->is_empty = draw->lack->is_empty && !is_live;
        draw->lack->is_held = draw->lack->is_held || (is_live && lot->state == BATCH_HELD);
        draw->lack->is_paused = draw->lack->is_paused || (is_live && lot->state == BATCH_PAUSED);
        if (is_live && (lot->state == BATCH_OPEN || lot->state == BATCH_CLOSED))
            draw->offers[draw->offer_count++] = (struct offer){.lot = lot};
    }
}

static void draw_clear(struct draw *draw)
{
    for (size_t i = 0; i < draw->offer_count; i++)
        free(draw->offers[i].entries);
    free(draw->offers);
}

size_t queue_draw(struct queue *queue, const struct queue_seek *seek, int64_t *ret_units,
                  struct queue_lack *ret_lack)
{
    CLEANUP(draw_clear) struct draw draw = {.queue = queue, .seek = seek, .lack = ret_lack};
    size_t count = 0;

    assert(seek->want <= QUEUE_DRAW_MAX && seek->spare <= QUEUE_DRAW_MAX);
    *ret_lack = (struct queue_lack){.is_empty = true, .nearest = MATCH_YES};
    gather_offers(&draw);
    while (count < seek->want + seek->spare) {
        struct offer *offer = next_offer(&draw);
        struct entry *entry;

        if (offer == NULL)
            break;
        entry = take_one(&draw, offer);
        if (count < seek->want)
            promise(&draw, offer->lot, entry);
        ret_units[count++] = entry->unit;
    }
    return count;
}
