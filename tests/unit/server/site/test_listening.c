/* server/site/listening: a site whose URL is this machine's own is nobody else's to reach. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "server/http/listener.h"
#include "server/site/listening.h"

Test(listening, an_address_fits_its_url)
{
    static const struct {
        const char *host, *expected;
    } cases[] = {
        {"127.0.0.1", "127.0.0.1:8443"},
        {"127.0.0.2", "127.0.0.2:8443"}, /* regression: 0.0.0.0, as were the next five */
        {"127.255.255.254", "127.255.255.254:8443"},
        {"LOCALHOST", "127.0.0.1:8443"},
        {"LocalHost", "127.0.0.1:8443"},
        {"::1", "[::1]:8443"},
        {"0:0:0:0:0:0:0:1", "[::1]:8443"},
        {"localhost", "127.0.0.1:8443"},
        {"localhost.", "127.0.0.1:8443"}, /* regression: everywhere, as were the next five */
        {"grid.localhost", "127.0.0.1:8443"},
        {"grid.LOCALHOST.", "127.0.0.1:8443"},
        {"127.1", "127.0.0.1:8443"},
        {"2130706433", "127.0.0.1:8443"},
        {"::ffff:127.0.0.2", "127.0.0.2:8443"},
        {"grid.localhosts", "0.0.0.0:8443"},
        {"::ffff:192.0.2.1", "[::]:8443"},
        {"2001:db8::1", "[::]:8443"}, /* regression: IPv4 alone */
        {"192.0.2.1", "0.0.0.0:8443"},
        {"grid.example", "0.0.0.0:8443"},
        {"127.example", "0.0.0.0:8443"},
        {"localhost.example", "0.0.0.0:8443"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_address parsed;
        char address[LISTENING_MAX];

        listening_for(cases[i].host, "8443", address);
        cr_expect(eq(str, address, (char *)cases[i].expected));
        cr_expect(eq(int, http_address_parse(address, &parsed, NULL), 0), "%s", address);
    }
}
