/* server/engine/merge: what was changed already is not loaded over. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>

#include "common/base/text.h"
#include "server/engine/merge.h"

static void add_unit(struct work_set *set, int64_t id, int64_t version)
{
    set->units = reallocarray(set->units, set->unit_count + 1, sizeof *set->units);
    set->units[set->unit_count++] =
        (struct unit){.id = id, .version = version, .classes = text_copy("a")};
}

static void add_host(struct work_set *set, int64_t id, int64_t version)
{
    struct host *host = work_add_host(set);

    host->id = id;
    host->version = version;
    host->prefix = text_copy("192.0.2.0/24");
}

Test(merge, each_row_is_there_once_in_order_and_as_it_was_changed)
{
    CLEANUP(work_set_clear) struct work_set into = {0};
    CLEANUP(work_set_clear) struct work_set from = {0};

    add_unit(&into, 2, 20);
    add_unit(&into, 5, 50);
    add_host(&into, 3, 30);
    add_host(&into, 0, 0); /* to be made */
    work_allowance(&into, 3, 1)->used = 7;
    add_unit(&from, 1, 11);
    add_unit(&from, 2, 21);
    add_unit(&from, 9, 91);
    add_host(&from, 1, 11);
    add_host(&from, 3, 31);
    work_allowance(&from, 3, 1)->used = 0;
    work_allowance(&from, 1, 1)->used = 5;

    work_merge(&into, &from);
    cr_assert(eq(sz, into.unit_count, 4));
    cr_expect(eq(i64, into.units[0].id, 1));
    cr_expect(eq(i64, into.units[1].version, 20), "not loaded over");
    cr_expect(eq(i64, into.units[3].id, 9));
    cr_assert(eq(sz, into.host_count, 3));
    cr_expect(eq(i64, work_host(&into, 3)->version, 30), "not loaded over");
    cr_expect(eq(i64, work_host(&into, 1)->version, 11));
    cr_expect(eq(i64, into.hosts[2].id, 0), "new ones stay last");
    cr_expect(eq(i64, work_allowance(&into, 3, 1)->used, 7));
    cr_expect(eq(i64, work_allowance(&into, 1, 1)->used, 5));
    cr_expect(eq(sz, from.unit_count, 0));
}

Test(merge, into_nothing_it_is_all_there)
{
    CLEANUP(work_set_clear) struct work_set into = {0};
    CLEANUP(work_set_clear) struct work_set from = {0};

    add_unit(&from, 4, 1);
    add_host(&from, 2, 1);
    work_merge(&into, &from);
    cr_expect(work_unit(&into, 4) != NULL);
    cr_expect(work_host(&into, 2) != NULL);
}
