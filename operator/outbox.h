/*
 * Slices on their way to the site, several at once: while one is verified and stored there, the
 * next is sent and the one after that is signed here.
 *
 * They may arrive in any order, but a slice leaves only when all but the OUTBOX_SLICES - 1 before
 * it were confirmed. So whatever is cut, no unit is missing below the number of those that the site
 * has, less OUTBOX_UNITS.
 */
#ifndef OPERATOR_OUTBOX_H
#define OPERATOR_OUTBOX_H

#include "operator/slice.h"

#define OUTBOX_SLICES 4
#define OUTBOX_UNITS  (OUTBOX_SLICES * SLICE_UNITS)

struct http_exchange;

struct outbox {
    struct profile *profile; /* borrowed */
    char *path;              /* owned */
    struct outgoing {
        struct slice *slice; /* owned */
        struct http_exchange *exchange;
    } outgoing[OUTBOX_SLICES]; /* a ring */
    size_t first, count;
    int64_t sent;  /* units that were confirmed */
    int64_t added; /* of them: new to the site */
};

void outbox_init(struct outbox *ret_outbox, struct profile *profile, const struct batch_id *batch);
void outbox_clear(struct outbox *outbox); /* breaks off what is under way; for CLEANUP(), too */

/* Takes the slice, whose files are there and whose units are listed; waits for the oldest one if
 * the outbox is full. A failure may be that of an earlier slice. */
enum status outbox_send(struct outbox *outbox, struct slice *slice, struct error *err) MUST_USE;

/* Move on what is under way, without waiting. To be called often by who has other work to do. */
void outbox_move(struct outbox *outbox);

/* Wait until all is confirmed. */
enum status outbox_finish(struct outbox *outbox, struct error *err) MUST_USE;

#endif
