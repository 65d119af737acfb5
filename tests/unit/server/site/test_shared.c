/* server/site: a site in a database that several servers share. Runs under with-postgres. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/env/real.h"
#include "db/publish.h"
#include "db/store.h"
#include "server/site/folder.h"
#include "tests/support/database.h"

static char folder[] = "/tmp/dugnad-shared-XXXXXX";
static struct env *env;
static struct config config;
static struct error err;

static void set_up(void)
{
    char database[DATABASE_NAME_MAX], text[DATABASE_NAME_MAX + 100];

    if (!database_is_postgres())
        cr_skip_test("needs a PostgreSQL: see tests/support/with-postgres");
    env = env_real();
    cr_assert(mkdtemp(folder) != NULL);
    cr_assert(zero(int, chdir(folder)));
    database_name(database);
    (void)snprintf(text, sizeof text,
                   "name = Shared\nurl = https://127.0.0.1:8443\ndatabase = %s\n", database);
    cr_assert(eq(int, config_parse(text, &config, &err), STATUS_OK), "%s", err.text);
}

static void tear_down(void)
{
    cr_expect(eq(int, env->disk->remove_tree(env->disk, folder, NULL), STATUS_OK));
}

TestSuite(shared, .init = set_up, .fini = tear_down);

Test(shared, a_site_is_made_in_the_database_and_once)
{
    struct config back;
    struct store *store = NULL;
    struct site site;

    cr_assert(eq(int, site_make(env, "one", &config, &err), STATUS_OK), "%s", err.text);
    cr_assert(eq(int, site_load_config(env->disk, "one", &back, &err), STATUS_OK), "%s", err.text);
    cr_expect(eq(str, back.database.text, config.database.text));
    cr_expect(not(disk_has(env->disk, "one/dugnad.db")));
    cr_assert(eq(int, site_open_store("one", &back, false, &store, &err), STATUS_OK));
    cr_assert(eq(int, store->publish->site_load(store, &site, &err), STATUS_OK));
    cr_expect(eq(str, site.name, "Shared"));
    store_close(store);

    cr_expect(eq(int, site_make(env, "two", &config, &err), STATUS_CONFLICT));
    cr_expect(strstr(err.text, "the site \"Shared\" already") != NULL, "%s", err.text);
    cr_expect(not(disk_has(env->disk, "two")));
    cr_expect(not(disk_has(env->disk, "two.new")));
}

Test(shared, servers_have_numbers_of_their_own)
{
    struct store *first = NULL, *second = NULL;

    cr_assert(eq(int, site_make(env, "one", &config, &err), STATUS_OK), "%s", err.text);
    cr_assert(eq(int, site_open_store("one", &config, true, &first, &err), STATUS_OK));
    cr_expect(eq(int, site_open_store("one", &config, true, &second, &err), STATUS_BUSY));
    config.server = 2;
    cr_expect(eq(int, site_open_store("one", &config, true, &second, &err), STATUS_OK), "%s",
              err.text);
    store_close(first);
    store_close(second);
}
