/* common/http: over real TLS, with servers that do everything wrong. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/env/real.h"
#include "common/http/client.h"
#include "tests/support/raw_site.h"

static struct raw_site site;
static struct http_client *http;
static struct http_response response;
static struct error err;
static char last_request[RAW_SITE_REQUEST_MAX];

/* What the site says to every request. */
struct saying {
    const char *status;
    const char *headers;
    const char *body;
    const char *raw; /* instead, byte for byte */
};
static struct saying saying;

static char *say(void *context, const char *request, size_t *ret_length)
{
    (void)context;
    (void)text_fit(last_request, sizeof last_request, request);
    if (saying.raw == NULL)
        return raw_response(saying.status, saying.headers, saying.body, ret_length);
    *ret_length = strlen(saying.raw);
    return text_copy(saying.raw);
}

static void set_up(void)
{
    static const struct http_client_options options = {.user_agent = "test/1"};

    (void)signal(SIGPIPE, SIG_IGN);
    saying = (struct saying){.status = "200 OK", .headers = "", .body = "hello"};
    cr_assert(eq(int, http_client_open_curl(&options, &http, &err), STATUS_OK));
    site.answer = say;
}

static void tear_down(void)
{
    http_response_clear(&response);
    http_client_close(http);
    raw_site_stop(&site);
}

TestSuite(http_client, .init = set_up, .fini = tear_down, .timeout = 30);

static enum status get(const char *path, const char *ca_pem)
{
    CLEANUP(freep) char *url = text_format("%s%s", site.url, path);
    struct http_request request = {.url = url, .ca_pem = ca_pem, .max_bytes = 1000};

    err = (struct error){0};
    http_response_clear(&response);
    return http_perform(http, &request, &response, &err);
}

static void expect_code(const struct raw_site_plan *plan, const char *code)
{
    raw_site_start(&site, plan);
    cr_expect(eq(int, get("/", site.ca_pem), STATUS_UNTRUSTED));
    cr_assert(err.code != NULL, "%s", err.text);
    cr_expect(eq(str, (char *)err.code, (char *)code));
    cr_expect(eq(int, site.requests, 0));
}

Test(http_client, a_request_is_answered)
{
    raw_site_start(&site, NULL);
    saying.headers = "ETag: \"x\"\r\nUpload-Offset: 12\r\nRetry-After: 90\r\n"
                     "Location: /v1/uploads/7\r\n";
    cr_assert(eq(int, get("/v1/thing", site.ca_pem), STATUS_OK), "%s %s", err.text, err.detail);
    cr_expect(eq(int, response.status, 200));
    cr_expect(eq(str, (char *)buffer_text(&response.body), "hello"));
    cr_expect(eq(str, response.etag, "\"x\""));
    cr_expect(eq(i64, response.upload_offset, 12));
    cr_expect(eq(i64, response.retry_after_s, 90));
    cr_expect(text_starts_with(response.location, site.url));
    cr_expect(text_starts_with(last_request, "GET /v1/thing HTTP/1.1\r\n"));
    cr_expect(strstr(last_request, "Accept-Encoding") == NULL);
}

Test(http_client, a_body_a_token_and_headers_are_sent)
{
    const struct http_header header = {.name = "Tus-Resumable", .value = "1.0.0"};
    CLEANUP(freep) char *url = NULL;
    struct http_request request = {.method = HTTP_PATCH,
                                   .token = "secret",
                                   .headers = &header,
                                   .header_count = 1,
                                   .body = {.bytes = "{\"a\":1}", .length = 7},
                                   .max_bytes = 1000};

    raw_site_start(&site, NULL);
    url = text_format("%s/x", site.url);
    request.url = url;
    request.ca_pem = site.ca_pem;
    cr_assert(eq(int, http_perform(http, &request, &response, &err), STATUS_OK), "%s", err.detail);
    cr_expect(text_starts_with(last_request, "PATCH /x HTTP/1.1\r\n"));
    cr_expect(strstr(last_request, "\r\nAuthorization: Bearer secret\r\n") != NULL);
    cr_expect(strstr(last_request, "\r\nTus-Resumable: 1.0.0\r\n") != NULL);
    cr_expect(strstr(last_request, "\r\nContent-Length: 7\r\n") != NULL);
    cr_expect(strstr(last_request, "\r\nContent-Type: application/json\r\n") != NULL);
    cr_expect(strstr(last_request, "Expect") == NULL);
    cr_expect(strstr(last_request, "\r\n\r\n{\"a\":1}") != NULL);
}

