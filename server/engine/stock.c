#include "server/engine/stock.h"

#include <stdlib.h>
#include <string.h>

void stock_clear(struct stock *stock)
{
    free(stock->tasks);
    *stock = (struct stock){0};
}

void stock_trim(struct stock *stock, size_t most)
{
    if (stock->count <= most)
        return;
    memmove(stock->tasks, stock->tasks + stock->count - most, most * sizeof *stock->tasks);
    stock->count = most;
}

struct stock_task *stock_find(const struct stock *stock, int64_t task)
{
    for (size_t i = 0; i < stock->count; i++)
        if (stock->tasks[i].task == task)
            return &stock->tasks[i];
    return NULL;
}

bool stock_forget(struct stock *stock, int64_t task)
{
    struct stock_task *found = stock_find(stock, task);
    size_t after = found != NULL ? (size_t)(stock->tasks + stock->count - found) - 1 : 0;

    if (found == NULL)
        return false;
    memmove(found, found + 1, after * sizeof *found);
    stock->count--;
    return true;
}
