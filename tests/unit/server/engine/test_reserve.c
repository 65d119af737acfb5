/* server/engine/reserve: runs of ids, compared with a plain list of them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/engine/chance.h"
#include "server/engine/reserve.h"
#include "tests/support/fake_env.h"

enum { IDS = 400, STEPS = 20000 };

static struct fake_env env;
static struct chance chance;
static struct reserve reserve;

static void set_up(void)
{
    fake_env_init(&env, 11);
    chance_init(&chance, &env.base);
}

static void tear_down(void)
{
    reserve_clear(&reserve);
}

TestSuite(reserve, .init = set_up, .fini = tear_down);

static struct reserve_unit unit_of(int64_t id, uint32_t copies)
{
    return (struct reserve_unit){
        .unit = id, .memory_bytes = 10, .disk_bytes = 20, .copies = copies};
}

static void put(int64_t id, uint32_t copies)
{
    const struct reserve_unit unit = unit_of(id, copies);

    cr_assert(reserve_put(&reserve, &unit));
}

Test(reserve, units_alike_that_follow_each_other_are_one_run)
{
    for (int64_t id = 1; id <= 1000000; id++)
        put(id, 2);
    cr_expect(eq(sz, reserve.count, 1));
    cr_expect(eq(sz, reserve.units, 1000000));
    cr_expect(eq(i64, reserve_first(&reserve), 1));
}

Test(reserve, what_differs_begins_a_run_of_its_own)
{
    struct reserve_unit other = unit_of(4, 2), known;

    put(1, 2);
    put(2, 3); /* copies */
    put(3, 2);
    other.memory_bytes = 11;
    cr_assert(reserve_put(&reserve, &other));
    other = unit_of(5, 2);
    other.disk_bytes = 21;
    cr_assert(reserve_put(&reserve, &other));
    put(7, 2); /* after a gap */
    cr_expect(eq(sz, reserve.count, 6));
    cr_assert(reserve_take(&reserve, 5, &known));
    cr_expect(eq(i64, known.disk_bytes, 21));
    cr_assert(reserve_take(&reserve, 2, &known));
    cr_expect(eq(u32, known.copies, 3));
    cr_expect(not(reserve_has(&reserve, 6, NULL)));
}

Test(reserve, what_does_not_come_after_the_last_one_is_refused)
{
    const struct reserve_unit again = unit_of(5, 2), before = unit_of(3, 2);

    put(5, 2);
    cr_expect(not(reserve_put(&reserve, &again)));
    cr_expect(not(reserve_put(&reserve, &before)));
    cr_expect(eq(sz, reserve.units, 1));
}

/* --- against a list --- */

static uint32_t listed[IDS + 1]; /* copies; 0: not there */

static void compare(void)
{
    size_t count = 0;

    for (int64_t id = 1; id <= IDS; id++) {
        struct reserve_unit known;
        bool is_there = reserve_has(&reserve, id, &known);

        cr_assert(eq(int, is_there, listed[id] > 0), "unit %lld", (long long)id);
        count += is_there;
        if (is_there)
            cr_assert(known.unit == id && known.copies == listed[id], "unit %lld", (long long)id);
    }
    cr_assert(eq(sz, reserve.units, count));
}

static int64_t last_listed(void)
{
    int64_t last = IDS;

    while (last > 0 && listed[last] == 0)
        last--;
    return last;
}

static void put_some(void)
{
    int64_t id = last_listed() + 1 + (int64_t)chance_below(&chance, 3);

    if (id > IDS)
        return;
    listed[id] = 1 + (uint32_t)chance_below(&chance, 2);
    put(id, listed[id]);
}

static void take_some(void)
{
    size_t which = chance_below(&chance, 3);
    int64_t id = 1 + (int64_t)chance_below(&chance, IDS);
    struct reserve_unit known;
    bool was_there;

    if (which == 0 && reserve.units > 0)
        id = reserve_first(&reserve);
    if (which == 1 && reserve.units > 0)
        id = reserve_somewhere(&reserve, &chance);
    was_there = listed[id] > 0;
    cr_assert(which == 2 || reserve.units == 0 || was_there);
    cr_assert(eq(int, reserve_take(&reserve, id, &known), was_there));
    if (was_there)
        cr_assert(known.unit == id && known.copies == listed[id]);
    listed[id] = 0;
}

Test(reserve, whatever_is_put_and_taken_it_has_what_a_list_has)
{
    for (int i = 0; i < STEPS; i++) {
        if (chance_below(&chance, 5) < 3)
            put_some();
        else
            take_some();
        if (i % 50 == 0)
            compare();
    }
    for (int64_t id = 1; id <= IDS; id++) {
        struct reserve_unit known;

        cr_assert(eq(int, reserve_take(&reserve, id, &known), listed[id] > 0));
    }
    cr_expect(eq(sz, reserve.units, 0));
    cr_expect(eq(sz, reserve.count, 0));
}
