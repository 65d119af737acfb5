/* common/json/members: values within their limits are read, the first failure is named and kept. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/json/members.h"
#include "common/json/profile.h"

#define DIGEST "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define KEY    "ed25519:11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"

static struct members members;
static struct error err;
static json_t *root;

static void begin(const char *text)
{
    json_decref(root);
    root = json_loads(text, 0, NULL);
    cr_assert(root != NULL, "%s", text);
    err = (struct error){.text = ""};
    members_begin(&members, root, &err);
}

static void tear_down(void)
{
    json_decref(root);
}

static void expect_failure(const char *code, const char *words)
{
    cr_expect(eq(int, members_end(&members), STATUS_INVALID));
    cr_expect(eq(int, err.status, STATUS_INVALID));
    cr_expect(eq(str, err.text, (char *)words));
    cr_expect(err.code != NULL && strcmp(err.code, code) == 0, "%s", err.code);
}

TestSuite(members, .fini = tear_down);

Test(members, every_kind_is_read)
{
    static const char *const words[] = {"red", "green"};
    struct public_key key;
    struct digest digest;
    struct members part;
    struct members_list list;
    uint8_t bytes[4];
    char text[8];

    begin("{\"type\":\"t\",\"n\":-3,\"b\":true,\"s\":\"h\\u00e9\",\"l\":\"a\\nb\",\"f\":\"a.txt\","
          "\"c\":\"green\",\"d\":\"" DIGEST "\",\"k\":\"" KEY "\",\"x\":\"00ff\",\"y\":\"Zm9v\","
          "\"o\":{\"n\":7},\"a\":[1,2]}");
    members_type(&members, "t");
    cr_expect(eq(i64, members_integer(&members, "n", -3, 3), -3));
    cr_expect(members_boolean(&members, "b"));
    members_copy_text(&members, "s", text, sizeof text);
    cr_expect(eq(str, text, "h\xc3\xa9"));
    cr_expect(eq(str, (char *)members_lines(&members, "l", 3), "a\nb"));
    cr_expect(eq(str, (char *)members_file_name(&members, "f"), "a.txt"));
    cr_expect(eq(sz, members_choice(&members, "c", words, 2), 1));
    digest = members_digest(&members, "d");
    cr_expect(eq(str, digest_format(&digest).text, DIGEST));
    key = members_public_key(&members, "k");
    cr_expect(eq(str, public_key_format(&key).text, KEY));
    members_hex(&members, "x", bytes, 2);
    cr_expect(eq(int, bytes[1], 0xff));
    cr_expect(eq(sz, members_base64(&members, "y", bytes, 4), 3));
    members_object(&members, "o", &part);
    cr_expect(eq(i64, members_integer(&part, "n", 0, 9), 7));
    members_end_part(&part);
    list = members_list(&members, "a", 0, 2);
    cr_assert(eq(sz, list.count, 2));
    cr_expect(eq(i64, list_integer(&list, 1, 0, 9), 2));
    cr_expect(not(members_has(&members, "absent")));
    cr_expect(eq(i64, members_integer_or(&members, "absent", 0, 9, 5), 5));
    cr_expect(eq(int, members_end(&members), STATUS_OK), "%s", err.text);
}

Test(members, a_failure_names_the_member_and_its_limit)
{
    begin("{\"n\":11}");
    cr_expect(zero(i64, members_integer(&members, "n", 1, 10)));
    expect_failure("bad-number", "n is not an integer 1..10");

    begin("{\"n\":\"11\"}");
    (void)members_integer(&members, "n", 1, 10);
    expect_failure("malformed", "n is not an integer 1..10");

    begin("{}");
    (void)members_text(&members, "name", 1, 10);
    expect_failure("malformed", "name is missing");

    begin("{\"name\":null}");
    (void)members_text(&members, "name", 1, 10);
    expect_failure("malformed", "name is not a text of 1..10 bytes");

    begin("{\"f\":\"../x\"}");
    cr_expect(eq(str, (char *)members_file_name(&members, "f"), ""));
    cr_expect(eq(str, (char *)err.code, "bad-file-name"));

    begin("{\"k\":\"ed25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}");
    (void)members_public_key(&members, "k");
    cr_expect(eq(str, (char *)err.code, "small-order-key"));

    begin("{\"s\":\"a\\u202eb\"}");
    cr_expect(eq(str, (char *)members_text(&members, "s", 0, 10), ""));
    expect_failure("malformed", "s has control or direction characters");
}

Test(members, a_failure_deep_down_says_where)
{
    struct members input, limits;
    struct members_list list;

    begin("{\"inputs\":[{\"limits\":{\"size\":1}},{\"limits\":{\"size\":-1}}]}");
    list = members_list(&members, "inputs", 0, 8);
    for (size_t i = 0; i < list.count; i++) {
        list_object(&list, i, &input);
        members_object(&input, "limits", &limits);
        (void)members_integer(&limits, "size", 0, 5);
        members_end_part(&limits);
        members_end_part(&input);
    }
    expect_failure("bad-number", "inputs[1].limits.size is not an integer 0..5");
}

Test(members, what_nobody_asked_for_is_refused_at_any_depth)
{
    struct members part;

    begin("{\"a\":1,\"bad\\u0007\":2}");
    (void)members_integer(&members, "a", 0, 9);
    expect_failure("unknown-member", "bad? is an unknown member");

    begin("{\"o\":{\"a\":1,\"b\":2}}");
    members_object(&members, "o", &part);
    (void)members_integer(&part, "a", 0, 9);
    members_end_part(&part);
    expect_failure("unknown-member", "o.b is an unknown member");
}

Test(members, a_lenient_reader_ignores_the_rest_but_not_what_it_reads)
{
    struct members part;

    begin("{\"o\":{\"a\":1,\"b\":2},\"c\":3}");
    members_begin_lenient(&members, root, &err);
    members_object(&members, "o", &part);
    cr_expect(eq(i64, members_integer(&part, "a", 0, 9), 1));
    members_end_part(&part);
    cr_expect(eq(int, members_end(&members), STATUS_OK));

    begin("{\"a\":true}");
    members_begin_lenient(&members, root, &err);
    (void)members_integer(&members, "a", 0, 9);
    cr_expect(eq(int, members_end(&members), STATUS_INVALID));
}

Test(members, after_a_failure_everything_reads_as_nothing)
{
    struct members part;
    struct members_list list;
    uint8_t bytes[2] = {7, 7};
    size_t count;

    begin("{\"n\":-1,\"s\":\"x\",\"o\":{\"n\":7},\"a\":[1],\"x\":\"ffff\",\"y\":\"Zg==\"}");
    (void)members_integer(&members, "n", 0, 9);
    cr_expect(members_failed(&members));
    cr_expect(not(members_has(&members, "s")));
    cr_expect(eq(str, (char *)members_text(&members, "s", 0, 9), ""));
    members_object(&members, "o", &part);
    cr_expect(zero(i64, members_integer(&part, "n", 0, 9)));
    members_end_part(&part);
    list = members_list(&members, "a", 0, 9);
    cr_expect(zero(sz, list.count));
    members_hex(&members, "x", bytes, 2);
    cr_expect(zero(int, bytes[0]));
    cr_expect(zero(sz, members_base64(&members, "y", bytes, 2)));
    cr_expect(members_base64_copy(&members, "z", 2, &count) == NULL);
    cr_expect(members_json(&members, "o") == NULL);
    expect_failure("bad-number", "n is not an integer 0..9");
}

Test(members, lists_and_texts_have_both_limits)
{
    struct members_list list;

    begin("{\"a\":[1,2,3]}");
    list = members_list(&members, "a", 0, 2);
    cr_expect(zero(sz, list.count));
    expect_failure("malformed", "a is not a list of 0..2");

    begin("{\"a\":[]}");
    (void)members_list(&members, "a", 1, 2);
    expect_failure("malformed", "a is not a list of 1..2");

    begin("{\"a\":[\"x\"]}");
    list = members_list(&members, "a", 1, 2);
    (void)list_text(&list, 0, 2, 3);
    expect_failure("malformed", "a[0] is not a text of 2..3 bytes");

    begin("{\"y\":\"Zm9v\"}");
    cr_expect(zero(sz, members_base64(&members, "y", (char[2]){0}, 2)));
    expect_failure("malformed", "y is not base64 of up to 2 bytes");
}

Test(members, it_works_without_an_error_to_fill)
{
    json_auto_t *empty = json_object();
    struct members quiet;

    members_begin(&quiet, empty, NULL);
    (void)members_integer(&quiet, "n", 0, 9);
    cr_expect(eq(int, members_end(&quiet), STATUS_INVALID));
    members_begin(&quiet, NULL, NULL);
    cr_expect(eq(int, members_end(&quiet), STATUS_INVALID));
}
