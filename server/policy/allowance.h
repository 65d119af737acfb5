/*
 * How many tasks of one app version a host may have: little until it has shown to be right, less
 * when it fails, more when it agrees. Bounds what a broken or hostile host can waste.
 */
#ifndef SERVER_POLICY_ALLOWANCE_H
#define SERVER_POLICY_ALLOWANCE_H

#include <stdbool.h>
#include <stdint.h>

#define ALLOWANCE_START_PER_DAY 64   /* after the first agreed result */
#define ALLOWANCE_PROVEN        256  /* per day, of another app: three agreed, more than failed */
#define ALLOWANCE_MOST_PER_DAY  8192 /* as a figure of the field: BOINC's daily quota, too, ends */

/* As stored per host and app version; the names are those of db/work.h. */
struct allowance_facts {
    int64_t per_day; /* 0: no result of it ever agreed, nor enough of another app's */
    int64_t day;     /* Unix day that `used` counts */
    int64_t used;    /* tasks granted on that day */
};

enum allowance_outcome { ALLOWANCE_AGREED, ALLOWANCE_FAILED /* failed, outvoted or overdue */ };

/*
 * How many more tasks it may have now. A host without an agreed result: one per slot, less those it
 * is busy with. `slots`: tasks it is believed to run at once, as share_slots() (≥ 1). `out`: tasks
 * of the app it has now.
 */
int64_t allowance_left(const struct allowance_facts *facts, int64_t today, int64_t slots,
                       int64_t out);

/* What `per_day` a host without an agreed result of this app begins with, when `elsewhere` is the
 * best that it has for another app of the project: the start, where that is proven; else 0. */
int64_t allowance_first(int64_t elsewhere);

/* The same after granting `count` tasks today. */
struct allowance_facts allowance_after_grant(const struct allowance_facts *facts, int64_t today,
                                             int64_t count);

/* The same after a task was taken back that its host never began, granted on that day. */
struct allowance_facts allowance_after_withdrawal(const struct allowance_facts *facts,
                                                  int64_t granted_day);

/* The same after the host kept it all the same, for it had begun it. */
struct allowance_facts allowance_after_return(const struct allowance_facts *facts,
                                              int64_t granted_day);

/* The same after a task ended. Halved down to one, doubled up to the most. */
struct allowance_facts allowance_after_end(const struct allowance_facts *facts,
                                           enum allowance_outcome outcome);

#endif
