/* What the tests of the suite refusals share: a grid to ask. One test program includes this once.
 */
#ifndef TESTS_UNIT_SERVER_API_REFUSALS_SUITE_H
#define TESTS_UNIT_SERVER_API_REFUSALS_SUITE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "tests/support/grid.h"

static struct grid grid;

static void set_up(void)
{
    grid_open(&grid, NULL);
}

static void tear_down(void)
{
    grid_close(&grid);
}

TestSuite(refusals, .init = set_up, .fini = tear_down, .timeout = 60);

static inline int ask(const char *method, const char *path, const char *token, const char *type,
                      const char *body)
{
    struct grid_request request = {
        .method = method, .path = path, .token = token, .type = type, .body = body};

    return grid_ask(&grid, &request);
}

#endif
