/* common/json/profile: the vector file, and the limits that do not fit into one. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/json/profile.h"

#define CASES_MIN 70 /* fewer: the file was cut */

static json_t *load_vectors(void)
{
    const char *source = getenv("DUGNAD_SOURCE");
    CLEANUP(freep)
    char *path =
        text_format("%s/tests/vectors/payload-profile.json", source != NULL ? source : ".");
    json_t *root = json_load_file(path, 0, NULL);

    cr_assert(root != NULL, "cannot read %s", path);
    return root;
}

/* The bytes of a case; returns how many. */
static size_t bytes_of(const json_t *vector, char *ret_bytes, size_t max)
{
    const char *hex = json_string_value(json_object_get(vector, "hex"));
    const json_t *text = json_object_get(vector, "json");
    size_t length = hex != NULL ? strlen(hex) / 2 : json_string_length(text);

    cr_assert(length <= max);
    if (hex != NULL)
        cr_assert(text_to_exact_bytes(hex, length, ret_bytes));
    else
        memcpy(ret_bytes, json_string_value(text), length);
    return length;
}

Test(profile, every_vector_is_judged_as_it_says)
{
    json_auto_t *vectors = load_vectors();
    const json_t *cases = json_object_get(vectors, "cases"), *vector;
    size_t index;

    cr_expect(eq(sz, (size_t)json_integer_value(json_object_get(vectors, "max_bytes")),
                 profile_payload.bytes));
    cr_expect(eq(int, (int)json_integer_value(json_object_get(vectors, "max_depth")),
                 (int)profile_payload.depth));
    cr_assert(ge(sz, json_array_size(cases), CASES_MIN));
    json_array_foreach(cases, index, vector)
    {
        json_auto_t *root = NULL;
        const char *name = json_string_value(json_object_get(vector, "name"));
        const char *code = json_string_value(json_object_get(vector, "code"));
        struct error err = {.code = "ok"};
        char bytes[8192];
        size_t length = bytes_of(vector, bytes, sizeof bytes);
        enum status status = profile_parse(bytes, length, &profile_payload, &root, &err);

        cr_expect(eq(str, (char *)err.code, (char *)code), "%s: %s", name, err.text);
        cr_expect(eq(int, status == STATUS_OK, root != NULL), "%s", name);
        cr_expect(eq(int, status == STATUS_OK, strcmp(code, "ok") == 0), "%s", name);
    }
}

Test(profile, the_size_limit_is_exact)
{
    CLEANUP(freep) char *bytes = must_alloc(profile_payload.bytes + 1, 1);
    json_t *root = NULL;

    memset(bytes, ' ', profile_payload.bytes + 1);
    memcpy(bytes, "{}", 2);
    cr_assert(eq(int, profile_parse(bytes, profile_payload.bytes, &profile_payload, &root, NULL),
                 STATUS_OK));
    json_decref(root);
    root = NULL;
    cr_expect(eq(int,
                 profile_parse(bytes, profile_payload.bytes + 1, &profile_payload, &root, NULL),
                 STATUS_TOO_LARGE));
    cr_expect(root == NULL);
}

Test(profile, requests_may_have_limits_of_their_own)
{
    struct profile_limits limits = {.bytes = 20, .depth = 2};
    json_t *root = NULL;

    cr_assert(eq(int, profile_parse("{\"a\":[]}", 8, &limits, &root, NULL), STATUS_OK));
    json_decref(root);
    cr_expect(eq(int, profile_parse("{\"a\":[[]]}", 10, &limits, &root, NULL), STATUS_INVALID));
}

Test(profile, members_are_printed_in_the_order_they_were_set)
{
    json_auto_t *root = json_pack("{s:i, s:i, s:i}", "z", 1, "a", 2, "m", 3);
    CLEANUP(freep) char *text = profile_print(root);

    cr_expect(eq(str, text, "{\"z\":1,\"a\":2,\"m\":3}"));
}

/* What ends a text is found by its quotes; a backslash before one may itself be escaped. */
Test(profile, quotes_within_a_text_do_not_end_it)
{
    static const struct {
        const char *json;
        enum status status;
    } cases[] = {
        {"{\"a\":\"\\\"[[[[\"}", STATUS_OK},
        {"{\"a\":\"\\\\\",\"b\":\"[[[[\"}", STATUS_OK},
        {"{\"a\":\"\\\\\\\"[[[[\\\"\"}", STATUS_OK},
        {"{\"a\":\"\\\"\\\"[[[[\"}", STATUS_OK},
        {"{\"a\":\"\"}", STATUS_OK},
        {"{\"a\":\"\\\\\",\"b\":[[[[]]]]}", STATUS_INVALID}, /* too deep */
        {"{\"a\":\"\\\"}", STATUS_INVALID},                  /* does not end */
        {"{\"a\":\"", STATUS_INVALID},
        {"{\"a\":\"\\", STATUS_INVALID},
        {"\"", STATUS_INVALID},
    };
    struct profile_limits limits = {.bytes = 100, .depth = 2};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_auto_t *root = NULL;

        cr_expect(eq(int, profile_parse(cases[i].json, strlen(cases[i].json), &limits, &root, NULL),
                     cases[i].status),
                  "%s", cases[i].json);
    }
}
