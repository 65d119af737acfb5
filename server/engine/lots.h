/* What the queue is made of; for queue.c, which keeps it, and draw.c, which draws from it. */
#ifndef SERVER_ENGINE_LOTS_H
#define SERVER_ENGINE_LOTS_H

#include "server/engine/chance.h"
#include "server/engine/deadlines.h"
#include "server/engine/line.h"
#include "server/engine/map.h"
#include "server/engine/queue.h"
#include "server/engine/reserve.h"
#include "server/policy/fairness.h"

/* Units of a batch that the same hosts can run. */
struct bucket {
    struct lot *lot; /* its batch */
    int64_t app_version;
    int64_t signer;
    int64_t memory_class;
    int64_t disk_class;
    char *class_name; /* owned, as are the next two */
    char *classes;
    char *platforms;
    int64_t least_memory_bytes;
    int64_t least_disk_bytes;
    struct line line;       /* its front: what is drawn from, or had a copy already */
    struct reserve reserve; /* what comes behind */
};

/* A batch, as the queue sees it. */
struct lot {
    int64_t batch;
    enum batch_state state; /* 0: never said */
    struct fairness_batch turn;
    struct bucket **buckets; /* owned */
    size_t bucket_count;
    size_t live;    /* units in its lines and reserves */
    int64_t copies; /* that they want, together */
    size_t early;   /* units that wait for their validity */
};

struct queue {
    size_t window;
    struct chance *chance;
    struct map entries;     /* by unit; of all that are in no reserve */
    size_t reserved;        /* units in all reserves */
    struct map lots;        /* by batch; owned */
    struct deadlines early; /* units by the beginning of their validity */
    int64_t now_s;
    int64_t present; /* virtual time of the batch served last */
    uint64_t news;   /* queue_news() */
};

void lots_free(struct lot *lot);

/* The batch's lot, and the hint's bucket in it; made if there is none. */
struct lot *lots_of(struct queue *queue, int64_t batch);
struct bucket *lots_bucket_of(struct queue *queue, const struct ready_hint *hint);

/* A batch that is over goes once nothing of it waits: entries point to the lot. */
void lots_drop_if_over(struct queue *queue, struct lot *lot);

/* A new entry, which is in no line yet. */
struct entry *lots_entry(struct queue *queue, struct bucket *bucket, int64_t unit);

/* The bucket in whose reserve the unit is; NULL: none. */
struct bucket *lots_reserve_of(const struct lot *lot, int64_t unit);
struct bucket *lots_find_reserve(struct queue *queue, int64_t unit);

/* Units of the reserve go to the end of the line: up to `count` first ones or neighbours from a
 * random place; or as many as make the front two windows long. */
void lots_bring_out(struct queue *queue, struct bucket *bucket, size_t count);
void lots_bring_out_somewhere(struct queue *queue, struct bucket *bucket, size_t count);
void lots_fill_front(struct queue *queue, struct bucket *bucket);

#endif
