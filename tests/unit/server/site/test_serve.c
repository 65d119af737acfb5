/* server/serve: what a server refuses to start with, and what it does while it runs. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/redirect.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/env/real.h"
#include "db/publish.h"
#include "db/store.h"
#include "server/serve.h"
#include "server/site/certificate.h"
#include "server/site/folder.h"
#include "server/site/verbs.h"
#include "tests/support/ending.h"
#include "tests/support/made_site.h"
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
    env = *env_real();
    env.now_s = now_s;
    made_site_begin(folder, &env, &config);
}

static void tear_down(void)
{
    END_MUST(disk_real()->remove_tree(disk_real(), folder, NULL) == STATUS_OK);
}

TestSuite(serve, .init = set_up, .fini = tear_down, .timeout = 60);

static void expect_refused(enum status expected, const char *words)
{
    struct server *server = NULL;

    cr_expect(eq(int, server_open(&env, "site", &server, &err), expected), "%s", err.text);
    cr_expect(server == NULL);
    cr_expect(strstr(err.text, words) != NULL, "%s", err.text);
}

static enum status open_and_close(const char *site)
{
    CLEANUP(server_closep) struct server *server = NULL;

    return server_open(&env, site, &server, &err);
}

static void rewrite_settings(const char *settings)
{
    cr_assert(
        eq(int, env.disk->write(env.disk, "site/site.conf", settings, strlen(settings), 0600, &err),
           STATUS_OK));
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

/* Regression: they were made anew, empty, and every file was lost without a word. */
Test(serve, a_site_that_had_files_and_lost_their_folder_is_refused)
{
    cr_assert(eq(int, open_and_close("site"), STATUS_OK), "makes them: %s", err.text);
    made_site_lose("site/files");
    cr_assert(eq(int, open_and_close("site"), STATUS_OK), "nothing was in it: %s", err.text);
    made_site_remember_a_file(&config);
    cr_assert(eq(int, open_and_close("site"), STATUS_OK), "%s", err.text);
    made_site_lose("site/files");
    expect_refused(STATUS_INVALID, "files is missing");
    cr_expect(not(disk_has(env.disk, "site/files")), "still refused next time");
}

/* ---------------------------------------------------------------- what it rests on is proved first
 */

static char elsewhere[] = "/dev/shm/dugnad-serve-XXXXXX";

static void make_elsewhere(void)
{
    struct stat here, there;

    if (mkdtemp(elsewhere) == NULL)
        cr_skip_test("there is no /dev/shm");
    cr_assert(zero(int, stat(folder, &here)));
    cr_assert(zero(int, stat(elsewhere, &there)));
    if (here.st_dev == there.st_dev) {
        cr_assert(zero(int, rmdir(elsewhere)));
        cr_skip_test("/tmp and /dev/shm are one file system");
    }
}

static void remove_elsewhere(void)
{
    cr_assert(eq(int, env.disk->remove_tree(env.disk, elsewhere, &err), STATUS_OK));
}

/* Regression: each large output failed for ever with "Invalid cross-device link". */
Test(serve, files_on_another_file_system_are_fine)
{
    make_elsewhere();
    cr_assert(zero(int, symlink(elsewhere, "site/files")));
    cr_expect(eq(int, open_and_close("site"), STATUS_OK), "%s (%s)", err.text, err.detail);
    cr_expect(disk_has(env.disk, "site/files/uploads"));
    remove_elsewhere();
}

Test(serve, uploads_that_cannot_be_renamed_into_the_files_are_refused_with_words)
{
    make_elsewhere();
    cr_assert(eq(int, open_and_close("site"), STATUS_OK), "%s", err.text);
    made_site_lose("site/files/uploads");
    cr_assert(zero(int, symlink(elsewhere, "site/files/uploads")));
    expect_refused(STATUS_STORAGE, "files/uploads of the site has to be on the same file system");
    made_site_lose("site/files/uploads");
    cr_expect(eq(int, open_and_close("site"), STATUS_OK), "%s (%s)", err.text, err.detail);
    remove_elsewhere();
}

#define STRANGER 65534

