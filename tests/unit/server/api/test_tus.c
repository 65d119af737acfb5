/* server/api: large outputs are asked for, come in pieces, and are what was reported. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/crypto/base64.h"
#include "tests/support/grid.h"

#define SIZE     100000
#define METADATA "Upload-Metadata: task %s,name b3V0\r\n" /* "out" */
#define TUS      "Tus-Resumable: 1.0.0\r\n"

static struct grid grid;
static struct grid_host hosts[2];
static struct grid_report reports[2];
static char output[SIZE + 1];
static char location[128];

static void allow_large_outputs(void)
{
    struct envelope app;

    grid.sample.app_version.outputs[0].max_bytes = 1 << 20;
    app = sample_seal_app_version(&grid.sample);
    grid.sample.app_digest = app.digest;
    grid.sample.variant.app_version = app.digest;
    grid.sample.unit.app_version = app.digest;
    envelope_clear(&app);
}

static void get_task(size_t i)
{
    struct scheduler_reply reply;

    grid_enrol(&grid, (unsigned)i, &hosts[i]);
    cr_assert(eq(int, grid_visit(&grid, &hosts[i], 1, NULL, 0, &reply), 200));
    cr_assert(eq(sz, reply.grant_count, 1), "%s", reply.why);
    reports[i] = (struct grid_report){
        .task = reply.grants[0].task, .unit = grid_unit_digest(&grid, 0), .output = output};
    scheduler_reply_clear(&reply);
}

static void set_up(void)
{
    for (size_t i = 0; i < SIZE; i++)
        output[i] = (char)('a' + i % 26);
    grid_open(&grid, NULL);
    allow_large_outputs();
    grid_publish(&grid);
    grid_add_units(&grid, 0, 1);
    get_task(0);
    get_task(1);
}

static void tear_down(void)
{
    grid_host_clear(&hosts[0]);
    grid_host_clear(&hosts[1]);
    grid_close(&grid);
}

TestSuite(tus, .init = set_up, .fini = tear_down, .timeout = 60);

/* Report; which of the two is asked for the body now: 2, nobody. */
static size_t report(size_t i)
{
    struct scheduler_reply reply;
    size_t asked;

    cr_assert(eq(int, grid_visit(&grid, &hosts[i], 0, &reports[i], 1, &reply), 200), "%s",
              grid_body(&grid));
    cr_expect(eq(int, reply.acks[0].state, ACK_REPORTED));
    asked = reply.upload_count > 0 ? i : 2;
    scheduler_reply_clear(&reply);
    return asked;
}

/* After the first reported: the second does. Who is asked for the body? */
static size_t agree_at_last(void)
{
    struct scheduler_reply reply;
    size_t asked = report(1);

    for (size_t i = 0; asked == 2 && i < 2; i++) {
        cr_assert(eq(int, grid_visit(&grid, &hosts[i], 0, NULL, 0, &reply), 200));
        asked = reply.upload_count > 0 ? i : 2;
        scheduler_reply_clear(&reply);
    }
    cr_assert(lt(sz, asked, 2));
    return asked;
}

static int ask(const char *method, const char *path, const struct grid_host *host,
               const char *fields, const char *body, size_t length)
{
    struct grid_request request = {
        .method = method,
        .path = path,
        .token = host->token.text,
        .type = strcmp(method, "PATCH") == 0 ? "application/offset+octet-stream" : NULL,
        .fields = fields,
        .body = body,
        .length = length};

    return grid_ask(&grid, &request);
}

static int create(const struct grid_host *host, int64_t task, size_t length)
{
    char number[24];
    char encoded[40];
    char fields[256];
    const char *at;
    int status;

    (void)snprintf(number, sizeof number, "%lld", (long long)task);
    base64_encode(number, strlen(number), encoded);
    (void)snprintf(fields, sizeof fields, TUS "Upload-Length: %zu\r\n" METADATA, length, encoded);
    status = ask("POST", "/v1/uploads", host, fields, NULL, 0);
    at = strstr(buffer_text(&grid.client.head), "Location: ");
    if (status == 201)
        (void)sscanf(at, "Location: %127s", location);
    return status;
}

