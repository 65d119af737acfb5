#include "server/policy/pausing.h"

bool pausing_is_due(const struct pausing_facts *facts)
{
    return facts->ended_tasks >= PAUSING_LEAST_TASKS && facts->hosts >= PAUSING_LEAST_HOSTS &&
           facts->failed_tasks * 2 > facts->ended_tasks;
}