/* An upload that is there whole is ended by an empty PATCH, and was refused for its lack of a type.
 */
Test(http_client, an_empty_body_of_a_named_type_says_so)
{
    CLEANUP(freep) char *url = NULL;
    struct http_request request = {
        .method = HTTP_PATCH, .content_type = "application/offset+octet-stream", .max_bytes = 1000};

    raw_site_start(&site, NULL);
    url = text_format("%s/x", site.url);
    request.url = url;
    request.ca_pem = site.ca_pem;
    cr_assert(eq(int, http_perform(http, &request, &response, &err), STATUS_OK), "%s", err.detail);
    cr_expect(strstr(last_request, "\r\nContent-Length: 0\r\n") != NULL);
    cr_expect(strstr(last_request, "\r\nContent-Type: application/offset+octet-stream\r\n") !=
              NULL);
}

Test(http_client, an_empty_post_has_a_length)
{
    CLEANUP(freep) char *url = NULL;
    struct http_request request = {.method = HTTP_POST, .max_bytes = 1000};

    raw_site_start(&site, NULL);
    url = text_format("%s/x", site.url);
    request.url = url;
    request.ca_pem = site.ca_pem;
    cr_assert(eq(int, http_perform(http, &request, &response, &err), STATUS_OK), "%s", err.detail);
    cr_expect(strstr(last_request, "\r\nContent-Length: 0\r\n") != NULL, "%s", last_request);
}

Test(http_client, part_of_a_file_is_sent)
{
    char path[] = "/tmp/dugnad-http-client-XXXXXX";
    struct disk *disk = disk_real();
    CLEANUP(disk_file_closep) struct disk_file *file = NULL;
    CLEANUP(freep) char *url = NULL;
    struct http_request request = {.method = HTTP_PUT, .max_bytes = 1000};
    int descriptor = mkstemp(path);

    cr_assert(write(descriptor, "0123456789", 10) == 10 && close(descriptor) == 0);
    cr_assert(eq(int, disk->open_read(disk, path, &file, &err), STATUS_OK));
    raw_site_start(&site, NULL);
    url = text_format("%s/x", site.url);
    request.url = url;
    request.ca_pem = site.ca_pem;
    request.body = (struct http_body){.file = file, .offset = 3, .length = 4};
    cr_assert(eq(int, http_perform(http, &request, &response, &err), STATUS_OK), "%s", err.detail);
    cr_expect(strstr(last_request, "\r\n\r\n3456") != NULL);
    request.body.length = 40;
    cr_expect(eq(int, http_perform(http, &request, &response, &err), STATUS_STORAGE));
    (void)unlink(path);
}

/* --- certificates --- */

Test(http_client, an_unknown_ca_is_refused_before_a_byte_is_sent)
{
    raw_site_start(&site, NULL);
    cr_expect(eq(int, get("/", NULL), STATUS_UNTRUSTED));
    cr_assert(err.code != NULL);
    cr_expect(eq(str, (char *)err.code, "certificate-unknown-ca"));
    cr_expect(eq(int, site.requests, 0));
}

Test(http_client, a_connection_that_one_ca_opened_serves_no_request_without_it)
{
    raw_site_start(&site, NULL);
    cr_assert(eq(int, get("/", site.ca_pem), STATUS_OK));
    cr_expect(eq(int, get("/", NULL), STATUS_UNTRUSTED));
}

Test(http_client, an_expired_certificate_is_named)
{
    expect_code(&(struct raw_site_plan){.is_expired = true}, "certificate-expired");
}

Test(http_client, a_certificate_of_the_future_is_named)
{
    expect_code(&(struct raw_site_plan){.is_not_yet = true}, "certificate-not-yet-valid");
}

Test(http_client, a_certificate_for_another_host_is_named)
{
    expect_code(&(struct raw_site_plan){.names = "DNS:other.example"}, "certificate-wrong-name");
}

Test(http_client, a_self_signed_certificate_is_refused)
{
    expect_code(&(struct raw_site_plan){.is_self_signed = true}, "certificate-unknown-ca");
}

/* --- first contact --- */

static enum status first_contact(const char *path)
{
    CLEANUP(freep) char *url = text_format("%s%s", site.url, path);
    struct http_request request = {.url = url, .max_bytes = 1000, .on_first_contact = true};

