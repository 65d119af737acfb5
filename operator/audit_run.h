/*
 * The drawn results of an audit, computed again several at a time: one thread starts those that
 * have room, in the order in which they were drawn, looks at all, and judges what has ended.
 */
#ifndef OPERATOR_AUDIT_RUN_H
#define OPERATOR_AUDIT_RUN_H

#include "operator/audit_room.h"
#include "operator/audit_sample.h"
#include "operator/recompute.h"

struct audit_order {
    struct workshop *workshop; /* borrowed, as are all; with a slot for each of: */
    int64_t jobs;              /* units at a time, 1..WORKSHOP_SLOTS_MAX */
    int64_t cores;             /* that they may use together; INT64_MAX: not counted */
    const struct audit_sample *sample;
    struct recomputed *done; /* zeroed, one a pick; `as` is set where it was looked at */
    void (*tell)(void *context, const struct recomputed *result); /* as each is */
    void *context;
};

/*
 * All of them, or until something fails that is not the fault of one, or the session is
 * interrupted: what ran then is killed when the workshop closes, and was not looked at.
 */
enum status audit_run(const struct audit_order *order, struct error *err) MUST_USE;

#endif
