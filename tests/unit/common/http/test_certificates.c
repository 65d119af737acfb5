/* common/http: whom a client believes, and how it learns a CA on first contact. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "common/base/text.h"
#include "common/env/real.h"
#include "tests/support/asking.h"

TestSuite(http_client, .init = asking_set_up, .fini = asking_tear_down, .timeout = 30);

/* --- certificates --- */

Test(http_client, an_unknown_ca_is_refused_before_a_byte_is_sent)
{
    raw_site_start(&asking.site, NULL);
    cr_expect(eq(int, asking_get("/", NULL), STATUS_UNTRUSTED));
    cr_assert(asking.err.code != NULL);
    cr_expect(eq(str, (char *)asking.err.code, "certificate-unknown-ca"));
    cr_expect(eq(int, asking.site.requests, 0));
}

Test(http_client, a_connection_that_one_ca_opened_serves_no_request_without_it)
{
    raw_site_start(&asking.site, NULL);
    cr_assert(eq(int, asking_get("/", asking.site.ca_pem), STATUS_OK));
    cr_expect(eq(int, asking_get("/", NULL), STATUS_UNTRUSTED));
}

Test(http_client, an_expired_certificate_is_named)
{
    asking_expect_code(&(struct raw_site_plan){.is_expired = true}, "certificate-expired");
}

Test(http_client, a_certificate_of_the_future_is_named)
{
    asking_expect_code(&(struct raw_site_plan){.is_not_yet = true}, "certificate-not-yet-valid");
}

Test(http_client, a_certificate_for_another_host_is_named)
{
    asking_expect_code(&(struct raw_site_plan){.names = "DNS:other.example"},
                       "certificate-wrong-name");
}

Test(http_client, a_self_signed_certificate_is_refused)
{
    asking_expect_code(&(struct raw_site_plan){.is_self_signed = true}, "certificate-unknown-ca");
}

/* --- first contact --- */

static enum status first_contact(const char *path)
{
    CLEANUP(freep) char *url = text_format("%s%s", asking.site.url, path);
    struct http_request request = {.url = url, .max_bytes = 1000, .on_first_contact = true};

    asking.err = (struct error){0};
    http_response_clear(&asking.response);
    return http_perform(asking.http, &request, &asking.response, &asking.err);
}

static enum status find_ca(const struct digest *ca, const char *url, int64_t later_s,
                           char **ret_pem)
{
    struct env *env = env_real();

    return http_chain_find_ca(&asking.response.chain, url, env->now_s(env) + later_s, ca, 1,
                              ret_pem, &asking.err);
}

Test(http_client, first_contact_yields_the_chain_and_a_listed_ca_is_found_in_it)
{
    CLEANUP(freep) char *pem = NULL;
    struct digest ca, other = {{1}};

    raw_site_start(&asking.site, NULL);
    cr_assert(eq(int,
                 http_ca_digest(asking.site.ca_pem, strlen(asking.site.ca_pem), &ca, &asking.err),
                 STATUS_OK));
    cr_assert(eq(int, first_contact("/v1/project"), STATUS_OK), "%s", asking.err.detail);
    cr_expect(eq(sz, asking.response.chain.count, 2));
    cr_expect(eq(int, find_ca(&other, asking.site.url, 0, &pem), STATUS_UNTRUSTED));
    cr_expect(eq(int, find_ca(&ca, "https://other.example", 0, &pem), STATUS_UNTRUSTED));
    cr_expect(eq(str, (char *)asking.err.code, "certificate-wrong-name"));
    cr_expect(eq(int, find_ca(&ca, asking.site.url, 3 * 3600, &pem), STATUS_UNTRUSTED));
    cr_expect(eq(str, (char *)asking.err.code, "certificate-expired"));
    cr_assert(pem == NULL);
    cr_assert(eq(int, find_ca(&ca, asking.site.url, 0, &pem), STATUS_OK), "%s", asking.err.detail);
    cr_expect(eq(str, pem, asking.site.ca_pem));
    cr_expect(eq(int, asking_get("/", pem), STATUS_OK));
}