    err = (struct error){0};
    http_response_clear(&response);
    return http_perform(http, &request, &response, &err);
}

static enum status find_ca(const struct digest *ca, const char *url, int64_t later_s,
                           char **ret_pem)
{
    struct env *env = env_real();

    return http_chain_find_ca(&response.chain, url, env->now_s(env) + later_s, ca, 1, ret_pem,
                              &err);
}

Test(http_client, first_contact_yields_the_chain_and_a_listed_ca_is_found_in_it)
{
    CLEANUP(freep) char *pem = NULL;
    struct digest ca, other = {{1}};

    raw_site_start(&site, NULL);
    cr_assert(eq(int, http_ca_digest(site.ca_pem, strlen(site.ca_pem), &ca, &err), STATUS_OK));
    cr_assert(eq(int, first_contact("/v1/project"), STATUS_OK), "%s", err.detail);
    cr_expect(eq(sz, response.chain.count, 2));
    cr_expect(eq(int, find_ca(&other, site.url, 0, &pem), STATUS_UNTRUSTED));
    cr_expect(eq(int, find_ca(&ca, "https://other.example", 0, &pem), STATUS_UNTRUSTED));
    cr_expect(eq(str, (char *)err.code, "certificate-wrong-name"));
    cr_expect(eq(int, find_ca(&ca, site.url, 3 * 3600, &pem), STATUS_UNTRUSTED));
    cr_expect(eq(str, (char *)err.code, "certificate-expired"));
    cr_assert(pem == NULL);
    cr_assert(eq(int, find_ca(&ca, site.url, 0, &pem), STATUS_OK), "%s", err.detail);
    cr_expect(eq(str, pem, site.ca_pem));
    cr_expect(eq(int, get("/", pem), STATUS_OK));
}

Test(http_client, a_ca_that_the_server_does_not_present_cannot_be_found)
{
    struct digest ca;
    char *pem = NULL;

    raw_site_start(&site, &(struct raw_site_plan){.hides_ca = true});
    cr_assert(eq(int, http_ca_digest(site.ca_pem, strlen(site.ca_pem), &ca, &err), STATUS_OK));
    cr_assert(eq(int, first_contact("/v1/project"), STATUS_OK));
    cr_expect(eq(int, find_ca(&ca, site.url, 0, &pem), STATUS_UNTRUSTED));
}

/* A listed CA among the certificates is not enough: it must have signed the server's. */
Test(http_client, a_listed_ca_beside_a_foreign_certificate_is_refused)
{
    struct raw_site other = {.answer = say};
    struct digest ca;
    char *pem = NULL;

    raw_site_start(&site, NULL);
    raw_site_start(&other, NULL);
    cr_assert(eq(int, http_ca_digest(site.ca_pem, strlen(site.ca_pem), &ca, &err), STATUS_OK));
    cr_assert(eq(int, first_contact("/v1/project"), STATUS_OK));
    {
        struct http_response foreign = {0};
        CLEANUP(freep) char *url = text_format("%s/v1/project", other.url);
        struct http_request request = {.url = url, .max_bytes = 1000, .on_first_contact = true};

        cr_assert(eq(int, http_perform(http, &request, &foreign, &err), STATUS_OK));
        free(response.chain.certificates[0].der);
        response.chain.certificates[0] = foreign.chain.certificates[0];
        foreign.chain.certificates[0].der = NULL;
        http_response_clear(&foreign);
    }
    cr_expect(eq(int, find_ca(&ca, site.url, 0, &pem), STATUS_UNTRUSTED));
    raw_site_stop(&other);
}

Test(http_client, an_unverified_connection_serves_no_verified_request)
{
    raw_site_start(&site, NULL);
    cr_assert(eq(int, first_contact("/v1/project"), STATUS_OK));
    cr_expect(eq(int, get("/", NULL), STATUS_UNTRUSTED));
}

Test(http_client, on_first_contact_only_the_project_is_asked_for)
{
    CLEANUP(freep) char *url = NULL;
    struct http_request request = {.max_bytes = 1000, .on_first_contact = true};

    raw_site_start(&site, NULL);
    url = text_format("%s/v1/project", site.url);
    request.url = url;
    request.token = "secret";
    cr_expect(eq(int, http_perform(http, &request, &response, &err), STATUS_INVALID));
    request.token = NULL;
    request.method = HTTP_POST;
    cr_expect(eq(int, http_perform(http, &request, &response, &err), STATUS_INVALID));
    cr_expect(eq(int, first_contact("/v1/hosts"), STATUS_INVALID));
    cr_expect(eq(int, site.requests, 0));
}

