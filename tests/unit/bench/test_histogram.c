#include "bench/histogram.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "bench/schedule.h"

static struct histogram histogram;

Test(histogram, of_nothing_every_percentile_is_nothing)
{
    cr_expect(eq(i64, histogram_percentile(&histogram, 50000), 0));
}

Test(histogram, small_values_are_told_exactly)
{
    for (int64_t us = 1; us <= 50; us++)
        histogram_add(&histogram, us);
    cr_expect(eq(i64, histogram_percentile(&histogram, 50000), 25));
    cr_expect(eq(i64, histogram_percentile(&histogram, 98000), 49));
    cr_expect(eq(i64, histogram_percentile(&histogram, 100000), 50));
    cr_expect(eq(i64, histogram_percentile(&histogram, 1), 1));
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

Test(histogram, a_percentile_is_at_most_a_thirty_second_above_the_true_one)
{
    static const int64_t ranks[] = {1000, 50000, 90000, 99000, 99900, 99999, 100000};
    static int64_t values[20000];
    uint64_t state = 7;

    for (size_t i = 0; i < 20000; i++) {
        values[i] = (int64_t)(chance_next(&state) >> (24 + chance_next(&state) % 40));
        histogram_add(&histogram, values[i]);
    }
    qsort(values, 20000, sizeof *values, compare);
    for (size_t i = 0; i < sizeof ranks / sizeof *ranks; i++) {
        int64_t exact = values[(20000 * ranks[i] + 99999) / 100000 - 1];
        int64_t told = histogram_percentile(&histogram, ranks[i]);

        cr_expect(told >= exact && told <= exact + exact / 32 + 1, "%lld: %lld, told %lld",
                  (long long)ranks[i], (long long)exact, (long long)told);
    }
}

Test(histogram, what_is_beyond_its_range_counts_at_the_end)
{
    histogram_add(&histogram, -5);
    histogram_add(&histogram, INT64_MAX);
    cr_expect(eq(i64, histogram_percentile(&histogram, 50000), 0));
    cr_expect(eq(i64, histogram_percentile(&histogram, 100000), HISTOGRAM_MAX_US - 1));
}

Test(histogram, merging_is_adding_all_of_both)
{
    static struct histogram one, other, all;

    for (int64_t us = 0; us < 3000; us += 7) {
        histogram_add(us % 2 == 0 ? &one : &other, us * us);
        histogram_add(&all, us * us);
    }
    histogram_merge(&one, &other);
    cr_expect(memcmp(&one, &all, sizeof one) == 0);
}
