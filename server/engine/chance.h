/* Draws that hosts cannot foresee, from the env's randomness in larger gulps. */
#ifndef SERVER_ENGINE_CHANCE_H
#define SERVER_ENGINE_CHANCE_H

#include <stddef.h>
#include <stdint.h>

struct env;

struct chance {
    struct env *env; /* borrowed */
    uint8_t bytes[1024];
    size_t left; /* of them, unused ones at the end */
};

void chance_init(struct chance *chance, struct env *env);

uint32_t chance_bits(struct chance *chance); /* uniform */

/* Uniform below `count` (≥ 1). */
size_t chance_below(struct chance *chance, size_t count);

#endif
