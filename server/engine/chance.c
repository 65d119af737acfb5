#include "server/engine/chance.h"

#include <assert.h>
#include <string.h>

#include "common/base/env.h"

void chance_init(struct chance *chance, struct env *env)
{
    chance->env = env;
    chance->left = 0;
}

uint32_t chance_bits(struct chance *chance)
{
    uint32_t bits;

    if (chance->left < sizeof bits) {
        chance->env->random(chance->env, chance->bytes, sizeof chance->bytes);
        chance->left = sizeof chance->bytes;
    }
    memcpy(&bits, chance->bytes + sizeof chance->bytes - chance->left, sizeof bits);
    chance->left -= sizeof bits;
    return bits;
}

/* Scaled by multiplication: with at most some thousands to choose from, the bias is below 2^-19. */
size_t chance_below(struct chance *chance, size_t count)
{
    assert(count >= 1 && count <= UINT32_MAX);
    return (size_t)((uint64_t)chance_bits(chance) * (uint64_t)count >> 32);
}
