/*
 * How often something took how long, in microseconds: buckets that grow with the value, 32 to each
 * doubling, so that a percentile read off it is at most 1/32 above the true one. Of fixed size; two
 * are added by adding their buckets.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_MAX_US  (INT64_C(1) << 40) /* twelve days; longer counts as that */
#define HISTOGRAM_BUCKETS (36 * 32 + 32)

/* Zeroed: empty. */
struct histogram {
    int64_t count;
    int64_t most_us; /* the longest, exactly */
    int64_t buckets[HISTOGRAM_BUCKETS];
};

/* Below 0 counts as 0. */
void histogram_add(struct histogram *histogram, int64_t us);
void histogram_merge(struct histogram *into, const struct histogram *from);

/*
 * The least value that `per_100k` of 100,000 do not exceed, rounded up to its bucket's end and
 * never above the longest: 50000 is the median, 99900 is p99.9. 0 when empty.
 */
int64_t histogram_percentile(const struct histogram *histogram, int64_t per_100k);

#endif
