/* Results, apps and missing files. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/text.h"
#include "protocol/apps.h"
#include "protocol/files_bundle.h"
#include "protocol/files_missing.h"
#include "protocol/result_line.h"
#include "protocol/writer.h"
#include "tests/support/messages.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static char *accepted_line(void)
{
    CLEANUP(freep) char *envelope = test_envelope_text("x", "{}", 0);
    CLEANUP(private_key_clear) struct private_key host = test_key(2);

    return text_format(
        "{\"cursor\":\"1:55\",\"unit\":\"" DIGEST_A
        "\",\"name\":\"u0\",\"index\":0,\"state\":\"accepted\",\"revision\":1,"
        "\"rule\":\"quorum\",\"outputs\":[{\"name\":\"out\",\"digest\":\"" DIGEST_B
        "\",\"size\":5,\"body\":\"aGVsbG8=\"},{\"name\":\"big\",\"digest\":\"" DIGEST_B
        "\",\"size\":500000}],\"tasks\":[{\"task\":4,\"host\":\"%s\","
        "\"volunteer\":2,\"statement\":%s}],\"manifest\":%s,\"time\":1700000000}\n",
        public_key_format(&host.public_key).text, envelope, envelope);
}

static enum status decode_line(const char *body, size_t length, struct error *err)
{
    CLEANUP(result_line_clear) struct result_line line = {0};

    return result_line_decode(body, length, &line, err);
}

Test(result_line, is_read_and_written_as_it_was)
{
    CLEANUP(freep) char *text = accepted_line(), *again = NULL;
    CLEANUP(result_line_clear) struct result_line line = {0};

    text[strlen(text) - 1] = '\0';
    expect_like_any_message(DECODER(decode_line), text, RESULT_LINE_MAX, false);
    cr_assert(eq(int, result_line_decode(text, strlen(text), &line, NULL), STATUS_OK));
    cr_expect(eq(str, line.outputs[0].body.bytes, "hello"));
    cr_expect(not(line.outputs[1].is_inline));
    again = result_line_encode(&line);
    cr_expect(eq(chr, again[strlen(again) - 1], '\n'));
    again[strlen(again) - 1] = '\0';
    cr_expect(eq(str, again, text));
}

Test(result_line, each_refusal_names_the_member)
{
    static const struct spoilt cases[] = {
        {"\"cursor\":\"1:55\"", "\"cursor\":\"\"", "cursor"},
        {"\"accepted\"", "\"eaten\"", "state"},
        {"\"revision\":1", "\"revision\":0", "revision"},
        {"\"quorum\"", "\"trust-me\"", "rule"},
        {"\"size\":5,", "\"size\":6,", "outputs[0].body"},
        {"\"name\":\"out\"", "\"name\":\"a/b\"", "outputs[0].name"},
        {"\"host\":\"ed25519:", "\"host\":\"", "tasks[0].host"},
        {"\"statement\":{", "\"statement\":{\"z\":1,", "tasks[0].statement"},
        {"\"manifest\":{", "\"manifest\":{\"z\":1,", "manifest"},
    };
    CLEANUP(freep) char *text = accepted_line();

    expect_refused(DECODER(decode_line), text, cases, COUNT(cases));
}

Test(result_line, a_failed_unit_needs_no_outputs)
{
    CLEANUP(freep) char *manifest = test_envelope_text("x", "{}", 0);
    struct result_line sent = {.state = RESULT_FAILED,
                               .index = 3,
                               .manifest = manifest,
                               .time_s = 1700000000,
                               .why = "errors",
                               .cursor = {"9"},
                               .name = {"u3"}};
    CLEANUP(result_line_clear) struct result_line got = {0};
    CLEANUP(freep) char *text = NULL;

    cr_assert(digest_parse(DIGEST_A, &sent.unit));
    text = result_line_encode(&sent);
    cr_assert(eq(int, result_line_decode(text, strlen(text), &got, NULL), STATUS_OK));
    cr_expect(eq(int, (int)got.state, RESULT_FAILED));
    cr_expect(eq(str, got.why, "errors"));
    cr_expect(eq(sz, got.output_count, 0));
}

static enum status decode_apps(const char *body, size_t length, struct error *err)
{
    CLEANUP(apps_clear) struct apps apps = {0};

    return apps_decode(body, length, &apps, err);
}

Test(apps, hold_each_version_with_its_variants)
{
    static const struct spoilt cases[] = {
        {"\"app_version\":{", "\"app_version\":{\"z\":1,", "apps[0].app_version"},
        {"\"variants\":[{", "\"variants\":[{\"z\":1,", "variants"},
    };
    CLEANUP(freep) char *envelope = test_envelope_text("x", "{}", 0);
    CLEANUP(freep)
    char *body = text_format("{\"apps\":[{\"app_version\":%s,\"variants\":[%s,%s]}]}", envelope,
                             envelope, envelope);
    CLEANUP(apps_clear) struct apps apps = {0};
    CLEANUP(freep) char *again = NULL;

    expect_like_any_message(DECODER(decode_apps), body, APPS_MAX, false);
    expect_refused(DECODER(decode_apps), body, cases, COUNT(cases));
    cr_assert(eq(int, apps_decode(body, strlen(body), &apps, NULL), STATUS_OK));
    again = apps_encode(&apps);
    cr_expect(eq(str, again, body));
}

static enum status decode_files(const char *body, size_t length, struct error *err)
{
    CLEANUP(digests_clear) struct digests files = {0};

    return files_missing_request_decode(body, length, &files, err);
}

static enum status decode_missing(const char *body, size_t length, struct error *err)
{
    CLEANUP(digests_clear) struct digests files = {0};

    return files_missing_reply_decode(body, length, &files, err);
}

Test(files_missing, asks_for_up_to_a_thousand)
{
    static struct digest files[FILES_MISSING_FILES_MAX + 1];
    CLEANUP(freep) char *most = NULL, *more = NULL, *reply = NULL;

    memset(files, 7, sizeof files);
    most = files_missing_request_encode(files, FILES_MISSING_FILES_MAX);
    more = files_missing_request_encode(files, FILES_MISSING_FILES_MAX + 1);
    reply = files_missing_reply_encode(files, 2);
    expect_like_any_message(DECODER(decode_files), most, FILES_MISSING_MAX, true);
    expect_like_any_message(DECODER(decode_missing), reply, FILES_MISSING_MAX, false);
    cr_expect(eq(int, decode_files(more, strlen(more), NULL), STATUS_INVALID));
}

static enum status decode_bundle(const char *body, size_t length, struct error *err)
{
    CLEANUP(digests_clear) struct digests files = {0};

    return files_bundle_request_decode(body, length, &files, err);
}

Test(files_bundle, asks_for_up_to_128)
{
    static struct digest files[FILES_BUNDLE_FILES_MAX + 1];
    CLEANUP(freep) char *most = NULL, *more = NULL;

    memset(files, 7, sizeof files);
    most = files_bundle_request_encode(files, FILES_BUNDLE_FILES_MAX);
    more = files_bundle_request_encode(files, FILES_BUNDLE_FILES_MAX + 1);
    expect_like_any_message(DECODER(decode_bundle), most, FILES_BUNDLE_MAX, true);
    cr_expect(eq(int, decode_bundle(more, strlen(more), NULL), STATUS_INVALID));
}

Test(files_bundle, a_head_says_a_digest_and_a_size_up_to_the_limit)
{
    struct files_bundle_head head = {.digest = digest_of("x", 1), .size = FILES_BUNDLE_FILE_MAX};
    struct files_bundle_head read = {.size = -1};
    uint8_t bytes[FILES_BUNDLE_HEAD_BYTES];

    files_bundle_head_encode(&head, bytes);
    cr_assert(eq(int, files_bundle_head_decode(bytes, &read, NULL), STATUS_OK));
    cr_expect(digest_equals(&read.digest, &head.digest));
    cr_expect(eq(i64, read.size, FILES_BUNDLE_FILE_MAX));
    bytes[FILES_BUNDLE_HEAD_BYTES - 1]++;
    cr_expect(eq(int, files_bundle_head_decode(bytes, &read, NULL), STATUS_INVALID));
    memset(bytes + DIGEST_BYTES, 0xff, 8);
    cr_expect(eq(int, files_bundle_head_decode(bytes, &read, NULL), STATUS_INVALID), "not < 0");
}

Test(writer, whatever_text_it_is_given_it_writes_json)
{
    struct writer writer;
    CLEANUP(freep) char *text = NULL;

    writer_init(&writer);
    write_text(&writer, "a", "q\"b\\s\n\x01");
    write_text(&writer, "b", "bad\xff utf8");
    text = writer_end(&writer);
    cr_expect(eq(str, text, "{\"a\":\"q\\\"b\\\\s\\n\\u0001\",\"b\":\"bad? utf8\"}"));
}
