#include "server/policy/silence.h"

bool silence_is_host_silent(int64_t seen_up_s, int64_t up_now_s)
{
    return up_now_s - seen_up_s >= SILENCE_AWAY_S;
}
