#include "sandbox/launcher.h"

void launcher_close(struct launcher *launcher)
{
    if (launcher != NULL)
        launcher->close(launcher);
}

uint32_t launcher_layers(const struct launcher *launcher)
{
    return launcher->layers(launcher);
}

const char *run_limit_name(enum run_limit limit)
{
    switch (limit) {
    case RUN_LIMIT_NONE:
        return "";
    case RUN_LIMIT_CPU:
        return "cpu";
    case RUN_LIMIT_WALL:
        return "wall";
    case RUN_LIMIT_MEMORY:
        return "memory";
    case RUN_LIMIT_DISK:
        return "disk";
    case RUN_LIMIT_PROCESSES:
        return "processes";
    }
    abort();
}
