/*
 * The drawn results of an audit, computed again several at a time: one thread has files of the next
 * ones fetched, starts those that have them and room, in the order in which they were drawn, looks
 * at all, and judges what has ended.
 */
#ifndef OPERATOR_AUDIT_RUN_H
#define OPERATOR_AUDIT_RUN_H

#include "operator/audit_room.h"
#include "operator/audit_sample.h"
#include "operator/recompute.h"

#define AUDIT_AHEAD       8 /* units whose files are fetched before there is room for them … */
#define AUDIT_AHEAD_BYTES (INT64_C(1) << 30) /* … but not so much of them beside another's */
#define AUDIT_JOBS_MAX    (WORKSHOP_SLOTS_MAX - AUDIT_AHEAD)

struct audit_order {
    struct workshop *workshop; /* borrowed, as are all; with AUDIT_AHEAD slots more than: */
    int64_t jobs;              /* units at a time, 1..AUDIT_JOBS_MAX */
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
