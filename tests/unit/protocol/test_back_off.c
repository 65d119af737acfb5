/* protocol/back_off: when a client comes back. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "protocol/back_off.h"

Test(back_off, spans_double_from_a_minute_to_an_hour)
{
    static const int64_t minutes[] = {1, 1, 2, 4, 8, 16, 32, 60, 60};

    for (int64_t failures = 0; failures < 9; failures++)
        cr_expect(eq(i64, back_off_span_ms(failures), minutes[failures] * 60000));
    cr_expect(eq(i64, back_off_span_ms(INT64_MAX), BACK_OFF_LAST_MS));
}

Test(back_off, the_wait_is_drawn_from_the_whole_span)
{
    int64_t least = INT64_MAX, most = 0;

    for (uint64_t i = 0; i < 1000; i++) {
        int64_t wait = back_off_ms(3, 0, i * UINT64_C(0x9E3779B97F4A7C15));

        least = wait < least ? wait : least;
        most = wait > most ? wait : most;
    }
    cr_expect(least >= 0 && least < 10000);
    cr_expect(most <= 240000 && most > 230000);
}

Test(back_off, what_a_server_says_is_obeyed_within_a_day)
{
    for (uint64_t random = 0; random < 100000; random += 777) {
        int64_t wait = back_off_ms(1, 600, random);

        cr_expect(wait >= 600000 && wait <= 660000);
    }
    cr_expect(eq(i64, back_off_ms(1, INT64_MAX, UINT64_MAX), BACK_OFF_MAX_MS));
    cr_expect(eq(i64, back_off_ms(1, 86400, 12345), BACK_OFF_MAX_MS));
    cr_expect(back_off_ms(1, 1, UINT64_MAX) <= 2000);
}
