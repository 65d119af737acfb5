/* Large sites, seeded by SQL: through the engine a million units would take a quarter of an hour.
 */
#ifndef TESTS_SUPPORT_MANY_UNITS_H
#define TESTS_SUPPORT_MANY_UNITS_H

#include "tests/support/site_work.h"

/*
 * Of a played site: `count` more units like its first, accepted on two tasks each, with an output
 * of their own and all that belongs to it, so that the whole is sound. Once per site.
 */
void site_add_accepted(struct test_site *site, int64_t count);

#endif
