/* server/api: small files asked for together. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "protocol/files_bundle.h"
#include "tests/support/grid.h"

static struct grid grid;
static struct grid_host host;

static void set_up(void)
{
    grid_open(&grid, NULL);
    grid_publish(&grid);
    grid_enrol(&grid, 1, &host);
}

static void tear_down(void)
{
    grid_host_clear(&host);
    grid_close(&grid);
}

TestSuite(bundle, .init = set_up, .fini = tear_down, .timeout = 60);

static int ask_as(const char *token, const struct digest *files, size_t count)
{
    CLEANUP(freep) char *body = files_bundle_request_encode(files, count);

    return grid_ask(&grid, &(struct grid_request){.method = "POST",
                                                  .path = "/v1/files/bundle",
                                                  .token = token,
                                                  .type = "application/json",
                                                  .body = body});
}

static int ask(const struct digest *files, size_t count)
{
    return ask_as(host.token.text, files, count);
}

/* The next frame of the last body is this file; `at` moves behind it. */
static void expect_frame(size_t *at, const struct digest *digest, const char *bytes, size_t length)
{
    const struct buffer *body = &grid.client.body;
    struct files_bundle_head head;

    cr_assert(ge(sz, body->length - *at, FILES_BUNDLE_HEAD_BYTES + length));
    cr_assert(eq(int, files_bundle_head_decode((const uint8_t *)body->bytes + *at, &head, NULL),
                 STATUS_OK));
    *at += FILES_BUNDLE_HEAD_BYTES;
    cr_expect(digest_equals(&head.digest, digest));
    cr_assert(eq(i64, head.size, (int64_t)length));
    cr_expect(eq(int, memcmp(body->bytes + *at, bytes, length), 0));
    *at += length;
}

static struct digest named(const char *bytes)
{
    return digest_of(bytes, strlen(bytes));
}

/* What nobody has is left out, and so is what the site has, but no app or unit: it is not public.
 */
Test(bundle, public_files_come_in_the_order_asked)
{
    struct digest files[4] = {named("data"), named("nobody has this"), named("not of any unit"),
                              named("binary")};
    size_t at = 0;

    grid_add_units(&grid, 0, 1);
    grid_put_file(&grid, "not of any unit");
    cr_assert(eq(int, ask(files, 4), 200), "%s", grid_body(&grid));
    expect_frame(&at, &files[0], "data", 4);
    expect_frame(&at, &files[3], "binary", 6);
    cr_expect(eq(sz, grid.client.body.length, at));
    cr_assert(eq(int, ask(&files[1], 2), 200));
    cr_expect(eq(sz, grid.client.body.length, 0));
}

Test(bundle, it_takes_the_token_of_a_host)
{
    struct digest file = named("binary");

    cr_expect(eq(int, ask_as(NULL, &file, 1), 401));
    cr_expect(eq(int, ask_as(grid.operator_token.text, &file, 1), 403));
}

Test(bundle, more_files_than_one_may_have_are_refused)
{
    static struct digest files[FILES_BUNDLE_FILES_MAX + 1];

    for (size_t i = 0; i <= FILES_BUNDLE_FILES_MAX; i++)
        files[i] = named("binary");
    cr_expect(eq(int, ask(files, FILES_BUNDLE_FILES_MAX + 1), 400), "%s", grid_body(&grid));
    cr_expect(eq(int, ask(files, FILES_BUNDLE_FILES_MAX), 200));
    cr_expect(eq(sz, grid.client.body.length,
                 FILES_BUNDLE_FILES_MAX * (FILES_BUNDLE_HEAD_BYTES + strlen("binary"))));
}

/* A file of the sample's unit, of so many bytes. */
static struct digest give_file(char letter, size_t length)
{
    CLEANUP(freep) char *bytes = must_alloc(length + 1, 1);
    struct work_input *input = &grid.sample.unit.inputs[0];

    memset(bytes, letter, length);
    bytes[length] = '\0';
    grid_put_file(&grid, bytes);
    input->digest = digest_of(bytes, length);
    input->size = (int64_t)length;
    grid_add_units(&grid, letter, 1);
    return input->digest;
}

/* One host must not have the server read and send what it likes for one small request. */
Test(bundle, large_files_and_more_than_an_answer_holds_are_left_out)
{
    CLEANUP(freep) char *bytes = must_alloc(FILES_BUNDLE_FILE_MAX, 1);
    struct digest large = give_file('l', FILES_BUNDLE_FILE_MAX + 1);
    struct digest files[FILES_BUNDLE_BYTES_MAX / FILES_BUNDLE_FILE_MAX + 3];
    size_t count = sizeof files / sizeof *files, at = 0;

    memset(bytes, 'm', FILES_BUNDLE_FILE_MAX);
    files[0] = large;
    files[1] = give_file('m', FILES_BUNDLE_FILE_MAX);
    for (size_t i = 2; i < count; i++)
        files[i] = files[1];
    cr_assert(eq(int, ask(files, count), 200), "%s", grid_body(&grid));
    for (size_t i = 0; i < FILES_BUNDLE_BYTES_MAX / FILES_BUNDLE_FILE_MAX; i++)
        expect_frame(&at, &files[1], bytes, FILES_BUNDLE_FILE_MAX);
    cr_expect(eq(sz, grid.client.body.length, at));
}
