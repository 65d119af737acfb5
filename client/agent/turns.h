/*
 * Whose turn it is among the batches of one project on this host, so that short work waits for no
 * long one: each batch has used so much of the processors, and the one that used least is next
 * (client/agent/choose.h). A batch that comes, or comes back, begins beside the one that used least
 * of those that are here: it gets its turns from now on, and none for the time before. (Start-time
 * fair queueing: Goyal, Vin and Cheng, SIGCOMM 1996.)
 */
#ifndef CLIENT_AGENT_TURNS_H
#define CLIENT_AGENT_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "work-units/batch_id.h"

/* Batches that are told apart; the others count as the one that used least. */
#define TURNS_MAX 64

struct turn {
    struct batch_id batch;
    int64_t used_ms; /* of processors */
    bool is_here;    /* it has tasks that are not finished */
};

/* Zeroed: none. */
struct turns {
    struct turn all[TURNS_MAX];
    size_t count;
};

/* These batches have tasks now; each may be named several times. */
void turns_meet(struct turns *turns, const struct batch_id *batches, size_t count);

/* Of a batch that was met last; others are not charged. */
void turns_charge(struct turns *turns, const struct batch_id *batch, int64_t ms);

/* What it used, in comparison to others: 0.. */
int64_t turns_used_ms(const struct turns *turns, const struct batch_id *batch);

#endif