/* The site becomes the stranger's but for one part, and so does this process. */
static void expect_named(const char *part, const char *words)
{
    if (geteuid() != 0)
        cr_skip_test("only root can give files away");
    cr_assert(zero(int, system("chown -R 65534 .")));
    cr_assert(zero(int, chown(part, 0, 0)));
    cr_assert(zero(int, chmod(part, 0700)));
    cr_assert(zero(int, seteuid(STRANGER)));
    expect_refused(STATUS_STORAGE, words);
    cr_expect(strstr(err.detail, "belongs to uid 0") != NULL, "%s", err.detail);
    cr_expect(strstr(err.detail, "chown 65534") != NULL, "%s", err.detail);
    cr_expect(strstr(err.detail, part) != NULL, "%s", err.detail);
    cr_assert(zero(int, seteuid(0)));
    cr_assert(zero(int, chown(part, STRANGER, 0)));
    cr_assert(zero(int, seteuid(STRANGER)));
    cr_expect(eq(int, open_and_close("site"), STATUS_OK), "%s (%s)", err.text, err.detail);
    cr_assert(zero(int, seteuid(0)));
}

/* Regression: it started, and failed at the first file that came into that part. */
Test(serve, a_part_that_belongs_to_root_is_named_with_its_owner_and_the_remedy)
{
    cr_assert(eq(int, open_and_close("site"), STATUS_OK), "%s", err.text);
    expect_named("site/files/3c", "files/3c of the site cannot be written to");
}

static struct disk dying;
static const char *last_of; /* what is removed of this folder is the last thing of a process */

static enum status die_at(struct disk *disk, const char *path, struct error *why)
{
    CLEANUP(freep) char *part = text_format("%s/proof", last_of);

    if (text_starts_with(path, part))
        _exit(0);
    return disk_real()->remove(disk, path, why);
}

/* A process that is killed in the proof of that folder. */
static void die_in(const char *part)
{
    pid_t child = fork();
    int ended;

    if (child == 0) {
        dying = *disk_real();
        dying.remove = die_at;
        last_of = part;
        env.disk = &dying;
        (void)open_and_close("site");
        _exit(1);
    }
    cr_assert(eq(int, waitpid(child, &ended, 0), child));
    cr_assert(zero(int, ended), "it was not killed in the proof of %s", part);
}

/* Regression: they stayed for good, in files/ and in the 256 parts of it. */
Test(serve, what_a_proof_that_was_cut_short_left_goes_with_the_next)
{
    static const char *const parts[] = {
        "site/.",        "site/files",         "site/files/3c",
        "site/files/00", "site/files/uploads", "site/files/incoming",
        "site/tls"};

    cr_assert(eq(int, open_and_close("site"), STATUS_OK), "%s", err.text);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        die_in(parts[i]);
    cr_expect(zero(int, system("find site -name 'proof*' | grep -q .")), "nothing was left");
    cr_expect(eq(int, open_and_close("site"), STATUS_OK), "%s (%s)", err.text, err.detail);
    cr_expect(not(zero(int, system("find site -name 'proof*' | grep ."))));
}

/* Regression: "sqlite 14: unable to open database file". */
Test(serve, so_is_a_database_that_belongs_to_root)
{
    expect_named("site/dugnad.db", "dugnad.db of the site cannot be opened for writing");
}

/* Modes say nothing to root, so root becomes the stranger, to whom all is given; anybody else is
 * bound by them as it is. */
static void expect_mode_named(const char *part, const char *words)
{
    const uid_t user = geteuid();

    cr_assert(eq(int, open_and_close("site"), STATUS_OK), "%s", err.text);
    if (user == 0)
        cr_assert(zero(int, system("chown -R 65534 .")));
    cr_assert(zero(int, chmod(part, 0500)));
    if (user == 0)
        cr_assert(zero(int, seteuid(STRANGER)));
    expect_refused(STATUS_STORAGE, words);
    cr_expect(strstr(err.detail, part) != NULL, "%s", err.detail);
    cr_expect(strstr(err.detail, "mode 500") != NULL, "%s", err.detail);
    cr_expect(strstr(err.detail, "chmod u+rwX") != NULL, "%s", err.detail);
    cr_expect(strstr(err.detail, "chown") == NULL, "%s", err.detail);
    cr_assert(zero(int, chmod(part, 0700)));
    cr_expect(eq(int, open_and_close("site"), STATUS_OK), "%s (%s)", err.text, err.detail);
    cr_assert(zero(int, seteuid(user)));
}

