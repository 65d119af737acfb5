/*
 * Copies that a host has to compute, as far as its last visit said: a hint, never the ground of a
 * decision.
 */
#ifndef SERVER_ENGINE_STOCK_H
#define SERVER_ENGINE_STOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STOCK_MAX 16 /* copies of a host that are remembered: those that it begins last */

struct stock_task {
    int64_t task;
    int64_t begins_up_ms, ends_up_ms; /* of the up-time clock; begun ones: begins is the visit */
    int64_t until_up_ms; /* from then on the host begins it soon enough to keep it; 0: it began */
};

/* Zeroed: empty. In the order in which they start. */
struct stock {
    struct stock_task tasks[STOCK_MAX];
    size_t count;
};

/* At the end; where there is no room, the first goes. */
void stock_add(struct stock *stock, const struct stock_task *task);

/* Forget a task, wherever it is. */
void stock_forget(struct stock *stock, int64_t task);

#endif
