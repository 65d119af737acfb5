/* Listings that a site shows page after page. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "operator/exit_codes.h"
#include "tests/support/desk.h"

TestSuite(listings, .init = desk_set_up, .fini = desk_tear_down, .timeout = 60);

static void expect_circle_refused(int code)
{
    cr_expect(eq(int, code, EXIT_UNTRUSTED), "%s", desk_said);
    cr_expect(strstr(desk_said, MEMORY_SITE_URL) != NULL, "%s", desk_said);
    cr_expect(strstr(desk_said, "lists in a circle") != NULL, "%s", desk_said);
}

/* Regression: they followed such cursors until they were interrupted. */
Test(listings, a_listing_that_goes_in_a_circle_is_refused_in_words_that_name_the_server)
{
    static const long circles[] = {1, 2, 37};

    submit_three();
    for (size_t i = 0; i < sizeof circles / sizeof *circles; i++) {
        desk_site.listing_circle = circles[i];
        desk_site.requests = 0;
        expect_circle_refused(RUN("hosts"));
        expect_circle_refused(RUN("tasks", "b"));
        expect_circle_refused(RUN("status"));
        cr_expect(lt(i64, desk_site.requests, 3 * (4 * circles[i] + 8)));
    }
}
