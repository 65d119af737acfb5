/* server/api/told: what clients refused is counted, and fills no log. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/log.h"
#include "server/api/told.h"

static struct scheduler_request of_two(void)
{
    return (struct scheduler_request){
        .refused_count = 2,
        .refused = {{.what = REFUSED_FRESHNESS, .refusal = REFUSAL_FRESHNESS_ROLLBACK},
                    {.what = REFUSED_ENVELOPE, .refusal = REFUSAL_MALFORMED}}};
}

Test(told, each_thing_counts_under_its_kind_and_code)
{
    static struct told told;
    struct scheduler_request nothing = {0}, two = of_two();

    log_init(NULL, LOG_ERROR, 2);
    told_take(&told, 1, &nothing, 0);
    told_take(&told, 1, &two, 0);
    two.refused_count = 1;
    told_take(&told, 2, &two, 0);
    cr_expect(eq(i64, told_count(&told, REFUSED_FRESHNESS, REFUSAL_FRESHNESS_ROLLBACK), 2));
    cr_expect(eq(i64, told_count(&told, REFUSED_ENVELOPE, REFUSAL_MALFORMED), 1));
    cr_expect(zero(i64, told_count(&told, REFUSED_KEYRING, REFUSAL_MALFORMED)));
}

/* The line that comes says how much it leaves out: all that came since the one before. */
Test(told, no_more_than_a_line_in_ten_seconds_is_logged)
{
    static struct told told;
    struct scheduler_request two = of_two();

    log_init(NULL, LOG_ERROR, 2);
    told_take(&told, 1, &two, 5000);
    cr_expect(zero(i64, (int64_t)atomic_load(&told.unlogged)));
    told_take(&told, 2, &two, 5000);
    told_take(&told, 3, &two, 5000 + TOLD_LOG_MS - 1);
    cr_expect(eq(i64, (int64_t)atomic_load(&told.unlogged), 4));
    told_take(&told, 4, &two, 5000 + TOLD_LOG_MS);
    cr_expect(zero(i64, (int64_t)atomic_load(&told.unlogged)));
}
