/* server/serve: what a server refuses to start with, and what it does while it runs. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/env/real.h"
#include "db/publish.h"
#include "db/store.h"
#include "server/collect.h"
#include "server/files/store.h"
#include "server/serve.h"
#include "server/site/certificate.h"
#include "server/site/folder.h"
#include "tests/support/web_client.h"

static char folder[] = "/tmp/dugnad-serve-XXXXXX";
static struct env env;
static _Atomic int64_t ahead_s;
static struct config config;
static struct error err;

static int64_t now_s(struct env *of)
{
    (void)of;
    return env_real()->now_s(env_real()) + ahead_s;
}

static void set_up(void)
{
    cr_assert(mkdtemp(folder) != NULL);
    cr_assert(zero(int, chdir(folder)));
    env = *env_real();
    env.now_s = now_s;
    cr_assert(eq(int,
                 config_parse("name = Test\nurl = https://127.0.0.1:8443\nlisten = 127.0.0.1:0\n"
                              "stop_time = 0\n",
                              &config, &err),
                 STATUS_OK));
    cr_assert(eq(int, site_make(&env, "site", &config, &err), STATUS_OK));
}

static void tear_down(void)
{
    cr_expect(eq(int, disk_real()->remove_tree(disk_real(), folder, NULL), STATUS_OK));
}

TestSuite(serve, .init = set_up, .fini = tear_down, .timeout = 60);

static void expect_refused(enum status expected, const char *words)
{
    struct server *server = NULL;

    cr_expect(eq(int, server_open(&env, "site", &server, &err), expected), "%s", err.text);
    cr_expect(server == NULL);
    cr_expect(strstr(err.text, words) != NULL, "%s", err.text);
}

static int ask_project(const struct server *server)
{
    struct web_client client;
    int status;

    web_client_open(&client, server_port(server, 0), true);
    status = web_client_ask(&client, "GET /v1/project HTTP/1.1\r\nHost: x\r\n\r\n");
    web_client_close(&client);
    return status;
}

Test(serve, a_whole_site_is_served_over_tls_by_one_server_at_a_time)
{
    CLEANUP(server_closep) struct server *server = NULL;

    cr_assert(eq(int, server_open(&env, "site", &server, &err), STATUS_OK), "%s (%s)", err.text,
              err.detail);
    cr_expect(eq(int, ask_project(server), 200));
    expect_refused(STATUS_BUSY, "another dugnad-server");
    cr_expect(eq(int, ask_project(server), 200));
}

Test(serve, a_site_without_its_secret_is_refused)
{
    cr_assert(zero(int, unlink("site/secret")));
    expect_refused(STATUS_INVALID, "secret is missing");
}

Test(serve, a_newer_database_is_refused)
{
    sqlite3 *db = NULL;

    cr_assert(zero(int, sqlite3_open("site/dugnad.db", &db)));
    cr_assert(zero(
        int, sqlite3_exec(db, "INSERT INTO migration VALUES (9999, 'later')", NULL, NULL, NULL)));
    (void)sqlite3_close(db);
    expect_refused(STATUS_CONFLICT, "newer");
}

Test(serve, an_operators_certificate_has_to_be_there_and_in_time)
{
    static const char brought[] = "name = Test\nurl = https://127.0.0.1:8443\n"
                                  "listen = 127.0.0.1:0\ncertificate = tls/mine.pem\n"
                                  "certificate_key = tls/mine.pem\n";
    static const struct certificate_pair ca = {.certificate = "site/tls/ca.pem",
                                               .key = "site/tls/ca.key"};
    struct certificate_host host = {"127.0.0.1"};

    cr_assert(eq(int,
                 env.disk->write(env.disk, "site/site.conf", brought, strlen(brought), 0600, &err),
                 STATUS_OK));
    expect_refused(STATUS_INVALID, "no certificate");
    ahead_s = -INT64_C(86400) * 500;
    cr_assert(eq(int, certificate_make(&env, &ca, &host, "site/tls/mine.pem", &err), STATUS_OK));
    ahead_s = 0;
    expect_refused(STATUS_INVALID, "expired");
}

Test(serve, a_wrong_setting_is_named_with_its_line)
{
    static const char wrong[] = "name = Test\nthreds = 2\n";

    cr_assert(eq(int, env.disk->write(env.disk, "site/site.conf", wrong, strlen(wrong), 0600, &err),
                 STATUS_OK));
    expect_refused(STATUS_INVALID, "line 2: unknown key");
}

Test(serve, its_own_certificate_that_was_lost_is_made_anew)
{
    CLEANUP(server_closep) struct server *server = NULL;

    cr_assert(zero(int, unlink("site/tls/server.pem")));
    cr_assert(eq(int, server_open(&env, "site", &server, &err), STATUS_OK), "%s", err.text);
    cr_expect(eq(int, ask_project(server), 200));
    server_reload(server);
    cr_expect(eq(int, ask_project(server), 200));
}

static struct digest put(struct file_store *files, struct store *store, const char *text,
                         int64_t time_s)
{
    CLEANUP(txn_end) struct txn txn = {0};
    struct file_record record = {.digest = digest_of(text, strlen(text)),
                                 .size_bytes = (int64_t)strlen(text),
                                 .time_s = time_s};
    struct file_writer *writer = NULL;
    bool is_new;

    cr_assert(eq(int, files->begin(files, 100, &writer, &err), STATUS_OK));
    cr_assert(eq(int, files->add(writer, text, strlen(text), &err), STATUS_OK));
    cr_assert(eq(int, files->finish(writer, &record.digest, NULL, &err), STATUS_OK));
    cr_assert(eq(int, txn_begin(&txn, store, &err), STATUS_OK));
    cr_assert(eq(int, store->publish->file_add(store, &record, &is_new, &err), STATUS_OK));
    cr_assert(eq(int, txn_commit(&txn, &err), STATUS_OK));
    return record.digest;
}

static void refer(struct store *store, const struct digest *file)
{
    CLEANUP(txn_end) struct txn txn = {0};

    cr_assert(eq(int, txn_begin(&txn, store, &err), STATUS_OK));
    cr_assert(eq(int, store->publish->file_refer(store, file, FILE_INPUT, 1, &err), STATUS_OK));
    cr_assert(eq(int, txn_commit(&txn, &err), STATUS_OK));
}

Test(collect, only_old_files_that_nothing_needs_are_removed)
{
    CLEANUP(store_closep) struct store *store = NULL;
    CLEANUP(file_store_closep) struct file_store *files = NULL;
    int64_t real_s = env_real()->now_s(env_real());
    struct collecting collecting = {.files_before_s = real_s + 100};
    struct digest old, needed, young;

    set_up();
    cr_assert(eq(int, file_store_open_folder(&env, "site/files", &files, &err), STATUS_OK));
    cr_assert(eq(int, store_open_sqlite("site/dugnad.db", &store, &err), STATUS_OK));
    old = put(files, store, "old", real_s);
    needed = put(files, store, "needed", real_s);
    young = put(files, store, "young", real_s + 200);
    refer(store, &needed);
    collecting.files = files;
    cr_assert(eq(int, collect_slice(store, &collecting, &err), STATUS_OK), "%s", err.text);
    cr_expect(eq(i64, collecting.removed, 1));
    cr_expect(not(file_store_has(files, &old)));
    cr_expect(file_store_has(files, &needed));
    cr_expect(file_store_has(files, &young));
    collecting.files_before_s = real_s - 100; /* it came again: its bytes are younger than that */
    cr_assert(eq(int, files->collect(files, &young, real_s - 100, &err), STATUS_OK));
    cr_expect(file_store_has(files, &young));
    tear_down();
}
