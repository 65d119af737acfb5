#include "server/policy/silence.h"

bool silence_is_judged(int64_t up_since_s, int64_t up_now_s)
{
    return up_now_s - up_since_s >= SILENCE_RUN_S;
}

bool silence_is_host_silent(const struct silence_facts *facts)
{
    return silence_is_judged(facts->up_since_s, facts->up_now_s) &&
           facts->now_s - facts->seen_s >= SILENCE_AWAY_S;
}
