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

#define ONES "1111111111111111111111111111111111111111111111111111111111111111" /* 32 bytes */

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
    for (size_t length = 0; length < whole.length; length++) {
        if (length > 140 && whole.bytes[length - 1] != '\n')
            continue; /* each of the first, then at the ends of lines */
        cr_assert(zero(int, truncate("site/site.conf", (off_t)length)));
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

/* Of a file that an operator wrote, or added to, it says that it cannot tell. */
Test(check, settings_whose_end_is_not_known_are_said_to_be_so)
{
    CLEANUP(buffer_clear) struct buffer whole = {.max = CONFIG_FILE_MAX};
    static const char *const own = "name = x\nurl = https://127.0.0.1:8443\n";

    cr_assert(eq(int, serve_once(), STATUS_OK), "%s", err.text);
    cr_assert(eq(int, env.disk->read(env.disk, "site/site.conf", &whole, &err), STATUS_OK));
    cr_assert(eq(int, buffer_append_text(&whole, "log_level = warn\n", &err), STATUS_OK));
    write_part("site/site.conf", whole.bytes, whole.length);
    expect_said(VERB_OK, "settings stand below \"# end\"");
    write_part("site/site.conf", own, strlen(own));
    expect_said(VERB_OK, "no last line \"# end\"");
}

/* --- the write-ahead log --- */

#define DATABASE "site/dugnad.db"
#define LOG_FILE DATABASE "-wal"

/* Each grows the database, so that its first page changes, too. */
static void change_and_leave_log(int times)
{
    sqlite3 *db = NULL;

    cr_assert(zero(int, sqlite3_open(DATABASE, &db)));
    cr_assert(zero(int, sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL)));
    for (int i = 0; i < times; i++)
        cr_assert(zero(int, sqlite3_exec(db, "UPDATE site SET name = name || hex(zeroblob(6000))",
                                         NULL, NULL, NULL)));
    cr_assert(zero(int, sqlite3_close(db)));
}

static struct digest digest_of_part(const char *part)
{
    CLEANUP(buffer_clear) struct buffer whole = {.max = 1 << 24};

    cr_assert(eq(int, env.disk->read(env.disk, part, &whole, &err), STATUS_OK), "%s", part);
    return digest_of(buffer_text(&whole), whole.length);
}

static void expect_left_as_it_is(int code, const char *words)
{
    CLEANUP(disk_names_clear) struct disk_names before = {0}, after = {0};
    const struct digest database = digest_of_part(DATABASE), log = digest_of_part(LOG_FILE);
    struct digest is;

    cr_assert(eq(int, env.disk->list(env.disk, "site", &before, &err), STATUS_OK));
    expect_said(code, words);
    cr_assert(eq(int, env.disk->list(env.disk, "site", &after, &err), STATUS_OK));
    cr_expect(eq(sz, before.count, after.count), "%s", words);
    is = digest_of_part(DATABASE);
    cr_expect(digest_equals(&is, &database), "%s", words);
    is = digest_of_part(LOG_FILE);
    cr_expect(digest_equals(&is, &log), "%s", words);
}

static void expect_of_log(const struct buffer *log, size_t length, long at, int code,
                          const char *words)
{
    write_part(LOG_FILE, log->bytes, length);
    if (at >= 0) {
        FILE *file = fopen(LOG_FILE, "r+");

        cr_assert(file != NULL);
        cr_assert(zero(int, fseek(file, at, SEEK_SET)));
        cr_assert(ne(int, fputc(log->bytes[at] ^ 1, file), EOF));
        cr_assert(zero(int, fclose(file)));
    }
    expect_left_as_it_is(code, words);
}

/* Regression: SQLite passes over in silence what does not hold, and the check said "sound". */
Test(check, a_log_of_other_bytes_is_not_sound)
{
    CLEANUP(buffer_clear) struct buffer log = {.max = 1 << 24};
    char text[5000], zeros[5000] = {0};
    const long frame = 24 + 4096, last = 32 + frame;

    cr_assert(eq(int, serve_once(), STATUS_OK), "%s", err.text);
    change_and_leave_log(6);
    cr_assert(eq(int, env.disk->read(env.disk, LOG_FILE, &log, &err), STATUS_OK));
    cr_assert(lt(sz, (size_t)(10 * frame), log.length));
    expect_of_log(&log, log.length, -1, VERB_OK, "are read as part of the database");
    for (long at = 0; at < 32; at++)
        expect_of_log(&log, log.length, at, VERB_UNSOUND, "is no write-ahead log");
    expect_of_log(&log, log.length, last + 100, VERB_UNSOUND, "damaged in its midst");
    expect_of_log(&log, log.length, (long)log.length - 100, VERB_OK, "are passed over");
    expect_of_log(&log, log.length - 1000, -1, VERB_OK, "are read as part of the database");
    memset(text, 'x', sizeof text);
    write_part(LOG_FILE, text, sizeof text);
    expect_left_as_it_is(VERB_UNSOUND, "is no write-ahead log");
    write_part(LOG_FILE, zeros, sizeof zeros);
    expect_left_as_it_is(VERB_OK, "has no beginning");
}

/* Regression: pages of a later state were taken for this one's. */
Test(check, a_log_of_another_state_is_not_sound)
{
    CLEANUP(buffer_clear) struct buffer old = {.max = 1 << 24}, log = {.max = 1 << 24};

    cr_assert(eq(int, serve_once(), STATUS_OK), "%s", err.text);
    cr_assert(eq(int, env.disk->read(env.disk, DATABASE, &old, &err), STATUS_OK));
    for (int i = 0; i < 3; i++) {
        change_and_leave_log(1);
        change_database("UPDATE site SET name = substr(name, 1, 5)"); /* and no log is left */
    }
    change_and_leave_log(1);
    expect_left_as_it_is(VERB_OK, "are read as part of the database");
    write_part(DATABASE, old.bytes, old.length);
    expect_left_as_it_is(VERB_UNSOUND, "the log of another database");
}

/* Regression: not a word, though nothing could be done there. */
Test(check, a_project_without_freshness_is_said_to_be_so)
{
    cr_assert(eq(int, serve_once(), STATUS_OK), "%s", err.text);
    change_database(
        "INSERT INTO keyring (version, digest, root_change, expires_s, time_s, envelope)"
        " VALUES (1, zeroblob(32), 0, 9999999999, 1, x'00');"
        "UPDATE keyring SET digest = x'" ONES "'; UPDATE site SET project = x'" ONES "'");
    expect_said(VERB_OK, "has no freshness");
    change_database("INSERT INTO freshness (sequence, digest, keyring_version, expires_s, time_s,"
                    " envelope) VALUES (1, zeroblob(32), 1, 5, 1, x'00')");
    expect_said(VERB_OK, "freshness ran out");
}