static int patch(const struct grid_host *host, size_t offset, const char *bytes, size_t length)
{
    char fields[128];

    (void)snprintf(fields, sizeof fields, TUS "Upload-Offset: %zu\r\n", offset);
    return ask("PATCH", location, host, fields, bytes, length);
}

static size_t agree(void)
{
    cr_expect(eq(sz, report(0), 2));
    return agree_at_last();
}

Test(tus, an_agreed_output_in_pieces_makes_the_unit_accepted)
{
    size_t asked = agree();
    struct grid_host *host = &hosts[asked];
    struct digest digest = digest_of(output, SIZE);
    CLEANUP(freep) char *path = text_format("/v1/outputs/%s", digest_format(&digest).text + 7);

    cr_expect(eq(int, grid_get(&grid, path), 404));
    cr_assert(eq(int, create(host, reports[asked].task, SIZE), 201), "%s", grid_body(&grid));
    cr_assert(eq(int, patch(host, 0, output, 40000), 204), "%s", grid_body(&grid));
    cr_expect(web_client_has_line(&grid.client, "Upload-Offset: 40000"));
    cr_expect(eq(int, patch(host, 0, output, 10), 409));
    cr_assert(eq(int, ask("HEAD", location, host, TUS, NULL, 0), 200));
    cr_expect(web_client_has_line(&grid.client, "Upload-Offset: 40000"));
    cr_expect(web_client_has_line(&grid.client, "Upload-Length: 100000"));
    grid_restart(&grid);
    (void)ask("HEAD", location, host, TUS, NULL, 0); /* looks the token up */
    cr_assert(eq(int, patch(host, 40000, output + 40000, SIZE - 40000), 204), "%s",
              grid_body(&grid));
    cr_expect(web_client_has_line(&grid.client, "Upload-Offset: 100000"));
    cr_expect(eq(int, patch(host, 40000, output + 40000, SIZE - 40000), 204), "%s",
              grid_body(&grid));
    cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "")), 200));
    cr_expect(grid_says(&grid, "\"accepted\":1"), "%s", grid_body(&grid));
    cr_assert(eq(int, grid_get(&grid, path), 200));
    cr_expect(eq(sz, grid.client.body.length, SIZE));
    cr_expect(zero(int, memcmp(grid.client.body.bytes, output, SIZE)));
}

Test(tus, what_nobody_asked_for_or_another_host_has_is_refused)
{
    size_t asked;

    cr_expect(eq(int, create(&hosts[0], reports[0].task, SIZE), 400), "%s", grid_body(&grid));
    cr_expect(eq(sz, report(0), 2));
    cr_expect(eq(int, create(&hosts[0], reports[0].task, SIZE), 403), "%s", grid_body(&grid));
    asked = agree_at_last();
    cr_expect(eq(int, create(&hosts[1 - asked], reports[asked].task, SIZE), 403), "%s",
              grid_body(&grid));
    cr_expect(eq(int, create(&hosts[asked], reports[asked].task, SIZE - 1), 400), "%s",
              grid_body(&grid));
    cr_assert(eq(int, create(&hosts[asked], reports[asked].task, SIZE), 201));
    cr_expect(eq(int, ask("HEAD", location, &hosts[1 - asked], TUS, NULL, 0), 404));
    cr_expect(eq(int, patch(&hosts[1 - asked], 0, output, 10), 404));
    cr_expect(eq(int, ask("DELETE", location, &hosts[1 - asked], TUS, NULL, 0), 404));
    cr_expect(eq(int, ask("DELETE", location, &hosts[asked], TUS, NULL, 0), 204));
    cr_expect(eq(int, ask("HEAD", location, &hosts[asked], TUS, NULL, 0), 404));
}

Test(tus, other_bytes_than_reported_are_refused_and_gone)
{
    size_t asked = agree();
    struct grid_host *host = &hosts[asked];

    cr_assert(eq(int, create(host, reports[asked].task, SIZE), 201));
    output[5] = '!';
    cr_expect(eq(int, patch(host, 0, output, SIZE), 409), "%s", grid_body(&grid));
    cr_expect(grid_says(&grid, "\"code\":\"digest\""), "%s", grid_body(&grid));
    cr_expect(eq(int, ask("HEAD", location, host, TUS, NULL, 0), 404));
    cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "")), 200));
    cr_expect(grid_says(&grid, "\"accepted\":0"), "%s", grid_body(&grid));
}

