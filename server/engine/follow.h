/*
 * Other servers of the same database: what they publish, block or open again is followed by reading
 * their journal, so that no memory is older than FOLLOW_EVERY_MS (and a tick); of one that went,
 * the work is looked after. What is decided needs none of this: it rests on loaded rows alone.
 */
#ifndef SERVER_ENGINE_FOLLOW_H
#define SERVER_ENGINE_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "db/store.h"

struct engine;

#define FOLLOW_EVERY_MS    1000
#define FOLLOW_FORGET_MS   5000 /* tokens; and the least often that up-time is written */
#define FOLLOW_BATCHES_MAX 64   /* of one look; more of them: all batches are read */
#define FOLLOW_UNITS_MAX   256  /* opened again, of one look */

struct follow {
    int64_t at_mono_ms;                       /* of the next look */
    int64_t forget_at_mono_ms;                /* of tokens */
    int64_t cursor;                           /* the last entry that was read */
    bool ran[STORE_SERVERS_MAX + 1];          /* when it was looked last, by number */
    int64_t last_unit[STORE_SERVERS_MAX + 1]; /* the greatest seen of each server's block */
};

/* At the start, before anything else is read. */
enum status follow_start(struct engine *engine, struct error *err) MUST_USE;

/* A ready unit was read. */
void follow_saw(struct follow *follow, int64_t unit);

/* When it is time for it. Bounded: what is left comes the next time, at once. */
enum status follow_others(struct engine *engine, struct error *err) MUST_USE;

#endif
