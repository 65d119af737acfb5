/* A world under the test's control: a clock that stands until moved, randomness from a seed. */
#ifndef TESTS_SUPPORT_FAKE_ENV_H
#define TESTS_SUPPORT_FAKE_ENV_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/env.h"

struct fake_env {
    struct env base;
    int64_t now_s;
    int64_t now_mono_ms;
    uint64_t state; /* of the generator (splitmix64); any value */
};

/* 2026-01-01, monotonic 1000 s, the real disk. The same seed gives the same randomness. */
void fake_env_init(struct fake_env *fake, uint64_t seed);

/* Both clocks go on. sleep_ms() of the env does the same. */
void fake_env_pass(struct fake_env *fake, int64_t ms);

uint64_t fake_env_draw(struct fake_env *fake);

/* Uniform in 0..below-1. */
uint64_t fake_env_below(struct fake_env *fake, uint64_t below);

#endif