Test(tus, more_than_was_reported_is_refused)
{
    size_t asked = agree();
    char *more = must_alloc(1, SIZE + 1000);

    memcpy(more, output, SIZE);
    cr_assert(eq(int, create(&hosts[asked], reports[asked].task, SIZE), 201));
    cr_expect(eq(int, patch(&hosts[asked], 0, more, SIZE + 1000), 413), "%s", grid_body(&grid));
    /* Nothing of it was taken: the right bytes go in from the beginning. */
    cr_expect(eq(int, patch(&hosts[asked], 0, output, SIZE), 204), "%s", grid_body(&grid));
    free(more);
}

Test(tus, the_protocol_is_said_and_asked_for)
{
    struct grid_request request = {.method = "OPTIONS", .path = "/v1/uploads"};

    cr_expect(eq(int, grid_ask(&grid, &request), 204));
    cr_expect(web_client_has_line(&grid.client, "Tus-Version: 1.0.0"));
    cr_expect(web_client_has_line(&grid.client, "Tus-Extension: creation,termination"));
    cr_expect(eq(int, ask("POST", "/v1/uploads", &hosts[0], "Upload-Length: 1\r\n", NULL, 0), 412));
    cr_expect(eq(int, ask("POST", "/v1/uploads", &hosts[0], TUS, NULL, 0), 400));
    cr_expect(eq(int,
                 ask("POST", "/v1/uploads", &hosts[0],
                     TUS "Upload-Length: 5\r\nUpload-Metadata: task !!!\r\n", NULL, 0),
                 400));
}

Test(tus, refusals_say_the_protocol_as_well)
{
    static const char nowhere[] = "/v1/uploads/00000000000000000000000000000000";

    cr_assert(eq(int, ask("HEAD", nowhere, &hosts[0], TUS, NULL, 0), 404));
    cr_expect(web_client_has_line(&grid.client, "Tus-Resumable: 1.0.0"));
    cr_assert(eq(int, ask("POST", "/v1/uploads", &hosts[0], TUS, NULL, 0), 400));
    cr_expect(web_client_has_line(&grid.client, "Tus-Resumable: 1.0.0"));
    cr_assert(eq(int, create(&hosts[0], reports[0].task, SIZE), 400), "%s", grid_body(&grid));
    cr_expect(web_client_has_line(&grid.client, "Tus-Resumable: 1.0.0"));
    cr_assert(eq(int, ask("HEAD", nowhere, &hosts[0], NULL, NULL, 0), 412));
    cr_expect(web_client_has_line(&grid.client, "Tus-Resumable: 1.0.0"));
}

/* A foreign client, of people who know nothing of us. */
Test(tus, the_reference_client_is_understood)
{
    const char *source = getenv("DUGNAD_SOURCE");
    const char *modules = getenv("DUGNAD_NODE_MODULES");
    CLEANUP(freep)
    char *folder = modules != NULL ? text_copy(modules)
                                   : text_format("%s/node_modules", source != NULL ? source : ".");
    CLEANUP(freep) char *module = text_format("%s/tus-js-client/package.json", folder);
    CLEANUP(freep) char *file = text_format("%s/output", grid.folder);
    CLEANUP(freep) char *command = NULL;
    size_t asked;

    /* scripts/test installs it and says where; only a bare `make check` may do without. */
    cr_assert(modules == NULL || access(module, R_OK) == 0, "%s is not there", module);
    if (access(module, R_OK) != 0)
        cr_skip_test("tus-js-client is not installed in %s", folder);
    asked = agree();
    cr_assert(
        eq(int, grid.env.disk->write(grid.env.disk, file, output, SIZE, 0600, NULL), STATUS_OK));
    command =
        text_format("timeout 30 node %s/tests/support/tus_upload.mjs %s "
                    "http://127.0.0.1:%u/v1/uploads %s %lld out %s",
                    source != NULL ? source : ".", folder, (unsigned)server_port(grid.server, 0),
                    hosts[asked].token.text, (long long)reports[asked].task, file);
    cr_assert(zero(int, system(command)));
    cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "")), 200));
    cr_expect(grid_says(&grid, "\"accepted\":1"), "%s", grid_body(&grid));
}
