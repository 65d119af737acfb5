/* server/http/head, range, date: the questions asked of a request. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "server/http/date.h"
#include "server/http/head.h"
#include "server/http/range.h"

static struct http_segments segments;

Test(http_path, whole_segments_are_taken_and_decoded)
{
    cr_assert(http_path_fits("/v1/units/a%20b/tasks/7", "/v1/units/{}/tasks/{}", &segments));
    cr_expect(eq(sz, segments.count, 2));
    cr_expect(eq(str, segments.at[0].text, "a b"));
    cr_expect(eq(str, segments.at[1].text, "7"));
    cr_expect(http_path_fits("/v1", "/v1", &segments));
}

Test(http_path, what_does_not_fit)
{
    static const char *const paths[] = {
        "/v1/a",       "/v1/a/",     "/v1/a/b/c",  "/v1//b",          "/v1/a/",   "/v2/a/b",
        "/v1/a%2Fx/b", "/v1/a%00/b", "/v1/a%ff/b", "/v1/%e2%80%ae/b", "/v1/a/b/", "",
        "/v1/a%0ab/b"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        cr_expect(not(http_path_fits(paths[i], "/v1/{}/{}", &segments)), "%s", paths[i]);
}

Test(http_path, a_segment_has_its_limit)
{
    char path[HTTP_VALUE_MAX + 3] = "/";

    memset(path + 1, 'x', HTTP_VALUE_MAX);
    cr_expect(http_path_fits(path, "/{}", &segments));
    path[1 + HTTP_VALUE_MAX] = 'x';
    cr_expect(not(http_path_fits(path, "/{}", &segments)));
}

Test(http_parameter, values_are_decoded_strictly)
{
    struct http_head head = {.query = "a=1&b=x+y%2bz&c&d=%zz&e=1&e=2&f=%0a&%67=7&n=007"};
    struct http_value value;
    struct error err;
    int64_t number = 0;

    cr_assert(eq(int, http_head_parameter(&head, "b", &value, &err), STATUS_OK));
    cr_expect(eq(str, value.text, "x y+z"));
    cr_assert(eq(int, http_head_parameter(&head, "c", &value, &err), STATUS_OK));
    cr_expect(eq(str, value.text, ""));
    cr_assert(eq(int, http_head_parameter(&head, "g", &value, &err), STATUS_OK));
    cr_expect(eq(str, value.text, "7"));
    cr_expect(eq(int, http_head_parameter(&head, "x", &value, &err), STATUS_NOT_FOUND));
    cr_expect(eq(int, http_head_parameter(&head, "d", &value, &err), STATUS_INVALID));
    cr_expect(eq(int, http_head_parameter(&head, "e", &value, &err), STATUS_INVALID));
    cr_expect(eq(str, err.text, "the parameter e is there twice"));
    cr_expect(eq(int, http_head_parameter(&head, "f", &value, &err), STATUS_INVALID));
    cr_expect(eq(int, http_head_parameter_integer(&head, "a", 0, 5, 3, &number, &err), STATUS_OK));
    cr_expect(eq(i64, number, 1));
    cr_expect(eq(int, http_head_parameter_integer(&head, "x", 0, 5, 3, &number, &err), STATUS_OK));
    cr_expect(eq(i64, number, 3));
    cr_expect(
        eq(int, http_head_parameter_integer(&head, "a", 2, 5, 3, &number, &err), STATUS_INVALID));
    cr_expect(
        eq(int, http_head_parameter_integer(&head, "n", 0, 9, 3, &number, &err), STATUS_INVALID));
}

Test(http_parameter, unknown_ones_are_named)
{
    static const char *const names[] = {"a", "b", NULL};
    struct http_head head = {.query = "&a=1&&b&"};
    struct error err;

    cr_expect(eq(int, http_head_only_parameters(&head, names, &err), STATUS_OK));
    head.query = "a=1&bb=2";
    cr_expect(eq(int, http_head_only_parameters(&head, names, &err), STATUS_INVALID));
    cr_expect(eq(str, err.text, "there is no parameter bb here"));
}

static struct http_head with_field(const char *name, const char *value)
{
    return (struct http_head){.fields = {{.name = name, .value = value}}, .field_count = 1};
}

Test(http_head, tokens_types_and_tags)
{
    struct http_head head = with_field("authorization", "bearer abc");

    cr_expect(eq(str, (char *)http_head_bearer(&head), "abc"));
    head = with_field("authorization", "Basic abc");
    cr_expect(eq(ptr, (void *)http_head_bearer(&head), NULL));
    head = with_field("authorization", "Bearer ");
    cr_expect(eq(ptr, (void *)http_head_bearer(&head), NULL));
    head = with_field("authorization", "Bearer a b");
    cr_expect(eq(ptr, (void *)http_head_bearer(&head), NULL));
    head = with_field("content-type", "Application/JSON; charset=utf-8");
    cr_expect(http_head_has_type(&head, "application/json"));
    cr_expect(not(http_head_has_type(&head, "application/jso")));
    head = with_field("if-none-match", "\"a\" , W/\"b\"");
    cr_expect(http_head_has_etag(&head, "\"a\"") && http_head_has_etag(&head, "\"b\""));
    cr_expect(not(http_head_has_etag(&head, "\"c\"")));
    head = with_field("if-none-match", "*");
    cr_expect(http_head_has_etag(&head, "\"c\""));
}

static const struct {
    const char *value;
    int64_t size;
    enum http_range_kind kind;
    int64_t offset, length;
} ranges[] = {
    {NULL, 10, HTTP_RANGE_WHOLE, 0, 10},
    {"bytes=0-0", 10, HTTP_RANGE_PART, 0, 1},
    {"Bytes=2-", 10, HTTP_RANGE_PART, 2, 8},
    {"bytes=2-99999999999999999999999", 10, HTTP_RANGE_PART, 2, 8},
    {"bytes=-3", 10, HTTP_RANGE_PART, 7, 3},
    {"bytes=-30", 10, HTTP_RANGE_PART, 0, 10},
    {"bytes=10-", 10, HTTP_RANGE_IMPOSSIBLE, 0, 0},
    {"bytes=99999999999999999999999-", 10, HTTP_RANGE_IMPOSSIBLE, 0, 0},
    {"bytes=-0", 10, HTTP_RANGE_IMPOSSIBLE, 0, 0},
    {"bytes=0-", 0, HTTP_RANGE_IMPOSSIBLE, 0, 0},
    {"bytes=-5", 0, HTTP_RANGE_IMPOSSIBLE, 0, 0},
    {"bytes=5-3", 10, HTTP_RANGE_WHOLE, 0, 10},
    {"bytes=-", 10, HTTP_RANGE_WHOLE, 0, 10},
    {"bytes=", 10, HTTP_RANGE_WHOLE, 0, 10},
    {"bytes=0-1,3-4", 10, HTTP_RANGE_WHOLE, 0, 10},
    {"bytes= 0-1", 10, HTTP_RANGE_WHOLE, 0, 10},
    {"bytes=a-b", 10, HTTP_RANGE_WHOLE, 0, 10},
    {"lines=0-1", 10, HTTP_RANGE_WHOLE, 0, 10},
};

Test(http_range, every_case_of_the_table)
{
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        struct http_range range = http_range_parse(ranges[i].value, ranges[i].size);

        cr_expect(eq(int, (int)range.kind, (int)ranges[i].kind), "%s", ranges[i].value);
        cr_expect(eq(i64, range.offset, ranges[i].offset), "%s", ranges[i].value);
        cr_expect(eq(i64, range.length, ranges[i].length), "%s", ranges[i].value);
    }
}

Test(http_date, is_written_as_the_standard_has_it)
{
    char text[HTTP_DATE_SIZE];

    http_date_format(784111777, text);
    cr_expect(eq(str, text, "Sun, 06 Nov 1994 08:49:37 GMT"));
    http_date_format(INT64_MAX, text);
    cr_expect(eq(str, text, "Fri, 31 Dec 9999 23:59:59 GMT"));
}
