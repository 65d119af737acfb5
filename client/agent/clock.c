#include "client/agent/clock.h"

#include <inttypes.h>
#include <stdio.h>

#define HOUR_S INT64_C(3600)

int64_t clock_off_s(int64_t told_s, int64_t own_s, int64_t server_s)
{
    int64_t off_s = own_s - server_s;

    if (told_s > 0 && off_s >= told_s / 2)
        return off_s;
    return told_s < 0 && off_s <= told_s / 2 ? off_s : 0;
}

void clock_words(int64_t off_s, char ret_words[WHY_MAX + 1])
{
    int64_t span_s = off_s < 0 ? -off_s : off_s;
    int64_t unit_s = span_s >= 2 * DAY_S ? DAY_S : span_s >= 2 * HOUR_S ? HOUR_S : 60;
    const char *unit = unit_s == DAY_S ? "days" : unit_s == HOUR_S ? "hours" : "minutes";

    ret_words[0] = '\0';
    if (off_s != 0)
        (void)snprintf(ret_words, WHY_MAX + 1,
                       "this computer's clock is %" PRId64 " %s %s the server's", span_s / unit_s,
                       unit, off_s > 0 ? "ahead of" : "behind");
}
