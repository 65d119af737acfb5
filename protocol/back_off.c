#include "protocol/back_off.h"

/* An even draw from 0..max. */
static int64_t draw(uint64_t random, int64_t max)
{
    return (int64_t)(random % ((uint64_t)max + 1));
}

int64_t back_off_span_ms(int64_t failures)
{
    int64_t span = BACK_OFF_FIRST_MS;

    for (int64_t i = 1; i < failures && span < BACK_OFF_LAST_MS; i++)
        span *= 2;
    return span < BACK_OFF_LAST_MS ? span : BACK_OFF_LAST_MS;
}

int64_t back_off_ms(int64_t failures, int64_t told_s, uint64_t random)
{
    int64_t told_ms;

    if (told_s <= 0)
        return draw(random, back_off_span_ms(failures));
    told_ms = told_s < BACK_OFF_MAX_MS / 1000 ? told_s * 1000 : BACK_OFF_MAX_MS;
    told_ms += draw(random, told_ms / 10 > 1000 ? told_ms / 10 : 1000);
    return told_ms < BACK_OFF_MAX_MS ? told_ms : BACK_OFF_MAX_MS;
}
