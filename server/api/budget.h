/*
 * How often somebody may do something: token buckets, in a table of fixed size. When it is full,
 * whoever has not used his for longest is forgotten, which can only be in his favour.
 */
#ifndef SERVER_API_BUDGET_H
#define SERVER_API_BUDGET_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct budget;

/* `burst` at once, refilled evenly within `period_ms`. */
struct budget_rate {
    int64_t burst;     /* 1.. */
    int64_t period_ms; /* 1.. */
};

/* `size` subjects at most; 0 seeds nothing, any other number keeps peers from steering the table.
 */
struct budget *budget_new(const struct budget_rate *rate, size_t size, uint64_t seed);
void budget_free(struct budget *budget); /* NULL is fine */

/*
 * Spend one. STATUS_LIMITED: none is left; `err` says when there is one again, in whole seconds,
 * stretched by up to a half through `chance` (any random number), so that many who wait do not come
 * back at once. Any thread.
 */
enum status budget_spend(struct budget *budget, const char *subject, int64_t now_mono_ms,
                         uint32_t chance, struct error *err);

#endif
