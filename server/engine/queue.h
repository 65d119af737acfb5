/*
 * Units that want copies, as far as the engine remembers: hints, rebuilt from the store at start,
 * corrected whenever a unit was loaded, and never the ground of a decision.
 *
 * Units wait in buckets of what decides at once for many of them whether a host may have one:
 * batch, app version, signer, pinned class, signed platforms and classes, memory and disk. A visit
 * skips a bucket as a whole, so that a million units it may not have cost it one comparison.
 *
 * From a bucket a unit is drawn at random out of the window of its first ones, and a unit's further
 * copies enter behind the window, each at a random place: nobody can steer who shares a unit with
 * whom. Between batches it is weighted fair queuing (server/policy/fairness.h).
 */
#ifndef SERVER_ENGINE_QUEUE_H
#define SERVER_ENGINE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/work.h"
#include "server/policy/match.h"

struct chance;
struct queue;

#define QUEUE_HOLDERS_MAX 4  /* who had a copy, remembered per unit */
#define QUEUE_DRAW_MAX    64 /* units of one draw */

/* `window`: units of a bucket that one is drawn from, ≥ 1. `chance` is borrowed. */
struct queue *queue_new(size_t window, struct chance *chance);
void queue_free(struct queue *queue);

/* What is known of a batch. Units of a batch that was never named wait unseen. */
void queue_put_batch(struct queue *queue, const struct batch *batch);

/* A unit, new or again, with who had a copy: as the identity that its signed independence names.
 * One that wants none is forgotten. */
struct queue_unit {
    struct ready_hint hint;
    enum independence independence; /* 0: not known, and nobody had a copy as far as known */
    int64_t holders[QUEUE_HOLDERS_MAX];
    size_t holder_count;
};
void queue_put(struct queue *queue, const struct queue_unit *unit);
void queue_forget(struct queue *queue, int64_t unit);

/* Let units in whose validity has begun. */
void queue_let_in(struct queue *queue, int64_t now_s);

/* What the units of a bucket have in common. Texts are the queue's. */
struct queue_bucket {
    int64_t app_version;
    int64_t signer;
    const char *class_name;
    const char *classes;
    const char *platforms;
    int64_t least_memory_bytes; /* no unit in it needs less */
    int64_t least_disk_bytes;
};

/* What a visit looks for. */
struct queue_seek {
    uint32_t visit; /* the same number for all draws of a visit, another for each other visit */
    uint32_t cycle; /* likewise of a cycle: what is promised to one visit is not to the next */
    struct identity identity;
    int64_t memory_bytes;
    int64_t disk_bytes;
    size_t want;  /* units to promise, ≤ QUEUE_DRAW_MAX */
    size_t spare; /* more to look at, in case; ≤ QUEUE_DRAW_MAX */

    /* May the host have units of this bucket at all? Anything but MATCH_YES is the reason. */
    enum match_result (*judge)(void *context, const struct queue_bucket *bucket);
    void *context;
};

/* Why a draw found less than was wanted. */
struct queue_lack {
    bool is_empty;             /* nothing waits at all */
    bool is_held;              /* a batch is held by its operator */
    bool is_paused;            /* a batch paused itself */
    enum match_result nearest; /* of the reasons the one nearest to a yes; MATCH_YES: none */
};

/* Units to look at, those promised first; returns how many, ≤ want + spare. Charges each batch for
 * what is promised. */
size_t queue_draw(struct queue *queue, const struct queue_seek *seek, int64_t *ret_units,
                  struct queue_lack *ret_lack);

/* Rises when something waits for which nobody could be told to come before: a unit that had no copy
 * yet, a unit of a kind of which none waited, a batch that is issued again. */
uint64_t queue_news(const struct queue *queue);

size_t queue_count(const struct queue *queue); /* units that wait */

/* Copies that wait, of batches that are issued. */
int64_t queue_copies(const struct queue *queue);

#endif
