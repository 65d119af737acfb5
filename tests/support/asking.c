#include "tests/support/asking.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <string.h>

#include "common/base/text.h"

struct asking asking;

static char *say(void *context, const char *request, size_t *ret_length)
{
    (void)context;
    (void)text_fit(asking.last_request, sizeof asking.last_request, request);
    if (asking.saying.raw == NULL)
        return raw_response(asking.saying.status, asking.saying.headers, asking.saying.body,
                            ret_length);
    *ret_length = strlen(asking.saying.raw);
    return text_copy(asking.saying.raw);
}

void asking_set_up(void)
{
    static const struct http_client_options options = {.user_agent = "test/1"};

    (void)signal(SIGPIPE, SIG_IGN);
    asking = (struct asking){.saying = {.status = "200 OK", .headers = "", .body = "hello"}};
    cr_assert(eq(int, http_client_open_curl(&options, &asking.http, &asking.err), STATUS_OK));
    asking.site.answer = say;
}

void asking_tear_down(void)
{
    http_response_clear(&asking.response);
    http_client_close(asking.http);
    raw_site_stop(&asking.site);
}

enum status asking_get(const char *path, const char *ca_pem)
{
    CLEANUP(freep) char *url = text_format("%s%s", asking.site.url, path);
    struct http_request request = {.url = url, .ca_pem = ca_pem, .max_bytes = 1000};

    asking.err = (struct error){0};
    http_response_clear(&asking.response);
    return http_perform(asking.http, &request, &asking.response, &asking.err);
}

void asking_expect_code(const struct raw_site_plan *plan, const char *code)
{
    raw_site_start(&asking.site, plan);
    cr_expect(eq(int, asking_get("/", asking.site.ca_pem), STATUS_UNTRUSTED));
    cr_assert(asking.err.code != NULL, "%s", asking.err.text);
    cr_expect(eq(str, (char *)asking.err.code, (char *)code));
    cr_expect(eq(int, asking.site.requests, 0));
}
