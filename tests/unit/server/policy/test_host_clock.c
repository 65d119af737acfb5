/* server/policy/host_clock: a host's clock that parts from the server's by more than minutes. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/policy/host_clock.h"

#define NOW INT64_C(1700000000)

Test(host_clock, is_near_enough_within_ten_minutes)
{
    cr_expect(zero(i64, host_clock_off_s(NOW, NOW)));
    cr_expect(zero(i64, host_clock_off_s(NOW + HOST_CLOCK_APART_S, NOW)));
    cr_expect(zero(i64, host_clock_off_s(NOW - HOST_CLOCK_APART_S, NOW)));
}

Test(host_clock, is_off_by_so_much_ahead_or_behind)
{
    cr_expect(eq(i64, host_clock_off_s(NOW + 601, NOW), 601));
    cr_expect(eq(i64, host_clock_off_s(NOW - 601, NOW), -601));
    cr_expect(eq(i64, host_clock_off_s(0, NOW), -NOW));
}
