/* server/api: whatever is wrong with a request, it is said clearly and nothing comes of it. */
#include <stdio.h>
#include <string.h>

#include "protocol/account.h"
#include "tests/unit/server/api/refusals_suite.h"

static char *repeated(const char *before, char what, size_t count, const char *after)
{
    char *text = must_alloc(1, strlen(before) + count + strlen(after) + 1);

    memcpy(text, before, strlen(before));
    memset(text + strlen(before), what, count);
    memcpy(text + strlen(before) + count, after, strlen(after) + 1);
    return text;
}

Test(refusals, bodies_that_are_no_good_json_are_refused_everywhere)
{
    CLEANUP(freep) char *deep = repeated("{\"name\":", '[', 5000, "");
    const char *const bodies[] = {
        "",
        "{",
        "[]",
        "null",
        "{\"name\":\"a\",\"name\":\"b\"}",
        "{\"name\":\"a\"} x",
        "{\"unknown\":1}",
        "{\"name\":1.5}",
        "{\"name\":\"\\ud800\"}",
        "\xff\xfe{}",
        deep,
    };
    static const char *const paths[] = {
        "/v1/accounts",     "/v1/hosts",    "/v1/keyrings",      "/v1/freshness", "/v1/notices",
        "/v1/app-versions", "/v1/variants", "/v1/files/missing", "/v1/batches",   "/v1/challenges",
    };

    for (size_t p = 0; p < sizeof paths / sizeof *paths; p++)
        for (size_t b = 0; b < sizeof bodies / sizeof *bodies; b++) {
            int status = grid_post(&grid, paths[p], bodies[b]);

            cr_expect(status == 400 || status == 413, "%s %.40s: %d %s", paths[p], bodies[b],
                      status, grid_body(&grid));
            cr_expect(grid_says(&grid, "\"detail\":\""), "%s", grid_body(&grid));
        }
}

Test(refusals, bodies_above_the_limit_are_not_read)
{
    CLEANUP(freep) char *large = repeated("{\"name\":\"", 'a', 3 << 20, "\"}");

    cr_expect(eq(int, grid_post(&grid, "/v1/accounts", large), 413));
    cr_expect(eq(int, grid_post(&grid, "/v1/batches", large), 413));
    cr_expect(eq(int, grid_post(&grid, "/v1/keyrings", large), 413));
}

Test(refusals, another_content_type_than_the_resources_is_415)
{
    const char *token = grid.operator_token.text;

    cr_expect(eq(int, ask("POST", "/v1/accounts", token, "text/plain", "{}"), 415));
    cr_expect(eq(int, ask("POST", "/v1/accounts", token, NULL, "{}"), 415));
    cr_expect(
        eq(int, ask("POST", grid_batch(&grid, "/units"), token, "application/json", "{}"), 415));
    cr_expect(grid_says(&grid, "application/x-ndjson"), "%s", grid_body(&grid));
}

Test(refusals, unknown_paths_are_404_and_other_methods_405_with_allow)
{
    cr_expect(eq(int, grid_get(&grid, "/v1/nothing"), 404));
    cr_expect(eq(int, grid_get(&grid, "/"), 404));
    cr_expect(eq(int, grid_get(&grid, "/v1/project/"), 404));
    cr_expect(eq(int, ask("DELETE", "/v1/project", NULL, NULL, NULL), 405));
    cr_expect(web_client_has_line(&grid.client, "Allow: GET, HEAD"), "%s",
              buffer_text(&grid.client.head));
    cr_expect(eq(int, grid_get(&grid, "/v1/scheduler"), 405));
    cr_expect(web_client_has_line(&grid.client, "Allow: POST"));
    cr_expect(eq(int, ask("HEAD", "/v1/project", NULL, NULL, NULL), 200));
}

