/* server/http/parser and chunked: what is accepted is within the limits and has one reading. */
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "server/http/chunked.h"
#include "server/http/parser.h"
#include "server/http/range.h"
#include "tests/fuzz/fuzz.h"

static const struct http_parse_limits limits = {
    .head_bytes = 4096, .target_bytes = 256, .fields = 16, .body_bytes = 1 << 20};

static void check_refusal(const struct http_refusal *refusal)
{
    assert(refusal->status >= 400 && refusal->status <= 505 && refusal->why != NULL);
}

static void check_head(const struct http_head *head)
{
    const char *length = http_head_field(head, "content-length");

    assert(head->method != NULL && (head->path[0] == '/' || strcmp(head->path, "*") == 0));
    assert(strlen(head->path) + strlen(head->query) <= limits.target_bytes);
    assert(strpbrk(head->path, " \t\r\n?#") == NULL && strpbrk(head->query, " \t\r\n#") == NULL);
    assert(head->field_count <= limits.fields && head->content_length <= limits.body_bytes);
    assert(head->content_length >= -1 && (head->content_length != -1 || length == NULL));
    assert(head->content_length <= 0 || length != NULL);
    assert(head->is_old || http_head_field(head, "host") != NULL);
    for (size_t i = 0; i < head->field_count; i++)
        assert(strpbrk(head->fields[i].name, " \t:ABCDEFGHIJKLMNOPQRSTUVWXYZ") == NULL &&
               strpbrk(head->fields[i].value, "\r\n") == NULL);
}

/* What handlers ask of a head that was accepted. */
static void ask_head(const struct http_head *head)
{
    struct http_segments segments;
    struct http_value value;
    struct http_range range = http_range_parse(http_head_field(head, "range"), 1000);

    assert(range.offset >= 0 && range.length >= 0 && range.offset + range.length <= 1000);
    assert((range.kind == HTTP_RANGE_IMPOSSIBLE) == (range.length == 0));
    if (http_path_fits(head->path, "/v1/{}/{}", &segments))
        for (size_t i = 0; i < segments.count; i++)
            assert(segments.at[i].text[0] != '\0' && strchr(segments.at[i].text, '/') == NULL &&
                   text_is_plain(segments.at[i].text, strlen(segments.at[i].text), false));
    if (http_head_parameter(head, "a", &value, NULL) == STATUS_OK)
        assert(text_is_plain(value.text, strlen(value.text), false));
    (void)http_head_has_etag(head, "\"a\"");
    (void)http_head_has_type(head, "a/b");
    assert(http_head_bearer(head) == NULL || http_head_field(head, "authorization") != NULL);
}

static void check_body(const char *bytes, size_t length)
{
    struct http_chunked chunked = {0};
    struct http_refusal refusal;
    enum http_chunk step;

    do {
        size_t taken = 0, data = 0;

        step = http_chunked_next(&chunked, bytes, length, &taken, &data, &refusal);
        if (step == HTTP_CHUNK_REFUSED) {
            check_refusal(&refusal);
            return;
        }
        assert(taken <= length && data <= taken && (step == HTTP_CHUNK_DATA) == (data > 0));
        assert(step != HTTP_CHUNK_MORE || taken == length);
        bytes += taken;
        length -= taken;
    } while (step == HTTP_CHUNK_DATA);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct http_scanner scanner = {0}, in_steps = {0};
    struct http_refusal refusal;
    struct http_head head;
    size_t head_length = 0, again = 0;
    enum http_scan scan, step = HTTP_SCAN_MORE;
    char *copy = malloc(length + 1);

    assert(copy != NULL);
    memcpy(copy, bytes, length);
    scan = http_scan_head(&scanner, copy, length, &limits, &head_length, &refusal);
    for (size_t i = 0; i <= length && step == HTTP_SCAN_MORE; i++)
        step = http_scan_head(&in_steps, copy, i, &limits, &again, &refusal);
    assert(step == scan && head_length == again && head_length <= limits.head_bytes);
    if (scan == HTTP_SCAN_REFUSED)
        check_refusal(&refusal);
    if (scan == HTTP_SCAN_WHOLE) {
        if (http_parse_head(copy, head_length, &limits, &head, &refusal))
            check_head(&head), ask_head(&head);
        else
            check_refusal(&refusal);
        check_body(copy + head_length, length - head_length);
    }
    free(copy);
    return 0;
}
