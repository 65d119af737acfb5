/* common/http/url: one form for a site, and who counts as the same origin. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/http/url.h"

Test(http_url, a_site_is_written_in_one_way)
{
    static const struct {
        const char *text;
        const char *site;
    } cases[] = {
        {"https://Grid.Example", "https://grid.example"},
        {"https://grid.example/", "https://grid.example"},
        {"https://grid.example:443/", "https://grid.example"},
        {"https://grid.example:8443/a/b//", "https://grid.example:8443/a/b"},
        {"https://[::1]:8443", "https://[::1]:8443"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_url site = {""};

        cr_assert(eq(int, http_url_site(cases[i].text, &site, NULL), STATUS_OK), "%s",
                  cases[i].text);
        cr_expect(eq(str, site.text, (char *)cases[i].site));
    }
}

Test(http_url, what_is_no_site_is_refused)
{
    static const char *const cases[] = {
        "",
        "grid.example",
        "http://grid.example",
        "https://",
        "https://user@grid.example",
        "https://user:secret@grid.example",
        "https://grid.example/?a=b",
        "https://grid.example/#x",
        "https://grid.example:99999",
        "https://grid.example/\nHost: x",
        "javascript:alert(1)",
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_url site;

        cr_expect(eq(int, http_url_site(cases[i], &site, NULL), STATUS_INVALID), "%s", cases[i]);
    }
}

Test(http_url, an_origin_is_scheme_host_and_port)
{
    cr_expect(http_url_is_same_origin("https://a.example/x", "https://A.example:443/y?z"));
    cr_expect(not(http_url_is_same_origin("https://a.example", "https://a.example:8443")));
    cr_expect(not(http_url_is_same_origin("https://a.example", "https://b.example")));
    cr_expect(not(http_url_is_same_origin("https://a.example", "http://a.example")));
    cr_expect(not(http_url_is_same_origin("https://a.example", "nonsense")));
}

Test(http_url, a_location_stays_on_its_origin)
{
    struct http_url url;
    struct error err;

    cr_assert(eq(int, http_url_resolve("https://a.example/v1/x", "/v1/y", &url, &err), STATUS_OK));
    cr_expect(eq(str, url.text, "https://a.example/v1/y"));
    cr_expect(eq(int, http_url_resolve("https://a.example/", "https://b.example/", &url, &err),
                 STATUS_UNTRUSTED));
    cr_expect(eq(int, http_url_resolve("https://a.example/", "//b.example/", &url, &err),
                 STATUS_UNTRUSTED));
    cr_expect(ne(int, http_url_resolve("https://a.example/", "http://a.example/", &url, &err),
                 STATUS_OK));
}
