/* common/http: over real TLS, with servers that do everything wrong. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/env/real.h"
#include "tests/support/asking.h"

TestSuite(http_client, .init = asking_set_up, .fini = asking_tear_down, .timeout = 30);

Test(http_client, a_request_is_answered)
{
    raw_site_start(&asking.site, NULL);
    asking.saying.headers = "ETag: \"x\"\r\nUpload-Offset: 12\r\nRetry-After: 90\r\n"
                            "Location: /v1/uploads/7\r\n";
    cr_assert(eq(int, asking_get("/v1/thing", asking.site.ca_pem), STATUS_OK), "%s %s",
              asking.err.text, asking.err.detail);
    cr_expect(eq(int, asking.response.status, 200));
    cr_expect(eq(str, (char *)buffer_text(&asking.response.body), "hello"));
    cr_expect(eq(str, asking.response.etag, "\"x\""));
    cr_expect(eq(i64, asking.response.upload_offset, 12));
    cr_expect(eq(i64, asking.response.retry_after_s, 90));
    cr_expect(text_starts_with(asking.response.location, asking.site.url));
    cr_expect(text_starts_with(asking.last_request, "GET /v1/thing HTTP/1.1\r\n"));
    cr_expect(strstr(asking.last_request, "Accept-Encoding") == NULL);
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

    raw_site_start(&asking.site, NULL);
    url = text_format("%s/x", asking.site.url);
    request.url = url;
    request.ca_pem = asking.site.ca_pem;
    cr_assert(
        eq(int, http_perform(asking.http, &request, &asking.response, &asking.err), STATUS_OK),
        "%s", asking.err.detail);
    cr_expect(text_starts_with(asking.last_request, "PATCH /x HTTP/1.1\r\n"));
    cr_expect(strstr(asking.last_request, "\r\nAuthorization: Bearer secret\r\n") != NULL);
    cr_expect(strstr(asking.last_request, "\r\nTus-Resumable: 1.0.0\r\n") != NULL);
    cr_expect(strstr(asking.last_request, "\r\nContent-Length: 7\r\n") != NULL);
    cr_expect(strstr(asking.last_request, "\r\nContent-Type: application/json\r\n") != NULL);
    cr_expect(strstr(asking.last_request, "Expect") == NULL);
    cr_expect(strstr(asking.last_request, "\r\n\r\n{\"a\":1}") != NULL);
}

/* An upload that is there whole is ended by an empty PATCH, and was refused for its lack of a type.
 */
Test(http_client, an_empty_body_of_a_named_type_says_so)
{
    CLEANUP(freep) char *url = NULL;
    struct http_request request = {
        .method = HTTP_PATCH, .content_type = "application/offset+octet-stream", .max_bytes = 1000};

    raw_site_start(&asking.site, NULL);
    url = text_format("%s/x", asking.site.url);
    request.url = url;
    request.ca_pem = asking.site.ca_pem;
    cr_assert(
        eq(int, http_perform(asking.http, &request, &asking.response, &asking.err), STATUS_OK),
        "%s", asking.err.detail);
    cr_expect(strstr(asking.last_request, "\r\nContent-Length: 0\r\n") != NULL);
    cr_expect(strstr(asking.last_request,
                     "\r\nContent-Type: application/offset+octet-stream\r\n") != NULL);
}

Test(http_client, an_empty_post_has_a_length)
{
    CLEANUP(freep) char *url = NULL;
    struct http_request request = {.method = HTTP_POST, .max_bytes = 1000};

    raw_site_start(&asking.site, NULL);
    url = text_format("%s/x", asking.site.url);
    request.url = url;
    request.ca_pem = asking.site.ca_pem;
    cr_assert(
        eq(int, http_perform(asking.http, &request, &asking.response, &asking.err), STATUS_OK),
        "%s", asking.err.detail);
    cr_expect(strstr(asking.last_request, "\r\nContent-Length: 0\r\n") != NULL, "%s",
              asking.last_request);
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
    cr_assert(eq(int, disk->open_read(disk, path, &file, &asking.err), STATUS_OK));
    raw_site_start(&asking.site, NULL);
    url = text_format("%s/x", asking.site.url);
    request.url = url;
    request.ca_pem = asking.site.ca_pem;
    request.body = (struct http_body){.file = file, .offset = 3, .length = 4};
    cr_assert(
        eq(int, http_perform(asking.http, &request, &asking.response, &asking.err), STATUS_OK),
        "%s", asking.err.detail);
    cr_expect(strstr(asking.last_request, "\r\n\r\n3456") != NULL);
    request.body.length = 40;
    cr_expect(eq(int, http_perform(asking.http, &request, &asking.response, &asking.err),
                 STATUS_STORAGE));
    (void)unlink(path);
}

