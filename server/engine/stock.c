#include "server/engine/stock.h"

#include <string.h>

static void take_out(struct stock *stock, size_t i)
{
    stock->count--;
    memmove(&stock->tasks[i], &stock->tasks[i + 1], (stock->count - i) * sizeof *stock->tasks);
}

void stock_add(struct stock *stock, const struct stock_task *task)
{
    if (stock->count == STOCK_MAX)
        take_out(stock, 0);
    stock->tasks[stock->count++] = *task;
}

void stock_forget(struct stock *stock, int64_t task)
{
    for (size_t i = 0; i < stock->count; i++)
        if (stock->tasks[i].task == task) {
            take_out(stock, i);
            return;
        }
}
