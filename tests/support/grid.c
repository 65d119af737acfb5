#include "tests/support/grid.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/env/real.h"
#include "db/publish.h"
#include "db/store.h"
#include "server/site/folder.h"
#include "server/site/tokens.h"
#include "tests/support/ending.h"

static const char settings[] = "name = A sample\n"
                               "url = https://127.0.0.1:8443\n"
                               "listen =\n"
                               "listen_plain = 127.0.0.1:0\n"
                               "issue_floor_percent = 0\nissue_floor = 0\n"
                               "upload_floor_percent = 0\nupload_floor = 0\n"
                               "min_return = 1s\n"
                               "visits_per_minute = 100000\n"
                               "stop_time = 1s\n";

static int64_t now_s(struct env *env)
{
    struct grid *grid = (struct grid *)env;

    return grid->real->now_s(grid->real) + grid->ahead_s;
}

static int64_t now_mono_ms(struct env *env)
{
    struct grid *grid = (struct grid *)env;

    int64_t real_ms = grid->stopped_mono_ms;

    if (real_ms == 0)
        real_ms = grid->real->now_mono_ms(grid->real);
    return real_ms + grid->ahead_mono_ms;
}

static void fill_random(struct env *env, void *ret_bytes, size_t count)
{
    struct grid *grid = (struct grid *)env;

    grid->real->random(grid->real, ret_bytes, count);
}

static void sleep_ms(struct env *env, int64_t ms)
{
    struct grid *grid = (struct grid *)env;

    grid->real->sleep_ms(grid->real, ms);
}

static void make_token(struct grid *grid, enum credential_role role, struct token *ret_token)
{
    CLEANUP(store_closep) struct store *store = NULL;
    CLEANUP(txn_end) struct txn txn = {0};
    struct credential credential = {.kind = CREDENTIAL_OPERATOR, .role = role, .label = "test"};
    struct disk_path path;
    struct error err = {0};
    int64_t id = 0;

    token_make(&grid->env, ret_token);
    credential.hash = token_digest(ret_token);
    cr_assert(site_path(grid->site, "dugnad.db", &path, &err) == STATUS_OK &&
                  store_open_sqlite(path.text, &store, &err) == STATUS_OK &&
                  txn_begin(&txn, store, &err) == STATUS_OK &&
                  store->publish->credential_add(store, &credential, &id, &err) == STATUS_OK &&
                  txn_commit(&txn, &err) == STATUS_OK,
              "%s (%s)", err.text, err.detail);
    if (role == ROLE_OPERATOR)
        grid->operator_row = id;
}

void grid_revoke(struct grid *grid)
{
    CLEANUP(store_closep) struct store *store = NULL;
    CLEANUP(txn_end) struct txn txn = {0};
    struct disk_path path;
    struct error err = {0};

    cr_assert(site_path(grid->site, "dugnad.db", &path, &err) == STATUS_OK &&
                  store_open_sqlite(path.text, &store, &err) == STATUS_OK &&
                  txn_begin(&txn, store, &err) == STATUS_OK &&
                  store->publish->credential_revoke(store, grid->operator_row, SAMPLE_NOW_S,
                                                    &err) == STATUS_OK &&
                  txn_commit(&txn, &err) == STATUS_OK,
              "%s (%s)", err.text, err.detail);
}

void grid_pass(struct grid *grid, int64_t seconds)
{
    grid->ahead_s += seconds;
    grid->ahead_mono_ms += seconds * 1000;
}

void grid_stop_clock(struct grid *grid)
{
    grid->stopped_mono_ms = grid->real->now_mono_ms(grid->real);
}

static void start(struct grid *grid)
{
    struct error err = {0};

    cr_assert(server_open(&grid->env, grid->site, &grid->server, &err) == STATUS_OK, "%s (%s)",
              err.text, err.detail);
}

static void stop(struct grid *grid)
{
    if (grid->is_connected)
        web_client_close(&grid->client);
    else
        buffer_clear(&grid->client.body);
    grid->is_connected = false;
    server_close(TAKE(grid->server));
}