/* --- bounds --- */

Test(http_client, more_than_was_asked_for_is_refused)
{
    char body[1002];

    raw_site_start(&asking.site, NULL);
    memset(body, 'x', sizeof body - 1);
    body[sizeof body - 1] = '\0';
    asking.saying.body = body;
    cr_expect(eq(int, asking_get("/", asking.site.ca_pem), STATUS_TOO_LARGE));
    body[1000] = '\0';
    cr_expect(eq(int, asking_get("/", asking.site.ca_pem), STATUS_OK));
    asking.saying.raw = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n";
    cr_expect(eq(int, asking_get("/", asking.site.ca_pem), STATUS_TOO_LARGE));
}

Test(http_client, an_endless_head_is_refused)
{
    CLEANUP(buffer_clear) struct buffer raw = {.max = 100000};

    raw_site_start(&asking.site, NULL);
    cr_assert(eq(int, buffer_append_text(&raw, "HTTP/1.1 200 OK\r\n", NULL), STATUS_OK));
    while (raw.length < 40000)
        cr_assert(eq(int, buffer_append_text(&raw, "X-Nothing: at all, and more of it\r\n", NULL),
                     STATUS_OK));
    asking.saying.raw = buffer_text(&raw);
    cr_expect(eq(int, asking_get("/", asking.site.ca_pem), STATUS_TOO_LARGE));
}

Test(http_client, what_is_no_http_is_refused)
{
    raw_site_start(&asking.site, NULL);
    asking.saying.raw = "SSH-2.0-OpenSSH_9.2\r\n";
    cr_expect(eq(int, asking_get("/", asking.site.ca_pem), STATUS_INVALID), "%s",
              asking.err.detail);
    asking.saying.raw = "HTTP/1.1 abc\r\n\r\n";
    cr_expect(ne(int, asking_get("/", asking.site.ca_pem), STATUS_OK));
}

Test(http_client, a_cut_answer_is_no_answer)
{
    raw_site_start(&asking.site, NULL);
    asking.saying.raw = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    cr_expect(eq(int, asking_get("/", asking.site.ca_pem), STATUS_UNREACHABLE));
    asking.saying.raw = "";
    cr_expect(eq(int, asking_get("/", asking.site.ca_pem), STATUS_UNREACHABLE));
}

Test(http_client, only_https_is_spoken)
{
    static const char *const urls[] = {"http://127.0.0.1:1/", "file:///etc/passwd", "ftp://x/", "",
                                       "https://"};

    raw_site_start(&asking.site, NULL);
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct http_request request = {.url = urls[i], .max_bytes = 1000};

        cr_expect(eq(int, http_perform(asking.http, &request, &asking.response, &asking.err),
                     STATUS_INVALID),
                  "%s", urls[i]);
    }
}

Test(http_client, a_closed_port_is_unreachable)
{
    const struct http_request request = {.url = "https://127.0.0.1:1/", .max_bytes = 10};

    raw_site_start(&asking.site, NULL);
    cr_expect(eq(int, http_perform(asking.http, &request, &asking.response, &asking.err),
                 STATUS_UNREACHABLE));
}

/* --- answers that mean something --- */

Test(http_client, a_redirect_is_not_followed_and_a_foreign_location_not_told)
{
    raw_site_start(&asking.site, NULL);
    asking.saying.status = "302 Found";
    asking.saying.headers = "Location: https://other.example/v1/project\r\n";
    cr_assert(eq(int, asking_get("/", asking.site.ca_pem), STATUS_OK));
    cr_expect(eq(int, http_check(&asking.response, &asking.err), STATUS_UNTRUSTED));
    cr_expect(eq(str, (char *)asking.err.code, "redirect"));
    cr_expect(eq(str, asking.response.location, ""));
    cr_expect(eq(int, asking.site.requests, 1));
}