Test(refusals, who_may_not_is_told_so)
{
    static const char stranger[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    struct grid_host host;

    grid_publish(&grid);
    grid_enrol(&grid, 1, &host);
    cr_expect(eq(int, ask("GET", "/v1/batches", NULL, NULL, NULL), 401));
    cr_expect(eq(int, ask("GET", "/v1/batches", stranger, NULL, NULL), 401));
    cr_expect(eq(int, ask("GET", "/v1/batches", "short", NULL, NULL), 401));
    cr_expect(eq(int, ask("GET", "/v1/batches", host.token.text, NULL, NULL), 403));
    cr_expect(eq(int, ask("GET", "/v1/batches", grid.reader_token.text, NULL, NULL), 200));
    cr_expect(
        eq(int, ask("POST", "/v1/batches", grid.reader_token.text, "application/json", "{}"), 403));
    cr_expect(grid_says(&grid, "may only read"));
    cr_expect(eq(int,
                 ask("POST", "/v1/scheduler", grid.operator_token.text, "application/json", "{}"),
                 403));
    cr_expect(eq(int, ask("POST", "/v1/scheduler", stranger, "application/json", "{}"), 401));
    grid_host_clear(&host);
}

Test(refusals, a_token_that_another_process_revoked_is_refused_soon)
{
    cr_expect(eq(int, grid_get(&grid, "/v1/batches"), 200));
    grid_revoke(&grid);
    grid_pass(&grid, 11);
    cr_expect(eq(int, grid_get(&grid, "/v1/batches"), 401));
    cr_expect(eq(int, grid_get(&grid, "/v1/batches"), 401));
}

Test(refusals, strangers_run_out_of_budget_and_are_told_when_to_come_back)
{
    int status = 0;

    grid_close(&grid);
    grid_open(&grid, "strangers_per_minute = 5\naccounts_per_hour = 2\n");
    grid_stop_clock(&grid); /* one comes back every 12 s, and a crowded machine takes that long */
    for (int i = 0; i < 6; i++)
        status = ask("GET", "/v1/project", NULL, NULL, NULL);
    cr_expect(eq(int, status, 429));
    cr_expect(grid_says(&grid, "\"retry_after_s\":"), "%s", grid_body(&grid));
    cr_expect(eq(int, grid_get(&grid, "/v1/batches"), 429)); /* a token nobody has looked up yet */
    grid_pass(&grid, 60);
    cr_expect(eq(int, grid_get(&grid, "/v1/batches"), 200));
    for (int i = 0; i < 3; i++)
        status = grid_post(&grid, "/v1/accounts", "{}");
    cr_expect(eq(int, status, 429));
}

Test(refusals, only_the_key_of_an_account_says_whose_it_is)
{
    static const char *unknown = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    struct token account;

    cr_assert(eq(int, grid_post(&grid, "/v1/accounts", "{}"), 201));
    cr_assert(eq(int,
                 account_reply_decode(grid_body(&grid), strlen(grid_body(&grid)), &account, NULL),
                 STATUS_OK));
    for (int i = 0; i < 2; i++) {
        cr_expect(eq(int, ask("GET", "/v1/account", account.text, NULL, NULL), 200));
        cr_expect(grid_says(&grid, "{\"volunteer\":"), "%s", grid_body(&grid));
        cr_expect(eq(int, ask("GET", "/v1/account", unknown, NULL, NULL), 401));
    }
    cr_expect(eq(int, ask("GET", "/v1/account", NULL, NULL, NULL), 401));
    cr_expect(eq(int, grid_get(&grid, "/v1/account"), 403), "an operator's token");
    cr_expect(eq(int, ask("GET", "/v1/batches", account.text, NULL, NULL), 403));
}

Test(refusals, who_asks_for_an_account_has_the_budget_of_a_stranger)
{
    struct token account;
    int status = 200;

    grid_close(&grid);
    grid_open(&grid, "strangers_per_minute = 5\n");
    grid_stop_clock(&grid);
    cr_assert(eq(int, grid_post(&grid, "/v1/accounts", "{}"), 201));
    cr_assert(eq(int,
                 account_reply_decode(grid_body(&grid), strlen(grid_body(&grid)), &account, NULL),
                 STATUS_OK));
    for (int i = 0; i < 6 && status == 200; i++)
        status = ask("GET", "/v1/account", account.text, NULL, NULL);
    cr_expect(eq(int, status, 429));
}

static int post_lines(const char *lines, size_t length)
{
    struct grid_request request = {.method = "POST",
                                   .path = grid_batch(&grid, "/units"),
                                   .token = grid.operator_token.text,
                                   .type = "application/x-ndjson",
                                   .body = lines,
                                   .length = length};

    return grid_ask(&grid, &request);
}

Test(refusals, a_batch_of_no_units_is_refused)
{
    grid_publish(&grid);
    cr_expect(eq(int, post_lines("\n", 1), 400));
    cr_expect(grid_says(&grid, "no unit"), "%s", grid_body(&grid));
    cr_expect(eq(int, post_lines("", 0), 400));
}

Test(refusals, a_wrong_line_is_named_and_those_before_it_are_kept)
{
    CLEANUP(buffer_clear) struct buffer lines = {.max = 16 << 20};

    grid_publish(&grid);
    for (int64_t i = 0; i < 300; i++) {
        CLEANUP(freep) char *line = grid_seal_unit(&grid, i);

        cr_assert(eq(int,
                     buffer_printf(&lines, NULL, "%s\n", i == 270 ? "{\"not\":\"this\"}" : line),
                     STATUS_OK));
    }
    cr_expect(eq(int, post_lines(lines.bytes, lines.length), 400));
    cr_expect(grid_says(&grid, "line 271: "), "%s", grid_body(&grid));
    cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "")), 200));
    cr_expect(grid_says(&grid, "\"units\":270"), "%s", grid_body(&grid));
}