/* --- bounds --- */

Test(http_client, more_than_was_asked_for_is_refused)
{
    char body[1002];

    raw_site_start(&site, NULL);
    memset(body, 'x', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    saying.body = body;
    cr_expect(eq(int, get("/", site.ca_pem), STATUS_TOO_LARGE));
    body[1000] = '\0';
    cr_expect(eq(int, get("/", site.ca_pem), STATUS_OK));
    saying.raw = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n";
    cr_expect(eq(int, get("/", site.ca_pem), STATUS_TOO_LARGE));
}

Test(http_client, an_endless_head_is_refused)
{
    CLEANUP(buffer_clear) struct buffer raw = {.max = 100000};

    raw_site_start(&site, NULL);
    cr_assert(eq(int, buffer_append_text(&raw, "HTTP/1.1 200 OK\r\n", NULL), STATUS_OK));
    while (raw.length < 40000)
        cr_assert(eq(int, buffer_append_text(&raw, "X-Nothing: at all, and more of it\r\n", NULL),
                     STATUS_OK));
    saying.raw = buffer_text(&raw);
    cr_expect(eq(int, get("/", site.ca_pem), STATUS_TOO_LARGE));
}

Test(http_client, what_is_no_http_is_refused)
{
    raw_site_start(&site, NULL);
    saying.raw = "SSH-2.0-OpenSSH_9.2\r\n";
    cr_expect(eq(int, get("/", site.ca_pem), STATUS_INVALID), "%s", err.detail);
    saying.raw = "HTTP/1.1 abc\r\n\r\n";
    cr_expect(ne(int, get("/", site.ca_pem), STATUS_OK));
}

Test(http_client, a_cut_answer_is_no_answer)
{
    raw_site_start(&site, NULL);
    saying.raw = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    cr_expect(eq(int, get("/", site.ca_pem), STATUS_UNREACHABLE));
    saying.raw = "";
    cr_expect(eq(int, get("/", site.ca_pem), STATUS_UNREACHABLE));
}

Test(http_client, only_https_is_spoken)
{
    static const char *const urls[] = {"http://127.0.0.1:1/", "file:///etc/passwd", "ftp://x/", "",
                                       "https://"};

    raw_site_start(&site, NULL);
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct http_request request = {.url = urls[i], .max_bytes = 1000};

        cr_expect(eq(int, http_perform(http, &request, &response, &err), STATUS_INVALID), "%s",
                  urls[i]);
    }
}

Test(http_client, a_closed_port_is_unreachable)
{
    const struct http_request request = {.url = "https://127.0.0.1:1/", .max_bytes = 10};

    raw_site_start(&site, NULL);
    cr_expect(eq(int, http_perform(http, &request, &response, &err), STATUS_UNREACHABLE));
}

/* --- answers that mean something --- */

Test(http_client, a_redirect_is_not_followed_and_a_foreign_location_not_told)
{
    raw_site_start(&site, NULL);
    saying.status = "302 Found";
    saying.headers = "Location: https://other.example/v1/project\r\n";
    cr_assert(eq(int, get("/", site.ca_pem), STATUS_OK));
    cr_expect(eq(int, http_check(&response, &err), STATUS_UNTRUSTED));
    cr_expect(eq(str, (char *)err.code, "redirect"));
    cr_expect(eq(str, response.location, ""));
    cr_expect(eq(int, site.requests, 1));
}

Test(http_client, a_problem_document_becomes_a_failure)
{
    raw_site_start(&site, NULL);
    saying.status = "429 Too Many Requests";
    saying.body = "{\"type\":\"limited\",\"title\":\"t\",\"status\":429,"
                  "\"detail\":\"slow\\u001b[31m down\",\"retry_after_s\":77}";
    cr_assert(eq(int, get("/", site.ca_pem), STATUS_OK));
    cr_expect(eq(int, http_check(&response, &err), STATUS_LIMITED));
    cr_expect(eq(str, err.text, "slow?[31m down"));
    cr_expect(eq(i64, err.retry_after_s, 77));
}

