#include "client/agent/delay.h"

#include <assert.h>

#define LEAST_MS 250

static int64_t draw(int64_t below_or_at, uint64_t random)
{
    return (int64_t)(random % ((uint64_t)below_or_at + 1));
}

int64_t delay_told_ms(int64_t told_s, uint64_t random)
{
    int64_t told_ms;

    if (told_s <= 0)
        return 0;
    told_ms = (told_s < DELAY_TOLD_MAX_S ? told_s : DELAY_TOLD_MAX_S) * 1000;
    return told_ms + draw(told_ms / 10, random);
}

static int64_t span_ms(const struct delay_rule *rule, int64_t failures)
{
    int64_t span = rule->first_ms;

    for (int64_t i = 1; i < failures && span < rule->last_ms; i++)
        span *= 2;
    return span < rule->last_ms ? span : rule->last_ms;
}

int64_t delay_ms(const struct delay_rule *rule, int64_t failures, int64_t told_s, uint64_t random)
{
    int64_t own_ms, told_ms = delay_told_ms(told_s, random);

    assert(failures >= 1 && rule->first_ms >= 1 && rule->last_ms >= rule->first_ms);
    own_ms = draw(span_ms(rule, failures), random);
    if (own_ms < told_ms)
        own_ms = told_ms;
    return own_ms > LEAST_MS ? own_ms : LEAST_MS;
}

int64_t delay_jittered_ms(int64_t interval_ms, uint64_t random)
{
    return interval_ms - draw(interval_ms / 5, random);
}