/* Regression: it was told to give itself what it had. */
Test(serve, a_part_that_only_its_own_mode_forbids_is_named_with_that_remedy)
{
    expect_mode_named("site/files", "files of the site cannot be written to");
}

/* Regression: it was served without a word, until its certificate ran out. */
Test(serve, so_is_the_folder_that_its_own_certificate_is_renewed_in)
{
    expect_mode_named("site/tls", "tls of the site cannot be written to");
}

/* Nor was that said. */
Test(serve, so_is_that_folder_if_it_belongs_to_root)
{
    expect_named("site/tls", "tls of the site cannot be written to");
}

/* Regression: "sqlite 1544: attempt to write a readonly database". */
Test(serve, so_is_the_folder_that_the_database_is_in)
{
    expect_mode_named("site", "the folder of the site cannot be written to");
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
    rewrite_settings("name = Test\nthreds = 2\n");
    expect_refused(STATUS_INVALID, "site/site.conf, line 2: unknown key");
}

/* Regression: it was STATUS_BUSY, which `run` takes for another server in this folder. */
Test(serve, an_address_that_somebody_else_has_is_no_second_server)
{
    CLEANUP(server_closep) struct server *server = NULL;
    char settings[128];

    cr_assert(eq(int, server_open(&env, "site", &server, &err), STATUS_OK), "%s", err.text);
    cr_assert(eq(int, site_make(&env, "other", &config, &err), STATUS_OK), "%s", err.text);
    (void)snprintf(settings, sizeof settings,
                   "url = https://127.0.0.1:8443\nlisten = 127.0.0.1:%u\n", server_port(server, 0));
    cr_assert(eq(
        int, env.disk->write(env.disk, "other/site.conf", settings, strlen(settings), 0600, &err),
        STATUS_OK));
    cr_expect(eq(int, open_and_close("other"), STATUS_INVALID), "%s", err.text);
    cr_expect(strstr(err.text, "cannot listen on 127.0.0.1") != NULL, "%s", err.text);
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

static int run_verb(const struct command *verb, const char *const *words, size_t count)
{
    const char *argv[8] = {"dugnad-server", verb->name, "site"};
    const struct command *const commands[] = {verb};
    const struct program program = {
        .name = "dugnad-server", .commands = commands, .command_count = 1};

    for (size_t i = 0; i < count; i++)
        argv[3 + i] = words[i];
    return program_run(&program, &env, 3 + (int)count, argv);
}

static char printed[65536];

static void expect_on_stdout(const char *words)
{
    if (*printed == '\0')
        (void)!fread(printed, 1, sizeof printed - 1, cr_get_redirected_stdout());
    cr_expect(strstr(printed, words) != NULL, "%s", printed);
}

/* Regression: --json was no option of theirs. */
Test(serve, its_lists_are_printed_as_json)
{
    static const char *const new_token[] = {"new", "--name", "me"};
    static const char *const list[] = {"list", "--json"};

    static const char *const print[] = {"--print-config"};

    cr_redirect_stdout();
    cr_redirect_stderr();
    cr_expect(eq(int, run_verb(&verb_run, print, 1), VERB_OK));
    cr_expect(eq(int, run_verb(&verb_volunteer, list, 2), VERB_OK));
    cr_expect(eq(int, run_verb(&verb_token, new_token, 3), VERB_OK));
    cr_expect(eq(int, run_verb(&verb_token, list, 2), VERB_OK));
    cr_expect(eq(int, run_verb(&verb_config, list + 1, 1), VERB_OK));
    (void)fflush(stdout);
    expect_on_stdout("[]\n");
    expect_on_stdout("[{\"id\":1,\"role\":\"operator\",\"state\":\"valid\","
                     "\"expires_s\":0,\"name\":\"me\"}]\n{\"name\":\"Test\"");
}
