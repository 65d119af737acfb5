#include "server/policy/host_clock.h"

int64_t host_clock_off_s(int64_t host_s, int64_t server_s)
{
    int64_t off_s = host_s - server_s;

    return off_s > HOST_CLOCK_APART_S || off_s < -HOST_CLOCK_APART_S ? off_s : 0;
}