static enum status check_ca(int64_t later_s)
{
    struct env *env = env_real();

    asking.err = (struct error){0};
    return http_ca_check(asking.site.ca_pem, strlen(asking.site.ca_pem), env->now_s(env) + later_s,
                         &asking.err);
}

Test(http_client, a_ca_counts_as_one_while_it_is_valid)
{
    raw_site_start(&asking.site, NULL);
    cr_expect(eq(int, check_ca(0), STATUS_OK), "%s", asking.err.text);
    cr_expect(eq(int, check_ca(-10 * 365 * 86400), STATUS_INVALID));
    cr_expect(strstr(asking.err.text, "not valid yet") != NULL, "%s", asking.err.text);
    cr_expect(eq(int, check_ca(10 * 365 * 86400), STATUS_INVALID));
    cr_expect(strstr(asking.err.text, "expired") != NULL, "%s", asking.err.text);
}

Test(http_client, a_ca_that_the_server_does_not_present_cannot_be_found)
{
    struct digest ca;
    char *pem = NULL;

    raw_site_start(&asking.site, &(struct raw_site_plan){.hides_ca = true});
    cr_assert(eq(int,
                 http_ca_digest(asking.site.ca_pem, strlen(asking.site.ca_pem), &ca, &asking.err),
                 STATUS_OK));
    cr_assert(eq(int, first_contact("/v1/project"), STATUS_OK));
    cr_expect(eq(int, find_ca(&ca, asking.site.url, 0, &pem), STATUS_UNTRUSTED));
}

/* A listed CA among the certificates is not enough: it must have signed the server's. */
Test(http_client, a_listed_ca_beside_a_foreign_certificate_is_refused)
{
    struct raw_site other = {.answer = asking.site.answer};
    struct digest ca;
    char *pem = NULL;

    raw_site_start(&asking.site, NULL);
    raw_site_start(&other, NULL);
    cr_assert(eq(int,
                 http_ca_digest(asking.site.ca_pem, strlen(asking.site.ca_pem), &ca, &asking.err),
                 STATUS_OK));
    cr_assert(eq(int, first_contact("/v1/project"), STATUS_OK));
    {
        struct http_response foreign = {0};
        CLEANUP(freep) char *url = text_format("%s/v1/project", other.url);
        struct http_request request = {.url = url, .max_bytes = 1000, .on_first_contact = true};

        cr_assert(eq(int, http_perform(asking.http, &request, &foreign, &asking.err), STATUS_OK));
        free(asking.response.chain.certificates[0].der);
        asking.response.chain.certificates[0] = foreign.chain.certificates[0];
        foreign.chain.certificates[0].der = NULL;
        http_response_clear(&foreign);
    }
    cr_expect(eq(int, find_ca(&ca, asking.site.url, 0, &pem), STATUS_UNTRUSTED));
    raw_site_stop(&other);
}

Test(http_client, an_unverified_connection_serves_no_verified_request)
{
    raw_site_start(&asking.site, NULL);
    cr_assert(eq(int, first_contact("/v1/project"), STATUS_OK));
    cr_expect(eq(int, asking_get("/", NULL), STATUS_UNTRUSTED));
}

Test(http_client, on_first_contact_only_the_project_is_asked_for)
{
    CLEANUP(freep) char *url = NULL;
    struct http_request request = {.max_bytes = 1000, .on_first_contact = true};

    raw_site_start(&asking.site, NULL);
    url = text_format("%s/v1/project", asking.site.url);
    request.url = url;
    request.token = "secret";
    cr_expect(eq(int, http_perform(asking.http, &request, &asking.response, &asking.err),
                 STATUS_INVALID));
    request.token = NULL;
    request.method = HTTP_POST;
    cr_expect(eq(int, http_perform(asking.http, &request, &asking.response, &asking.err),
                 STATUS_INVALID));
    cr_expect(eq(int, first_contact("/v1/hosts"), STATUS_INVALID));
    cr_expect(eq(int, asking.site.requests, 0));
}
