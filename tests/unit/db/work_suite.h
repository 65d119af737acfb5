/* What the tests of the suite work share: a small site. One test program includes this once. */
#ifndef TESTS_UNIT_DB_WORK_SUITE_H
#define TESTS_UNIT_DB_WORK_SUITE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/support/site_work.h"

static struct test_site site;
static struct store *store;
static struct error err;

static void set_up(void)
{
    site_open(&site, NULL);
    store = site.store;
}

static void tear_down(void)
{
    site_close(&site);
}

TestSuite(work, .init = set_up, .fini = tear_down);

#endif
