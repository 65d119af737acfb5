/*
 * Copies that a host has to compute, as far as its last visit said: a hint, never the ground of a
 * decision.
 */
#ifndef SERVER_ENGINE_STOCK_H
#define SERVER_ENGINE_STOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STOCK_LEAST     16      /* copies of a host that are remembered however many there are */
#define STOCKS_MAX      2000000 /* of all hosts; then of each the least, those it begins last */
#define STOCK_PASSED_MS 30000   /* one that was looked at in vain lets others have their turn */

struct stock_task {
    int64_t task;
    int64_t begins_up_ms, ends_up_ms; /* of the up-time clock; begins: as far as is known */
    int64_t until_up_ms; /* from then on the host begins it soon enough to keep it; 0: it began */
    int64_t busy_ms, advanced_up_ms; /* as its host said, and since when it says the same */
    int64_t passed_until_up_ms;      /* not looked at before */
    int64_t
        length_ms; /* what it takes its host in all, by the progress that it told; 0: not known */
};

/* Zeroed: empty. In the order in which they start. */
struct stock {
    struct stock_task *tasks; /* owned */
    size_t count;
};

void stock_clear(struct stock *stock);

/* Forget all but the last `most`. */
void stock_trim(struct stock *stock, size_t most);

/* NULL: it is not there. */
struct stock_task *stock_find(const struct stock *stock, int64_t task);

/* Returns whether it was there. */
bool stock_forget(struct stock *stock, int64_t task);

#endif