Test(http_client, a_problem_document_becomes_a_failure)
{
    raw_site_start(&asking.site, NULL);
    asking.saying.status = "429 Too Many Requests";
    asking.saying.body = "{\"type\":\"limited\",\"title\":\"t\",\"status\":429,"
                         "\"detail\":\"slow\\u001b[31m down\",\"retry_after_s\":77}";
    cr_assert(eq(int, asking_get("/", asking.site.ca_pem), STATUS_OK));
    cr_expect(eq(int, http_check(&asking.response, &asking.err), STATUS_LIMITED));
    cr_expect(eq(str, asking.err.text, "slow?[31m down"));
    cr_expect(eq(i64, asking.err.retry_after_s, 77));
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

    raw_site_start(&asking.site, NULL);
    asking.saying.headers = "Retry-After: 5\r\n";
    asking.saying.body = "<html>";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        asking.saying.status = cases[i].line;
        cr_assert(eq(int, asking_get("/", asking.site.ca_pem), STATUS_OK));
        cr_expect(eq(int, http_check(&asking.response, &asking.err), cases[i].status), "%s",
                  cases[i].line);
        cr_expect(eq(i64, asking.err.retry_after_s, 5));
    }
}

Test(http_client, a_huge_problem_is_cut)
{
    CLEANUP(freep) char *body = must_alloc(100001, 1);

    memset(body, ' ', 100000);
    raw_site_start(&asking.site, NULL);
    asking.saying.status = "500 Oh";
    asking.saying.body = body;
    cr_assert(eq(int, asking_get("/", asking.site.ca_pem), STATUS_OK));
    cr_expect(eq(sz, asking.response.body.length, HTTP_PROBLEM_MAX));
    cr_expect(eq(int, http_check(&asking.response, &asking.err), STATUS_STORAGE));
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

    raw_site_start(&asking.site, NULL);
    url = text_format("%s/f", asking.site.url);
    request.url = url;
    request.ca_pem = asking.site.ca_pem;
    request.if_match = "\"e\"";
    asking.saying.status = "206 Partial Content";
    asking.saying.headers = "Content-Range: bytes 100-104/105\r\n";
    cr_assert(
        eq(int, http_perform(asking.http, &request, &asking.response, &asking.err), STATUS_OK),
        "%s", asking.err.detail);
    cr_expect(strstr(asking.last_request, "\r\nRange: bytes=100-\r\n") != NULL);
    cr_expect(strstr(asking.last_request, "\r\nIf-Range: \"e\"\r\n") != NULL);
    cr_expect(eq(int, taken.begun_with, 206));
    cr_expect(eq(i64, taken.range_first, 100));
    cr_expect(eq(i64, asking.response.range_total, 105));
    cr_expect(eq(sz, taken.length, 5));

    taken.fails = true;
    cr_expect(
        eq(int, http_perform(asking.http, &request, &asking.response, &asking.err), STATUS_FULL));
    cr_expect(eq(str, asking.err.text, "no room"));
}

Test(http_client, a_sink_sees_nothing_of_a_problem)
{
    struct taken taken = {.length = 0};
    struct http_sink sink = {.begin = on_begin, .write = on_write, .context = &taken};
    CLEANUP(freep) char *url = NULL;
    struct http_request request = {.max_bytes = 10, .sink = &sink};

    raw_site_start(&asking.site, NULL);
    url = text_format("%s/f", asking.site.url);
    request.url = url;
    request.ca_pem = asking.site.ca_pem;
    asking.saying.status = "404 Not Found";
    cr_assert(
        eq(int, http_perform(asking.http, &request, &asking.response, &asking.err), STATUS_OK));
    cr_expect(eq(int, taken.begun_with, 0));
    cr_expect(eq(sz, taken.length, 0));
    cr_expect(eq(str, (char *)buffer_text(&asking.response.body), "hello"));
}
