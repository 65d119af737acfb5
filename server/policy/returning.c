#include "server/policy/returning.h"

#define FIRST_WAIT_S 60

static int64_t between(int64_t least, int64_t most, uint32_t random)
{
    return least + (int64_t)((uint64_t)random * (uint64_t)(most - least + 1) >> 32);
}

static int64_t bounded(int64_t value, int64_t least, int64_t most)
{
    if (value < least)
        return least;
    return value < most ? value : most;
}

int64_t returning_delay_s(const struct returning_facts *facts)
{
    int64_t wait_s = facts->least_s < FIRST_WAIT_S ? facts->least_s : FIRST_WAIT_S;
    int64_t soon_s = facts->soon_s < facts->least_s ? facts->soon_s : facts->least_s;
    int64_t most_s = RETURNING_MOST_S;

    if (facts->has_share) {
        wait_s = bounded(facts->idle_in_s, soon_s, RETURNING_SHARE_MOST_S);
        return between(wait_s, wait_s + soon_s, facts->random);
    }
    if (facts->was_granted || facts->has_hope)
        return between(soon_s, soon_s * 2, facts->random);
    if (facts->empty_visits == 0)
        return between(facts->least_s, facts->least_s * 2, facts->random);
    for (int64_t i = 1; i < facts->empty_visits && wait_s < most_s; i++)
        wait_s *= 2;
    if (wait_s > most_s)
        wait_s = most_s;
    if (wait_s < facts->least_s)
        wait_s = facts->least_s;
    return between(wait_s / 2 > facts->least_s ? wait_s / 2 : facts->least_s, wait_s,
                   facts->random);
}
