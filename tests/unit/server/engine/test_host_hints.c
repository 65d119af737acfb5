/* server/engine/host_hints: which idle hosts are remembered. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/engine/host_hints.h"

static void idle(struct host_hints *hints, int64_t host, int64_t speed)
{
    const struct host_part part = {.slots = 1, .idle = 1, .until_up_s = 1000};
    const struct idler idler = {.who = {.host = host}, .speed = speed};

    host_hints_count(hints, host, &part);
    host_hints_idle(hints, &idler);
}

static bool is_known(const struct host_hints *hints, int64_t host)
{
    for (size_t i = 0; i < hints->idler_count; i++)
        if (hints->idlers[i].who.host == host)
            return true;
    return false;
}

Test(host_hints, the_last_idle_hosts_are_known_and_the_fastest_before_them)
{
    struct host_hints hints = {0};

    for (int64_t host = 1; host <= 1000; host++)
        idle(&hints, host, host % 100 == 7 ? 4000 : 1000 + host % 50);
    for (int64_t host = 1000; host > 1000 - IDLERS_LAST; host--)
        cr_expect(is_known(&hints, host), "%d came last", (int)host);
    for (int64_t host = 7; host < 1000; host += 100)
        cr_expect(is_known(&hints, host), "%d is fast", (int)host);
    cr_expect(eq(sz, hints.idler_count, IDLERS_MAX));
    host_hints_clear(&hints);
}

Test(host_hints, a_fast_host_that_is_busy_makes_room)
{
    const struct host_part busy = {.slots = 1, .until_up_s = 1000};
    struct host_hints hints = {0};

    for (int64_t host = 1; host <= IDLERS_MAX; host++)
        idle(&hints, host, 4000);
    for (int64_t host = 1; host <= IDLERS_MAX; host++)
        host_hints_count(&hints, host, &busy);
    for (int64_t host = 101; host <= 100 + IDLERS_MAX; host++)
        idle(&hints, host, 1000);
    for (int64_t host = 101; host <= 100 + IDLERS_MAX; host++)
        cr_expect(is_known(&hints, host), "%d is idle", (int)host);
    host_hints_clear(&hints);
}

Test(host_hints, a_host_that_asks_again_is_known_once)
{
    struct host_hints hints = {0};

    for (int i = 0; i < 100; i++)
        idle(&hints, 1 + i % 3, 1000 + i);
    cr_expect(eq(sz, hints.idler_count, 3));
    cr_expect(eq(i64, hints.idlers[0].speed, 1099), "as it was known last");
    host_hints_clear(&hints);
}
