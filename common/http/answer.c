#include "common/http/answer.h"

#include <curl/curl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>
#include <strings.h>

#include "common/base/text.h"
#include "common/http/url.h"

DEFINE_CLEANUP(X509 *, X509_free)
DEFINE_CLEANUP(BIO *, BIO_free_all)

#define LINE_MAX_BYTES 2048 /* of a header that we read; longer ones are not ours */

void answer_init(struct answer *answer, const struct http_request *request)
{
    *answer = (struct answer){
        .sink = request->sink,
        .has_no_body = request->method == HTTP_HEAD,
        .max_bytes = request->max_bytes,
    };
    http_response_init(&answer->response);
    (void)text_fit(answer->url, sizeof answer->url, request->url);
}

void answer_clear(struct answer *answer)
{
    http_response_clear(&answer->response);
}

void answer_give(struct answer *answer, struct http_response *ret_response)
{
    *ret_response = answer->response;
    http_response_init(&answer->response);
}

static bool is_good(const struct answer *answer)
{
    return answer->response.status >= 200 && answer->response.status < 300;
}

static bool fail(struct answer *answer, enum status status, const char *words)
{
    answer->failure = error_set(&answer->err, status, "%s", words);
    return false;
}

/* "HTTP/1.1 206 Partial Content": a new head, for there may have been a 100 before. */
static bool take_status_line(struct answer *answer, const char *line)
{
    const char *blank = strchr(line, ' ');

    http_response_clear(&answer->response);
    http_response_init(&answer->response);
    if (blank == NULL || strlen(blank) < 4)
        return fail(answer, STATUS_INVALID, "the server's answer is not HTTP");
    for (int i = 1; i <= 3; i++) {
        if (blank[i] < '0' || blank[i] > '9')
            return fail(answer, STATUS_INVALID, "the server's answer is not HTTP");
        answer->response.status = answer->response.status * 10 + (blank[i] - '0');
    }
    return true;
}

static void take_number(const char *value, int64_t *ret_number)
{
    int64_t number;

    if (text_to_integer(value, 0, INT64_MAX / 2, &number))
        *ret_number = number;
}

/* "bytes 100-199/200"; anything else counts as not said. */
static void take_range(struct answer *answer, char *value)
{
    char *dash = strchr(value, '-');
    char *slash = strchr(value, '/');

    if (!text_starts_with(value, "bytes ") || dash == NULL || slash == NULL || slash < dash)
        return;
    *dash = '\0';
    take_number(value + strlen("bytes "), &answer->response.range_first);
    take_number(slash + 1, &answer->response.range_total);
}

static void take_location(struct answer *answer, const char *value)
{
    struct http_url url;

    if (http_url_resolve(answer->url, value, &url, NULL) == STATUS_OK)
        (void)text_fit(answer->response.location, sizeof answer->response.location, url.text);
}

static void take_header(struct answer *answer, const char *name, char *value)
{
    struct http_response *response = &answer->response;

    if (strcasecmp(name, "Content-Length") == 0)
        take_number(value, &response->content_length);
    else if (strcasecmp(name, "Upload-Offset") == 0)
        take_number(value, &response->upload_offset);
    else if (strcasecmp(name, "Content-Range") == 0)
        take_range(answer, value);
    else if (strcasecmp(name, "Location") == 0)
        take_location(answer, value);
    else if (strcasecmp(name, "ETag") == 0)
        (void)text_fit(response->etag, sizeof response->etag, value);
    else if (strcasecmp(name, "Content-Type") == 0)
        (void)text_fit(response->content_type, sizeof response->content_type, value);
}

/* The blank line: now it is known what comes. */
static bool end_head(struct answer *answer)
{
    if (answer->response.status < 200)
        return true;
    if (!is_good(answer) || answer->has_no_body)
        return true;
    if (answer->response.content_length > answer->max_bytes)
        return fail(answer, STATUS_TOO_LARGE, "the answer is larger than what was asked for");
    if (answer->sink == NULL || answer->sink->begin == NULL)
        return true;
    answer->failure = answer->sink->begin(answer->sink->context, &answer->response, &answer->err);
    return answer->failure == STATUS_OK;
}

static void take_field(struct answer *answer, char *line)
{
    char *colon = strchr(line, ':');
    char *value;

    if (colon == NULL)
        return;
    *colon = '\0';
    value = colon + 1 + strspn(colon + 1, " \t");
    take_header(answer, line, value);
}

bool answer_take_line(struct answer *answer, const char *line, size_t length)
{
    char copy[LINE_MAX_BYTES];

    answer->head_bytes += length;
    if (answer->head_bytes > HTTP_HEADER_BYTES_MAX)
        return fail(answer, STATUS_TOO_LARGE, "the head of the answer is too large");
    while (length > 0 && strchr("\r\n \t", line[length - 1]) != NULL)
        length--;
    if (length == 0)
        return end_head(answer);
    if (length >= sizeof copy)
        return true;
    memcpy(copy, line, length);
    copy[length] = '\0';
    if (text_starts_with(copy, "HTTP/"))
        return take_status_line(answer, copy);
    take_field(answer, copy);
    return true;
}

/* A long problem is cut: its beginning is no JSON then, but its status still counts. */
static bool keep_problem(struct answer *answer, const char *bytes, size_t count)
{
    struct buffer *body = &answer->response.body;
    size_t room = HTTP_PROBLEM_MAX - body->length;

    body->max = HTTP_PROBLEM_MAX;
    return buffer_append(body, bytes, count < room ? count : room, NULL) == STATUS_OK;
}

bool answer_take_bytes(struct answer *answer, const char *bytes, size_t count)
{
    if (!is_good(answer))
        return keep_problem(answer, bytes, count);
    answer->got_bytes += (int64_t)count;
    if (answer->got_bytes > answer->max_bytes)
        return fail(answer, STATUS_TOO_LARGE, "the answer is larger than what was asked for");
    if (answer->sink != NULL) {
        answer->failure = answer->sink->write(answer->sink->context, bytes, count, &answer->err);
        return answer->failure == STATUS_OK;
    }
    answer->response.body.max = (size_t)answer->max_bytes;
    answer->failure = buffer_append(&answer->response.body, bytes, count, &answer->err);
    return answer->failure == STATUS_OK;
}

static void add_certificate(struct http_chain *chain, const char *pem)
{
    CLEANUP(BIO_free_allp) BIO *memory = BIO_new_mem_buf(pem, -1);
    CLEANUP(X509_freep) X509 *certificate = NULL;
    unsigned char *der = NULL;
    int length;

    if (memory == NULL || (certificate = PEM_read_bio_X509(memory, NULL, NULL, NULL)) == NULL ||
        (length = i2d_X509(certificate, &der)) <= 0)
        return;
    chain->certificates[chain->count].der = must_alloc((size_t)length, 1);
    chain->certificates[chain->count].length = (size_t)length;
    memcpy(chain->certificates[chain->count].der, der, (size_t)length);
    chain->count++;
    OPENSSL_free(der);
}

void answer_take_certificate(struct answer *answer, const struct curl_slist *facts)
{
    static const char prefix[] = "Cert:";

    for (; facts != NULL; facts = facts->next)
        if (text_starts_with(facts->data, prefix) && answer->response.chain.count < HTTP_CHAIN_MAX)
            add_certificate(&answer->response.chain, facts->data + sizeof prefix - 1);
}
