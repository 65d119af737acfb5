/*
 * Whose turn it is: weighted fair queuing between the batches that have work. Each batch has a
 * virtual time that advances by what it was granted, divided by its weight; the batch furthest
 * behind is served first. (Self-clocked: a batch that comes new starts at the present, so it can
 * neither starve the others nor be starved.)
 */
#ifndef SERVER_POLICY_FAIRNESS_H
#define SERVER_POLICY_FAIRNESS_H

#include <stddef.h>
#include <stdint.h>

#define FAIRNESS_PRIORITY_MAX 10

/* What decides a batch's turn. */
struct fairness_batch {
    int64_t virtual_time;
    int32_t priority;    /* -10..10 */
    int64_t needed_by_s; /* 0: none */
};

/* 2^(priority/2), times 1024: two steps of priority double a batch's share. */
int64_t fairness_weight(int32_t priority);

/* Its virtual time after a grant worth `cost` (declared operations or tasks; ≥ 0). */
int64_t fairness_charge(int64_t virtual_time, int64_t cost, int32_t priority);

/* Where a batch starts, or starts again after it had no work: never behind the present. */
int64_t fairness_enter(int64_t own_virtual_time, int64_t present);

/*
 * < 0: `a` before `b`. By virtual time; batches less than one task's charge apart, by the nearer
 * needed-by time (none is last).
 */
int fairness_compare(const struct fairness_batch *a, const struct fairness_batch *b);

#endif
