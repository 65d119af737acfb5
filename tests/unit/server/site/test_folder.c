/* server/site/folder: a site is whole, or it says what is wrong with it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/env/real.h"
#include "db/store.h"
#include "server/site/certificate.h"
#include "server/site/folder.h"
#include "tests/support/ending.h"
#include "tests/support/failing_disk.h"

static char folder[] = "/tmp/dugnad-site-XXXXXX";
static struct env env;
static int64_t time_s;
static struct config config;
static struct error err;

static int64_t now_s(struct env *of)
{
    (void)of;
    return time_s;
}

static void set_up(void)
{
    cr_assert(mkdtemp(folder) != NULL);
    cr_assert(zero(int, chdir(folder)));
    env = *env_real();
    time_s = env.now_s(&env);
    env.now_s = now_s;
    cr_assert(eq(int, config_parse("name = Test\nurl = https://127.0.0.1:8443\n", &config, &err),
                 STATUS_OK));
}

static void tear_down(void)
{
    END_MUST(disk_real()->remove_tree(disk_real(), folder, NULL) == STATUS_OK);
}

TestSuite(site, .init = set_up, .fini = tear_down);

static void expect_words(enum status status, enum status expected, const char *words)
{
    cr_expect(eq(int, status, expected), "%s", err.text);
    cr_expect(strstr(err.text, words) != NULL, "%s", err.text);
}

Test(site, a_new_one_is_whole_and_closed_to_others)
{
    struct config back;
    struct site_secret secret;
    struct stat facts;

    cr_assert(eq(int, site_make(&env, "site", &config, &err), STATUS_OK), "%s", err.text);
    cr_assert(eq(int, site_load_config(env.disk, "site", &back, &err), STATUS_OK), "%s", err.text);
    cr_expect(eq(str, back.name.text, "Test"));
    cr_expect(eq(int, site_load_secret(env.disk, "site", &secret, &err), STATUS_OK));
    cr_expect(eq(int, site_check_certificate(&env, "site", &config, &err), STATUS_OK), "%s",
              err.text);
    cr_assert(zero(int, stat("site", &facts)));
    cr_expect(eq(int, (int)(facts.st_mode & 0777), 0700));
    cr_assert(zero(int, stat("site/secret", &facts)));
    cr_expect(eq(int, (int)(facts.st_mode & 0777), 0600));
    cr_assert(zero(int, stat("site/tls/ca.key", &facts)));
    cr_expect(eq(int, (int)(facts.st_mode & 0777), 0600));
    cr_assert(zero(int, stat("site/tls/server.pem", &facts)));
    cr_expect(eq(int, (int)(facts.st_mode & 0777), 0600));
    cr_expect(not(disk_has(env.disk, "site.new")));
}

Test(site, an_existing_folder_is_never_made_into_a_site)
{
    cr_assert(zero(int, mkdir("site", 0700)));
    expect_words(site_make(&env, "site", &config, &err), STATUS_CONFLICT, "exists already");
}

Test(site, a_half_written_one_is_refused_and_said_what_to_do)
{
    struct config back;

    cr_assert(zero(int, mkdir("site.new", 0700)));
    expect_words(site_load_config(env.disk, "site", &back, &err), STATUS_INVALID, "cut short");
    expect_words(site_make(&env, "site", &config, &err), STATUS_CONFLICT, "cut short");
    cr_assert(zero(int, rmdir("site.new")));
    expect_words(site_load_config(env.disk, "site", &back, &err), STATUS_NOT_FOUND, "no site");
    cr_assert(eq(int, site_make(&env, "site", &config, &err), STATUS_OK));
    cr_assert(zero(int, unlink("site/secret")));
    expect_words(site_load_config(env.disk, "site", &back, &err), STATUS_INVALID,
                 "secret is missing");
}

/* Whatever fails on the way, there is a whole site or none of that name. */
Test(site, init_that_fails_at_any_step_leaves_no_site)
{
    static struct failing_disk disk;
    bool had_failed = true;
    int steps;

    failing_disk_init(&disk, disk_real());
    for (steps = 0; had_failed && steps < 100; steps++) {
        struct config back;
        enum status status;

        env.disk = &disk.base;
        failing_disk_arm(&disk, FAILING_POWER, steps);
        status = site_make(&env, "site", &config, &err);
        had_failed = failing_disk_repair(&disk);
        env.disk = disk_real();
        if (disk_has(env.disk, "site"))
            cr_expect(eq(int, site_load_config(env.disk, "site", &back, &err), STATUS_OK), "%s",
                      err.text);
        else
            cr_expect(ne(int, status, STATUS_OK));
        cr_assert(eq(int, env.disk->remove_tree(env.disk, "site", NULL), STATUS_OK));
        cr_assert(eq(int, env.disk->remove_tree(env.disk, "site.new", NULL), STATUS_OK));
    }
    cr_expect(lt(int, 8, steps));
    cr_expect(not(had_failed));
}

Test(site, its_own_certificate_is_renewed_in_the_last_third_of_its_life)
{
    bool is_new = true;

    cr_assert(eq(int, site_make(&env, "site", &config, &err), STATUS_OK));
    cr_assert(eq(int, site_renew_certificate(&env, "site", &config, &is_new, &err), STATUS_OK));
    cr_expect(not(is_new));
    time_s += INT64_C(86400) * 264;
    cr_assert(eq(int, site_renew_certificate(&env, "site", &config, &is_new, &err), STATUS_OK));
    cr_expect(not(is_new));
    time_s += INT64_C(86400) * 2;
    cr_assert(eq(int, site_renew_certificate(&env, "site", &config, &is_new, &err), STATUS_OK));
    cr_expect(is_new);
    cr_expect(eq(int, site_check_certificate(&env, "site", &config, &err), STATUS_OK));
}