Test(http_client, without_a_problem_document_the_status_counts)
{
    static const struct {
        const char *line;
        enum status status;
    } cases[] = {
        {"404 Not Found", STATUS_NOT_FOUND}, {"503 Busy", STATUS_BUSY},
        {"502 Bad", STATUS_UNREACHABLE},     {"504 Late", STATUS_UNREACHABLE},
        {"418 Teapot", STATUS_INVALID},      {"599 What", STATUS_UNREACHABLE},
        {"401 Who", STATUS_UNAUTHORIZED},    {"507 Full", STATUS_FULL},
    };

    raw_site_start(&site, NULL);
    saying.headers = "Retry-After: 5\r\n";
    saying.body = "<html>";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        saying.status = cases[i].line;
        cr_assert(eq(int, get("/", site.ca_pem), STATUS_OK));
        cr_expect(eq(int, http_check(&response, &err), cases[i].status), "%s", cases[i].line);
        cr_expect(eq(i64, err.retry_after_s, 5));
    }
}

Test(http_client, a_huge_problem_is_cut)
{
    CLEANUP(freep) char *body = must_alloc(100001, 1);

    memset(body, ' ', 100000);
    raw_site_start(&site, NULL);
    saying.status = "500 Oh";
    saying.body = body;
    cr_assert(eq(int, get("/", site.ca_pem), STATUS_OK));
    cr_expect(eq(sz, response.body.length, HTTP_PROBLEM_MAX));
    cr_expect(eq(int, http_check(&response, &err), STATUS_STORAGE));
}

/* --- streams and ranges --- */

struct taken {
    int begun_with;
    int64_t range_first;
    char bytes[64];
    size_t length;
    bool fails;
};

static enum status on_begin(void *context, const struct http_response *head, struct error *e)
{
    struct taken *taken = context;

    (void)e;
    taken->begun_with = head->status;
    taken->range_first = head->range_first;
    return STATUS_OK;
}

static enum status on_write(void *context, const void *bytes, size_t count, struct error *e)
{
    struct taken *taken = context;

    if (taken->fails)
        return error_set(e, STATUS_FULL, "no room");
    memcpy(taken->bytes + taken->length, bytes, count);
    taken->length += count;
    return STATUS_OK;
}

Test(http_client, a_range_is_streamed)
{
    struct taken taken = {.length = 0};
    struct http_sink sink = {.begin = on_begin, .write = on_write, .context = &taken};
    CLEANUP(freep) char *url = NULL;
    struct http_request request = {.max_bytes = 10, .sink = &sink, .range_from = 100};

    raw_site_start(&site, NULL);
    url = text_format("%s/f", site.url);
    request.url = url;
    request.ca_pem = site.ca_pem;
    request.if_match = "\"e\"";
    saying.status = "206 Partial Content";
    saying.headers = "Content-Range: bytes 100-104/105\r\n";
    cr_assert(eq(int, http_perform(http, &request, &response, &err), STATUS_OK), "%s", err.detail);
    cr_expect(strstr(last_request, "\r\nRange: bytes=100-\r\n") != NULL);
    cr_expect(strstr(last_request, "\r\nIf-Range: \"e\"\r\n") != NULL);
    cr_expect(eq(int, taken.begun_with, 206));
    cr_expect(eq(i64, taken.range_first, 100));
    cr_expect(eq(i64, response.range_total, 105));
    cr_expect(eq(sz, taken.length, 5));

    taken.fails = true;
    cr_expect(eq(int, http_perform(http, &request, &response, &err), STATUS_FULL));
    cr_expect(eq(str, err.text, "no room"));
}

Test(http_client, a_sink_sees_nothing_of_a_problem)
{
    struct taken taken = {.length = 0};
    struct http_sink sink = {.begin = on_begin, .write = on_write, .context = &taken};
    CLEANUP(freep) char *url = NULL;
    struct http_request request = {.max_bytes = 10, .sink = &sink};

    raw_site_start(&site, NULL);
    url = text_format("%s/f", site.url);
    request.url = url;
    request.ca_pem = site.ca_pem;
    saying.status = "404 Not Found";
    cr_assert(eq(int, http_perform(http, &request, &response, &err), STATUS_OK));
    cr_expect(eq(int, taken.begun_with, 0));
    cr_expect(eq(sz, taken.length, 0));
    cr_expect(eq(str, (char *)buffer_text(&response.body), "hello"));
}
