#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "common/env/output.h"
#include "common/env/real.h"

static int64_t now_s(struct env *env)
{
    struct timespec now;

    (void)env;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0)
        abort();
    return now.tv_sec;
}

/* CLOCK_BOOTTIME: time that passed while the machine slept has passed. */
static int64_t now_mono_ms(struct env *env)
{
    struct timespec now;

    (void)env;
    if (clock_gettime(CLOCK_BOOTTIME, &now) != 0)
        abort();
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void fill_random(struct env *env, void *ret_bytes, size_t count)
{
    char *to = ret_bytes;

    (void)env;
    while (count > 0) {
        ssize_t got = getrandom(to, count, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            abort();
        to += got;
        count -= (size_t)got;
    }
}

static void sleep_ms(struct env *env, int64_t ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)env;
    if (ms > 0)
        (void)nanosleep(&left, NULL); /* a signal may cut it short: callers look at the clock */
}

static struct env env;

static void make(void)
{
    env = (struct env){.now_s = now_s,
                       .now_mono_ms = now_mono_ms,
                       .random = fill_random,
                       .sleep_ms = sleep_ms,
                       .disk = disk_real(),
                       .output_that_never_waits = output_that_never_waits};
}

/* Asked for by many threads, written by the first. */
struct env *env_real(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (pthread_once(&once, make) != 0)
        abort();
    return &env;
}