Test(site, a_certificate_that_is_missing_expired_early_or_of_another_host_is_refused)
{
    struct config other;
    int64_t made_s;

    cr_assert(eq(int, site_make(&env, "site", &config, &err), STATUS_OK));
    time_s += INT64_C(86400) * 398;
    expect_words(site_check_certificate(&env, "site", &config, &err), STATUS_INVALID, "expired");
    time_s -= INT64_C(86400) * 398;
    made_s = time_s;
    time_s = 1704067199; /* 2023: no clock of ours was ever right then */
    expect_words(site_check_certificate(&env, "site", &config, &err), STATUS_INVALID,
                 "not valid yet");
    time_s = made_s;
    cr_assert(eq(int, config_parse("url = https://grid.example\n", &other, &err), STATUS_OK));
    expect_words(site_check_certificate(&env, "site", &other, &err), STATUS_INVALID,
                 "is not for grid.example");
    cr_assert(zero(int, unlink("site/tls/server.pem")));
    expect_words(site_check_certificate(&env, "site", &config, &err), STATUS_INVALID,
                 "no certificate");
}

static void expect_no_site(const char *words)
{
    expect_words(site_make(&env, "mine", &config, &err), STATUS_INVALID, words);
    cr_expect(not(disk_has(env.disk, "mine")));
    cr_expect(not(disk_has(env.disk, "mine.new")));
}

/* It is held to what a run of the site will ask, and to its key. */
Test(site, init_refuses_a_certificate_that_no_run_would_take)
{
    struct config given = config;

    cr_assert(eq(int, site_make(&env, "theirs", &config, &err), STATUS_OK));
    (void)snprintf(given.certificate.text, sizeof given.certificate.text,
                   "%s/theirs/tls/server.pem", folder);
    (void)snprintf(given.certificate_key.text, sizeof given.certificate_key.text,
                   "%s/theirs/tls/ca.key", folder);
    config = given;
    expect_no_site("ca.key is not the certificate's");
    config.certificate_key = given.certificate;
    time_s += INT64_C(86400) * 398;
    expect_no_site("has expired");
    time_s -= INT64_C(86400) * 398;
    (void)snprintf(config.url.text, sizeof config.url.text, "https://grid.example");
    expect_no_site("is not for grid.example");
    (void)snprintf(config.url.text, sizeof config.url.text, "https://127.0.0.1:8443");
    cr_expect(eq(int, site_make(&env, "mine", &config, &err), STATUS_OK), "%s", err.text);
}

/* Else a server whose clock ran ahead for a minute would lock every right clock out. */
Test(site, a_certificate_made_with_a_clock_that_runs_ahead_is_good_by_a_right_one)
{
    time_s += INT64_C(86400) * 365;
    cr_assert(eq(int, site_make(&env, "site", &config, &err), STATUS_OK));
    time_s -= INT64_C(86400) * 365;
    cr_expect(eq(int, site_check_certificate(&env, "site", &config, &err), STATUS_OK), "%s",
              err.text);
}

Test(site, a_database_of_a_newer_version_is_refused)
{
    CLEANUP(store_closep) struct store *store = NULL;
    sqlite3 *db = NULL;

    cr_assert(eq(int, site_make(&env, "site", &config, &err), STATUS_OK));
    cr_assert(zero(int, sqlite3_open("site/dugnad.db", &db)));
    cr_assert(zero(
        int, sqlite3_exec(db, "INSERT INTO migration VALUES (9999, 'later')", NULL, NULL, NULL)));
    (void)sqlite3_close(db);
    cr_expect(eq(int, store_open_sqlite("site/dugnad.db", &store, &err), STATUS_CONFLICT), "%s",
              err.text);
}

Test(site, its_own_database_is_for_one_server)
{
    struct store *store = NULL;

    cr_assert(eq(int, site_make(&env, "site", &config, &err), STATUS_OK), "%s", err.text);
    config.server = 2;
    expect_words(site_open_store("site", &config, true, &store, &err), STATUS_INVALID,
                 "several servers need PostgreSQL");
}

Test(site, hosts_are_taken_from_urls)
{
    static const struct {
        const char *url;
        const char *host; /* NULL: refused */
    } cases[] = {
        {"https://grid.example", "grid.example"},
        {"https://grid.example:8443", "grid.example"},
        {"https://192.0.2.1:1", "192.0.2.1"},
        {"https://[2001:db8::1]:1", "2001:db8::1"},
        {"http://grid.example", NULL},
        {"https://", NULL},
        {"https://a,DNS:b", NULL},
        {"https://a b", NULL},
        {"https://grid.example:", NULL},
        {"https://grid.example:0", NULL},
        {"https://127.0.0.1:99999", NULL},
        {"https://[2001:db8::1]x", NULL},
        {"https://[2001:db8::1", NULL}, /* regression: taken, and no client could connect */
        {"https://[grid.example]", NULL},
        {"https://2001:db8::1", NULL},
        {"https://a..b", NULL},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct certificate_host host;
        enum status status = certificate_host_of(cases[i].url, &host, &err);

        cr_expect(eq(int, status, cases[i].host != NULL ? STATUS_OK : STATUS_INVALID), "%s",
                  cases[i].url);
        if (status == STATUS_OK)
            cr_expect(eq(str, host.text, (char *)cases[i].host));
    }
}
