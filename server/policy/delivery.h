/*
 * Whose body to fetch. An agreed unit becomes accepted only when one of its agreeing tasks has
 * delivered every body; one host is asked at a time, the next if it does not deliver.
 */
#ifndef SERVER_POLICY_DELIVERY_H
#define SERVER_POLICY_DELIVERY_H

#include "work-units/unit.h"

enum delivery_act {
    DELIVERY_DONE,   /* every body is stored: accept */
    DELIVERY_WAIT,   /* somebody was asked and still has time */
    DELIVERY_ASK,    /* ask the task `task` */
    DELIVERY_FAILED, /* all were asked and none delivered: their tasks fail, the unit reopens */
};

struct delivery_decision {
    enum delivery_act act;
    size_t task; /* index into the unit's tasks, for DELIVERY_ASK */
};

/* The unit is UNIT_AGREED. `patience_s`: how long one host may take, of the up-time clock. */
struct delivery_decision delivery_decide(const struct unit *unit, int64_t up_now_s,
                                         int64_t patience_s);

#endif
