/* client/agent: URLs at which a project is or was. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#include "client/agent/known_urls.h"

Test(known_urls, each_is_there_once_in_whatever_form_it_is_written)
{
    struct known_urls known = {.count = 0};

    cr_expect(known_urls_note(&known, "https://GRID.example:443/"));
    cr_expect(not(known_urls_note(&known, "https://grid.example")));
    cr_expect(known_urls_have(&known, "https://Grid.example/"));
    cr_expect(not(known_urls_have(&known, "https://grid.example/other")));
    cr_expect(not(known_urls_note(&known, "ftp://grid.example")), "no site's URL");
    cr_expect(eq(sz, known.count, 1));
}

Test(known_urls, of_too_many_those_noted_longest_ago_are_forgotten)
{
    struct known_urls known = {.count = 0};
    char url[64];

    for (int i = 0; i < KNOWN_URLS_MAX; i++) {
        (void)snprintf(url, sizeof url, "https://g%d.example", i);
        cr_expect(known_urls_note(&known, url));
    }
    cr_expect(not(known_urls_note(&known, "https://g0.example")), "now the last");
    cr_expect(known_urls_note(&known, "https://one.more.example"));
    cr_expect(eq(sz, known.count, KNOWN_URLS_MAX));
    cr_expect(known_urls_have(&known, "https://g0.example"));
    cr_expect(not(known_urls_have(&known, "https://g1.example")));
}
