/* What the tests of the suite cycle share: three hosts of three volunteers. One test program
 * includes this once. */
#ifndef TESTS_UNIT_SERVER_ENGINE_CYCLE_SUITE_H
#define TESTS_UNIT_SERVER_ENGINE_CYCLE_SUITE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/support/village.h"

static struct village village;
static size_t ann, bob, eve;

static void set_up(void)
{
    village_open(&village, NULL);
    ann = village_join(&village);
    bob = village_join(&village);
    eve = village_join(&village);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(cycle, .init = set_up, .fini = tear_down);

/* Granted to both, nothing reported yet. */
static inline void send_one(int64_t *ret_anns, int64_t *ret_bobs)
{
    village_add_units(&village, 1, NULL);
    *ret_anns = village_get(&village, ann);
    *ret_bobs = village_get(&village, bob);
    cr_assert(0 != *ret_anns && 0 != *ret_bobs);
}

#endif
