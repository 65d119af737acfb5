/*
 * Count the primes in a range: `primes FROM TO` (or `primes --from FROM --to TO`) prints how many
 * there are with FROM <= p < TO, and a newline. An ordinary program, but that it says how far it is
 * (work-units/sdk/dugnad.h).
 *
 * A segmented sieve of Eratosthenes over odd numbers. A segment fits into a first-level cache; the
 * primes up to the root of TO are found once, and each remembers its next multiple.
 *
 * Exit status: 0; 2: the arguments are wrong; 1: no memory, or stdout could not be written.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "work-units/sdk/dugnad.h"

#define TO_MAX        UINT64_C(10000000000000000) /* 10^16: 70 MB for the primes up to 10^8 */
#define SEGMENT_BYTES 32768
#define SEGMENT_BITS  (SEGMENT_BYTES * 8) /* one per odd number */
#define WORDS         (SEGMENT_BYTES / 8)

struct range {
    uint64_t from, to; /* half-open */
};

/* The odd primes up to a root, and of each the next odd multiple not yet struck. */
struct bases {
    uint32_t *primes;
    uint64_t *next;
    size_t count;
};

static _Noreturn void fail(int status, const char *words)
{
    (void)fprintf(stderr, "primes: %s\n", words);
    exit(status);
}

static void *need_memory(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);

    if (memory == NULL)
        fail(1, "no memory");
    return memory;
}

static uint64_t parse(const char *text)
{
    char *end;
    unsigned long long value;

    if (text[0] < '0' || text[0] > '9')
        fail(2, "FROM and TO are whole numbers");
    errno = 0;
    value = strtoull(text, &end, 10);
    if (*end != '\0')
        fail(2, "FROM and TO are whole numbers");
    if (errno != 0 || value > TO_MAX)
        fail(2, "FROM and TO are at most 10^16");
    return value;
}

static struct range parse_arguments(int count, char **arguments)
{
    struct range range;
    bool is_named =
        count == 5 && strcmp(arguments[1], "--from") == 0 && strcmp(arguments[3], "--to") == 0;

    if (count != 3 && !is_named)
        fail(2, "usage: primes FROM TO, or primes --from FROM --to TO");
    range.from = parse(arguments[is_named ? 2 : 1]);
    range.to = parse(arguments[is_named ? 4 : 2]);
    if (range.from > range.to)
        fail(2, "FROM is larger than TO");
    return range;
}

/* The smallest r with r * r >= n. */
static uint64_t root_above(uint64_t n)
{
    uint64_t low = 0, high = UINT64_C(1) << 32;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (middle * middle >= n)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static uint64_t first_odd_multiple(uint64_t prime, uint64_t from)
{
    uint64_t multiple = (from + prime - 1) / prime * prime;

    if (multiple < prime * prime)
        return prime * prime;
    return multiple % 2 == 0 ? multiple + prime : multiple;
}

static struct bases find_bases(struct range range)
{
    size_t odds = (size_t)(root_above(range.to) / 2 + 1); /* is_struck[i] stands for 2 * i + 1 */
    bool *is_struck = need_memory(odds, sizeof *is_struck);
    struct bases bases = {.count = 0};

    for (size_t i = 1; 2 * i * (i + 1) < odds; i++)
        for (size_t j = 2 * i * (i + 1); !is_struck[i] && j < odds; j += 2 * i + 1)
            is_struck[j] = true;
    for (size_t i = 1; i < odds; i++)
        bases.count += !is_struck[i];
    bases.primes = need_memory(bases.count, sizeof *bases.primes);
    bases.next = need_memory(bases.count, sizeof *bases.next);
    for (size_t i = 1, at = 0; i < odds; i++)
        if (!is_struck[i]) {
            bases.primes[at] = (uint32_t)(2 * i + 1);
            bases.next[at++] = first_odd_multiple(2 * i + 1, range.from);
        }
    free(is_struck);
    return bases;
}

/* Strike multiples among the odd numbers low, low + 2 … below high. */
static void strike(struct bases *bases, uint64_t low, uint64_t high, uint64_t *segment)
{
    for (size_t i = 0; i < bases->count; i++) {
        uint64_t prime = bases->primes[i], multiple = bases->next[i];

        if (prime * prime >= high)
            return;
        for (; multiple < high; multiple += 2 * prime) {
            uint64_t bit = (multiple - low) / 2;

            segment[bit / 64] |= UINT64_C(1) << bit % 64;
        }
        bases->next[i] = multiple;
    }
}

static uint64_t count_left(const uint64_t *segment, uint64_t bits)
{
    uint64_t left = bits;

    for (uint64_t i = 0; i < bits; i += 64) {
        uint64_t word = segment[i / 64];

        if (bits - i < 64)
            word &= (UINT64_C(1) << (bits - i)) - 1;
        left -= (uint64_t)__builtin_popcountll(word);
    }
    return left;
}

/* About once a second. That it cannot be told is no reason to stop. */
static void tell(struct range range, uint64_t low)
{
    static time_t told;

    if (time(NULL) == told)
        return;
    told = time(NULL);
    (void)dugnad_progress((double)(low - range.from), (double)(range.to - range.from));
}

static uint64_t count_primes(struct range range)
{
    static uint64_t segment[WORDS];
    uint64_t count = range.from <= 2 && range.to > 2;
    uint64_t low = range.from < 3 ? 3 : range.from | 1;
    struct bases bases;

    if (low >= range.to)
        return count;
    bases = find_bases((struct range){.from = low, .to = range.to});
    for (; low < range.to; low += 2 * SEGMENT_BITS) {
        uint64_t bits = (range.to - low + 1) / 2;

        if (bits > SEGMENT_BITS)
            bits = SEGMENT_BITS;
        tell(range, low);
        memset(segment, 0, sizeof segment);
        strike(&bases, low, low + 2 * bits, segment);
        count += count_left(segment, bits);
    }
    free(bases.primes);
    free(bases.next);
    return count;
}

int main(int count, char **arguments)
{
    struct range range = parse_arguments(count, arguments);

    if (printf("%" PRIu64 "\n", count_primes(range)) < 0 || fclose(stdout) != 0)
        fail(1, "stdout cannot be written");
    return 0;
}
