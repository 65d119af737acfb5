/* Should a batch pause itself? A broken app must not eat the grid. */
#ifndef SERVER_POLICY_PAUSING_H
#define SERVER_POLICY_PAUSING_H

#include <stdbool.h>
#include <stdint.h>

#define PAUSING_LEAST_TASKS 20
#define PAUSING_LEAST_HOSTS 5

/* Since the batch was made or last released. */
struct pausing_facts {
    int64_t ended_tasks;  /* agreed, outvoted, inconclusive, error; not the overdue or withdrawn */
    int64_t failed_tasks; /* error among them */
    int64_t hosts;        /* different ones that ended a task; counting may stop at the least */
};

/* At least so many tasks on so many hosts ended, and most of them failed. */
bool pausing_is_due(const struct pausing_facts *facts);

#endif