Test(refusals, a_unit_signed_by_a_stranger_is_refused_with_its_line)
{
    struct private_key work;
    CLEANUP(freep) char *line = NULL;

    grid_publish(&grid);
    work = grid.sample.work;
    grid.sample.work = grid.sample.stranger;
    line = grid_seal_unit(&grid, 0);
    grid.sample.work = work;
    cr_expect(eq(int, post_lines(line, strlen(line)), 403));
    cr_expect(grid_says(&grid, "line 1: "), "%s", grid_body(&grid));
    cr_expect(grid_says(&grid, "\"code\":\"unknown-key\""), "%s", grid_body(&grid));
}

Test(refusals, a_line_without_an_end_is_bounded)
{
    CLEANUP(freep) char *line = repeated("", 'a', 1 << 20, "");

    grid_publish(&grid);
    cr_expect(eq(int, post_lines(line, strlen(line)), 413), "%s", grid_body(&grid));
    cr_expect(grid_says(&grid, "line 1: "), "%s", grid_body(&grid));
}

Test(refusals, units_for_an_unknown_batch_are_404)
{
    CLEANUP(freep) char *line = NULL;

    grid_publish(&grid);
    line = grid_seal_unit(&grid, 0);
    grid.sample.unit.batch.bytes[0] ^= 1;
    cr_expect(eq(int, post_lines(line, strlen(line)), 404), "%s", grid_body(&grid));
}

Test(refusals, a_file_of_another_digest_is_refused)
{
    static const char path[] =
        "/v1/files/0000000000000000000000000000000000000000000000000000000000000001";

    (void)grid_get(&grid, "/v1/batches");
    cr_expect(eq(int, ask("PUT", path, grid.operator_token.text, NULL, "bytes"), 400));
    cr_expect(grid_says(&grid, "\"code\":\"digest\""), "%s", grid_body(&grid));
    cr_expect(eq(int,
                 ask("GET",
                     "/v1/files/"
                     "0000000000000000000000000000000000000000000000000000000000000000",
                     grid.operator_token.text, NULL, NULL),
                 404));
    cr_expect(grid_says(&grid, "there is nothing of this digest"), "%s", grid_body(&grid));
    cr_expect(eq(int, ask("PUT", "/v1/files/abc", grid.operator_token.text, NULL, "x"), 404));
}

Test(refusals, a_range_that_is_not_there_is_kept_by_nobody)
{
    struct grid_request request = {.method = "GET", .fields = "Range: bytes=99999999-\r\n"};
    char path[128];

    grid_publish(&grid);
    (void)snprintf(path, sizeof path, "/v1/files/%s",
                   digest_format(&grid.sample.variant.files[0].digest).text + strlen("sha256:"));
    request.path = path;
    cr_assert(eq(int, grid_ask(&grid, &request), 416), "%s", grid_body(&grid));
    cr_expect(web_client_has_line(&grid.client, "Cache-Control: no-store"));
    cr_expect(strstr(buffer_text(&grid.client.head), "immutable") == NULL, "%s",
              buffer_text(&grid.client.head));
}

Test(refusals, parameters_are_checked_by_name_and_range)
{
    cr_expect(eq(int, grid_get(&grid, "/v1/batches?limit=1001"), 400));
    cr_expect(grid_says(&grid, "limit"), "%s", grid_body(&grid));
    cr_expect(eq(int, grid_get(&grid, "/v1/batches?limit=0"), 400));
    cr_expect(eq(int, grid_get(&grid, "/v1/batches?after=x"), 400));
    cr_expect(eq(int, grid_get(&grid, "/v1/batches?colour=red"), 400));
    cr_expect(grid_says(&grid, "colour"), "%s", grid_body(&grid));
    cr_expect(eq(int, grid_get(&grid, "/v1/units/abc"), 404));
    cr_expect(eq(int, grid_get(&grid, "/v1/batches/abc"), 404));
}
