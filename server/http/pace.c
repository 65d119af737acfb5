#include "server/http/pace.h"

void http_pace_start(struct http_pace *pace, int64_t now_mono_ms, int64_t window_ms)
{
    *pace = (struct http_pace){.end_mono_ms = now_mono_ms + window_ms};
}

bool http_pace_holds(struct http_pace *pace, int64_t now_mono_ms, int64_t window_ms, int64_t least)
{
    bool holds = pace->moved >= least;

    if (now_mono_ms < pace->end_mono_ms)
        return true;
    http_pace_start(pace, now_mono_ms, window_ms);
    return holds;
}
