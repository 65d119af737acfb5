/* server/site/verb_check.c: what is wrong with a site ends the check with VERB_UNSOUND, in words.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/disk.h"
#include "common/env/real.h"
#include "db/publish.h"
#include "db/store.h"
#include "server/serve.h"
#include "server/site/folder.h"
#include "server/site/verbs.h"
#include "tests/support/ending.h"
#include "tests/support/made_site.h"

static char folder[] = "/tmp/dugnad-check-XXXXXX";
static struct env env;
static struct config config;
static struct error err;

static void set_up(void)
{
    env = *env_real();
    made_site_begin(folder, &env, &config);
}

static void tear_down(void)
{
    END_MUST(disk_real()->remove_tree(disk_real(), folder, NULL) == STATUS_OK);
}

TestSuite(check, .init = set_up, .fini = tear_down, .timeout = 60);

/* Makes what a server makes when it starts. */
static enum status serve_once(void)
{
    CLEANUP(server_closep) struct server *server = NULL;

    return server_open(&env, "site", &server, &err);
}

static int check_site(void)
{
    static const char *const argv[] = {"dugnad-server", "check", "site"};
    static const struct command *const commands[] = {&verb_check};
    static const struct program program = {
        .name = "dugnad-server", .commands = commands, .command_count = 1};

    return program_run(&program, &env, 3, argv);
}

static void expect_unsound_without(const char *part)
{
    char kept[64];

    (void)snprintf(kept, sizeof kept, "%s.kept", part);
    cr_assert(zero(int, rename(part, kept)));
    cr_expect(eq(int, check_site(), VERB_UNSOUND), "%s", part);
    cr_expect(not(disk_has(env.disk, part)), "a check makes nothing");
    cr_assert(zero(int, rename(kept, part)));
}

static void expect_unsound_with(const char *part, off_t length)
{
    CLEANUP(buffer_clear) struct buffer whole = {.max = 4096};

    cr_assert(eq(int, env.disk->read(env.disk, part, &whole, &err), STATUS_OK));
    cr_assert(zero(int, truncate(part, length)));
    cr_expect(eq(int, check_site(), VERB_UNSOUND), "%s", part);
    cr_assert(
        eq(int, env.disk->write(env.disk, part, whole.bytes, whole.length, 0600, &err), STATUS_OK));
}

/* Regression: only whether they are there was looked at. */
Test(check, an_authority_that_is_cut_short_or_not_one_is_not_sound)
{
    cr_assert(eq(int, serve_once(), STATUS_OK), "%s", err.text);
    expect_unsound_with("site/tls/ca.key", 100);
    expect_unsound_with("site/tls/ca.pem", 300);
    expect_unsound_with("site/tls/ca.pem", 0);
    cr_expect(eq(int, check_site(), VERB_OK));
}

/* Regression: "0 faults: sound". */
Test(check, a_site_of_which_a_part_is_missing_is_not_sound)
{
    cr_assert(eq(int, serve_once(), STATUS_OK), "%s", err.text);
    cr_expect(eq(int, check_site(), VERB_OK));
    expect_unsound_without("site/tls/ca.key");
    expect_unsound_without("site/tls/ca.pem");
    made_site_remember_a_file(&config);
    expect_unsound_without("site/files");
}

static void write_part(const char *part, const void *bytes, size_t length)
{
    cr_assert(eq(int, env.disk->write(env.disk, part, bytes, length, 0600, &err), STATUS_OK));
}

static void change_database(const char *sql)
{
    sqlite3 *db = NULL;

    cr_assert(zero(int, sqlite3_open("site/dugnad.db", &db)));
    cr_expect(zero(int, sqlite3_exec(db, sql, NULL, NULL, NULL)), "%s: %s", sql,
              sqlite3_errmsg(db));
    (void)sqlite3_close(db);
}

