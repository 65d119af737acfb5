#include "bench/histogram.h"

#include <assert.h>

#define STEPS_BITS 5 /* 32 buckets to a doubling */
#define STEPS      (1 << STEPS_BITS)

static unsigned shift_of(uint64_t us)
{
    unsigned highest = 63 - (unsigned)__builtin_clzll(us | 1);

    return highest > STEPS_BITS ? highest - STEPS_BITS : 0;
}

static size_t bucket_of(uint64_t us)
{
    unsigned shift = shift_of(us);

    return shift * STEPS + (size_t)(us >> shift);
}

/* The largest value that falls into it. */
static int64_t bucket_end(size_t bucket)
{
    size_t shift = bucket < 2 * STEPS ? 0 : bucket / STEPS - 1;

    return (int64_t)(((uint64_t)(bucket - shift * STEPS) + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, int64_t us)
{
    if (us < 0)
        us = 0;
    if (us >= HISTOGRAM_MAX_US)
        us = HISTOGRAM_MAX_US - 1;
    histogram->count++;
    histogram->buckets[bucket_of((uint64_t)us)]++;
    if (us > histogram->most_us)
        histogram->most_us = us;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    into->count += from->count;
    if (from->most_us > into->most_us)
        into->most_us = from->most_us;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
}

int64_t histogram_percentile(const struct histogram *histogram, int64_t per_100k)
{
    int64_t wanted = (histogram->count * per_100k + 99999) / 100000;
    int64_t seen = 0;

    assert(per_100k > 0 && per_100k <= 100000);
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen >= wanted && seen > 0)
            return bucket_end(i) < histogram->most_us ? bucket_end(i) : histogram->most_us;
    }
    return 0;
}
