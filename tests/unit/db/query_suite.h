/* What the suites of queries share: a site that is opened for each test. One test program includes
 * this once, and then declares its TestSuite() with set_up and tear_down. */
#ifndef TESTS_UNIT_DB_QUERY_SUITE_H
#define TESTS_UNIT_DB_QUERY_SUITE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "db/query.h"
#include "tests/support/site.h"

static struct test_site site;
static struct store *store;
static struct error err;
static int rows; /* that a callback saw */

static void set_up(void)
{
    site_open(&site, NULL);
    store = site.store;
    rows = 0;
}

static void tear_down(void)
{
    site_close(&site);
}

#define MUST(call) cr_assert(eq(int, (int)(call), STATUS_OK), "%s (%s)", err.text, err.detail)

#endif
