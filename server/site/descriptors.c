#include "server/site/descriptors.h"

#include <sys/resource.h>

int64_t descriptors_raise(int64_t needed)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)needed;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return needed;
    if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur < wanted) {
        limit.rlim_cur =
            limit.rlim_max == RLIM_INFINITY || limit.rlim_max > wanted ? wanted : limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
            (void)getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > wanted ? needed
                                                                      : (int64_t)limit.rlim_cur;
}
