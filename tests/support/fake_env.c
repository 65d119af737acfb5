#include "tests/support/fake_env.h"

#include <string.h>

#include "common/env/real.h"

static struct fake_env *self_of(struct env *env)
{
    return (struct fake_env *)env;
}

static int64_t now_s(struct env *env)
{
    return self_of(env)->now_s;
}

static int64_t now_mono_ms(struct env *env)
{
    return self_of(env)->now_mono_ms;
}

uint64_t fake_env_draw(struct fake_env *fake)
{
    uint64_t z = fake->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t fake_env_below(struct fake_env *fake, uint64_t below)
{
    return fake_env_draw(fake) % below;
}

static void fill_random(struct env *env, void *ret_bytes, size_t count)
{
    uint8_t *to = ret_bytes;

    while (count > 0) {
        uint64_t drawn = fake_env_draw(self_of(env));
        size_t take = count < sizeof drawn ? count : sizeof drawn;

        memcpy(to, &drawn, take);
        to += take;
        count -= take;
    }
}

void fake_env_pass(struct fake_env *fake, int64_t ms)
{
    int64_t before_s = fake->now_mono_ms / 1000;

    fake->now_mono_ms += ms;
    fake->now_s += fake->now_mono_ms / 1000 - before_s;
}

static void sleep_ms(struct env *env, int64_t ms)
{
    fake_env_pass(self_of(env), ms);
}

void fake_env_init(struct fake_env *fake, uint64_t seed)
{
    *fake = (struct fake_env){
        .base = {.now_s = now_s,
                 .now_mono_ms = now_mono_ms,
                 .random = fill_random,
                 .sleep_ms = sleep_ms,
                 .disk = disk_real()},
        .now_s = 1767225600,
        .now_mono_ms = 1000000,
        .state = seed,
    };
}