/* Regression: "the database failed; nothing was stored; try again later", and code 1. */
Test(check, a_damaged_database_is_not_sound)
{
    CLEANUP(buffer_clear) struct buffer whole = {.max = 1 << 24};
    static const char *const lost[] = {"DROP TABLE file",
                                       "DROP TABLE unit",
                                       "DROP TABLE notice",
                                       "DROP TABLE migration",
                                       "DROP TABLE id_block",
                                       "DROP INDEX unit_failed",
                                       "ALTER TABLE batch DROP COLUMN why"};
    const char *database = "site/dugnad.db";
    char text[40000], format;

    cr_assert(eq(int, serve_once(), STATUS_OK), "%s", err.text);
    cr_expect(eq(int, check_site(), VERB_OK));
    cr_assert(eq(int, env.disk->read(env.disk, database, &whole, &err), STATUS_OK));
    cr_assert(zero(int, truncate(database, (off_t)whole.length / 2)));
    cr_expect(eq(int, check_site(), VERB_UNSOUND), "half");
    memset(text, 'x', sizeof text);
    write_part(database, text, sizeof text);
    cr_expect(eq(int, check_site(), VERB_UNSOUND), "text");
    memcpy(text, whole.bytes, 4096);
    write_part(database, text, sizeof text);
    cr_expect(eq(int, check_site(), VERB_UNSOUND), "the first page alone");
    format = whole.bytes[47]; /* of the schema; there are four */
    whole.bytes[47] = 99;
    write_part(database, whole.bytes, whole.length);
    whole.bytes[47] = format;
    cr_expect(eq(int, check_site(), VERB_UNSOUND), "another format");
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++) {
        write_part(database, whole.bytes, whole.length);
        change_database(lost[i]);
        cr_expect(eq(int, check_site(), VERB_UNSOUND), "%s", lost[i]);
    }
    made_site_lose(database);
    cr_assert(zero(int, mkdir(database, 0700)));
    cr_expect(eq(int, check_site(), VERB_UNSOUND), "a folder");
    made_site_lose(database);
    write_part(database, whole.bytes, whole.length);
    made_site_lose("site/dugnad.db-wal");
    cr_assert(zero(int, mkdir("site/dugnad.db-wal", 0700)));
    cr_expect(eq(int, check_site(), VERB_UNSOUND), "a folder as its log");
    made_site_lose("site/dugnad.db-wal");
    cr_assert(zero(int, symlink("nowhere/at/all", "site/dugnad.db-wal")));
    cr_expect(eq(int, check_site(), VERB_UNSOUND), "a link to nothing as its log");
}

/* Regression: the defaults took the place of what was lost, and the check said "sound". */
Test(check, settings_that_are_empty_or_cut_are_not_sound)
{
    CLEANUP(buffer_clear) struct buffer whole = {.max = CONFIG_FILE_MAX};

    cr_assert(eq(int, serve_once(), STATUS_OK), "%s", err.text);
    cr_assert(eq(int, env.disk->read(env.disk, "site/site.conf", &whole, &err), STATUS_OK));
    for (size_t length = 0; length < 120 && length < whole.length; length += 7) {
        cr_assert(zero(int, truncate("site/site.conf", (off_t)length)));
        if (length == 0 || whole.bytes[length - 1] != '\n')
            cr_expect(eq(int, check_site(), VERB_UNSOUND), "%zu bytes", length);
        write_part("site/site.conf", whole.bytes, whole.length);
    }
    cr_expect(eq(int, check_site(), VERB_OK));
}

static void expect_said(int code, const char *words)
{
    CLEANUP(buffer_clear) struct buffer said = {.max = 1 << 16};
    int kept = dup(STDOUT_FILENO), to = open("said", O_CREAT | O_TRUNC | O_WRONLY, 0600);

    (void)fflush(stdout);
    cr_assert(le(int, 0, dup2(to, STDOUT_FILENO)));
    cr_expect(eq(int, check_site(), code));
    (void)fflush(stdout);
    cr_assert(le(int, 0, dup2(kept, STDOUT_FILENO)));
    (void)close(kept);
    (void)close(to);
    cr_assert(eq(int, env.disk->read(env.disk, "said", &said, &err), STATUS_OK));
    cr_expect(strstr(buffer_text(&said), words) != NULL, "%s", buffer_text(&said));
}

/* Regression: the first ended the check with code 1, the second was not spoken of. */
Test(check, a_folder_as_a_stored_file_is_a_fault_and_a_stray_is_listed)
{
    const struct digest digest = digest_of("x", 1);
    const struct digest_text name = digest_format(&digest);
    const char *hex = name.text + strlen(name.text) - 64;
    struct disk_path path;

    cr_assert(eq(int, serve_once(), STATUS_OK), "%s", err.text);
    write_part("site/files/stray", "x", 1);
    expect_said(VERB_OK, "orphan: site/files/stray (1 bytes)");
    made_site_remember_a_file(&config);
    cr_assert(eq(int, disk_join(&path, &err, "site/files/%.2s/%s", hex, hex + 2), STATUS_OK));
    cr_assert(zero(int, mkdir(path.text, 0700)));
    expect_said(VERB_UNSOUND, "a file of the site is no file");
    made_site_lose("site/files/00");
    write_part("site/files/00", "", 0);
    expect_said(VERB_UNSOUND, "files: site/files/00 is no folder");
}