void grid_open(struct grid *grid, const char *more)
{
    struct config *config = must_alloc(1, sizeof *config);
    CLEANUP(freep) char *text = text_format("%s%s", settings, more != NULL ? more : "");
    struct error err = {0};

    memset(grid, 0, sizeof *grid);
    grid->real = env_real();
    (void)text_fit(grid->folder, sizeof grid->folder, "/tmp/dugnad-grid-XXXXXX");
    grid->ahead_s = SAMPLE_NOW_S - grid->real->now_s(grid->real);
    grid->env = (struct env){.now_s = now_s,
                             .now_mono_ms = now_mono_ms,
                             .random = fill_random,
                             .sleep_ms = sleep_ms,
                             .disk = grid->real->disk};
    cr_assert(mkdtemp(grid->folder) != NULL);
    (void)snprintf(grid->site, sizeof grid->site, "%s/site", grid->folder);
    cr_assert(config_parse(text, config, &err) == STATUS_OK, "%s", err.text);
    cr_assert(site_make(&grid->env, grid->site, config, &err) == STATUS_OK, "%s (%s)", err.text,
              err.detail);
    free(config);
    sample_init(&grid->sample);
    make_token(grid, ROLE_OPERATOR, &grid->operator_token);
    make_token(grid, ROLE_READER, &grid->reader_token);
    start(grid);
}

void grid_close(struct grid *grid)
{
    stop(grid);
    sample_clear(&grid->sample);
    END_MUST(grid->env.disk->remove_tree(grid->env.disk, grid->folder, NULL) == STATUS_OK);
}

void grid_restart(struct grid *grid)
{
    stop(grid);
    start(grid);
}

static bool send_request(struct grid *grid, const struct grid_request *request)
{
    size_t length = request->body == NULL ? 0
                    : request->length > 0 ? request->length
                                          : strlen(request->body);
    CLEANUP(freep)
    char *head = text_format(
        "%s %s HTTP/1.1\r\nHost: grid\r\n%s%s%s%s%s%s%sContent-Length: %zu\r\n\r\n",
        request->method, request->path, request->token != NULL ? "Authorization: Bearer " : "",
        request->token != NULL ? request->token : "", request->token != NULL ? "\r\n" : "",
        request->type != NULL ? "Content-Type: " : "", request->type != NULL ? request->type : "",
        request->type != NULL ? "\r\n" : "", request->fields != NULL ? request->fields : "",
        length);

    return web_client_send(&grid->client, head) &&
           (length == 0 || web_client_send_bytes(&grid->client, request->body, length));
}

int grid_ask(struct grid *grid, const struct grid_request *request)
{
    bool is_head = strcmp(request->method, "HEAD") == 0;
    int status = 0;

    for (int attempt = 0; attempt < 2 && status == 0; attempt++) {
        if (!grid->is_connected)
            buffer_clear(&grid->client.body); /* of the connection before */
        if (!grid->is_connected)
            web_client_open(&grid->client, server_port(grid->server, 0), false);
        grid->is_connected = true;
        (void)send_request(grid, request);
        status = web_client_reply(&grid->client, is_head);
        if (status == 0 || web_client_has_line(&grid->client, "Connection: close")) {
            struct buffer body = grid->client.body;

            buffer_init(&grid->client.body, 0);
            web_client_close(&grid->client);
            grid->client.body = body;
            grid->is_connected = false;
        }
    }
    return status;
}

int grid_get(struct grid *grid, const char *path)
{
    struct grid_request request = {
        .method = "GET", .path = path, .token = grid->operator_token.text};

    return grid_ask(grid, &request);
}

int grid_post(struct grid *grid, const char *path, const char *json)
{
    struct grid_request request = {.method = "POST",
                                   .path = path,
                                   .token = grid->operator_token.text,
                                   .type = "application/json",
                                   .body = json};

    return grid_ask(grid, &request);
}

const char *grid_body(const struct grid *grid)
{
    return buffer_text(&grid->client.body);
}

bool grid_says(const struct grid *grid, const char *part)
{
    return strstr(grid_body(grid), part) != NULL;
}
