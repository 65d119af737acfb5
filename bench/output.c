#include "bench/output.h"

#include <string.h>

#include "bench/schedule.h"
#include "common/base/cleanup.h"

#define WORD 8 /* bytes made at a time */

static uint64_t word_of(const struct digest *unit, uint64_t lie, uint64_t place)
{
    uint64_t state;

    memcpy(&state, unit->bytes, sizeof state);
    state ^= lie;
    state += place * UINT64_C(0x9e3779b97f4a7c15);
    return chance_next(&state);
}

void output_fill(const struct digest *unit, uint64_t lie, size_t from, char *ret_bytes,
                 size_t count)
{
    for (size_t done = 0; done < count;) {
        size_t within = (from + done) % WORD;
        size_t part = WORD - within < count - done ? WORD - within : count - done;
        uint64_t word = word_of(unit, lie, (from + done) / WORD);

        memcpy(ret_bytes + done, (const char *)&word + within, part);
        done += part;
    }
}

struct digest output_digest(const struct digest *unit, uint64_t lie, size_t size)
{
    CLEANUP(hasher_clear) struct hasher hasher;
    char piece[4096];

    hasher_init(&hasher);
    for (size_t at = 0; at < size; at += sizeof piece) {
        size_t count = size - at < sizeof piece ? size - at : sizeof piece;

        output_fill(unit, lie, at, piece, count);
        hasher_add(&hasher, piece, count);
    }
    return hasher_end(&hasher);
}
