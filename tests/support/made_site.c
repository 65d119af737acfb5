#include "tests/support/made_site.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/disk.h"
#include "common/env/real.h"
#include "db/publish.h"
#include "db/store.h"
#include "server/site/folder.h"
#include "server/site/verbs.h"

void made_site_begin(char *folder, struct env *env, struct config *ret_config)
{
    struct error err = {0};

    cr_assert(mkdtemp(folder) != NULL);
    cr_assert(zero(int, chdir(folder)));
    cr_assert(eq(int,
                 config_parse("name = Test\nurl = https://127.0.0.1:8443\nlisten = 127.0.0.1:0\n"
                              "stop_time = 0\n",
                              ret_config, &err),
                 STATUS_OK));
    cr_assert(eq(int, site_make(env, "site", ret_config, &err), STATUS_OK));
}

void made_site_remember_a_file(const struct config *config)
{
    CLEANUP(store_closep) struct store *store = NULL;
    CLEANUP(txn_end) struct txn txn = {0};
    const struct file_record record = {.digest = digest_of("x", 1), .size_bytes = 1, .time_s = 1};
    struct error err = {0};
    bool is_new;

    cr_assert(eq(int, site_open_store("site", config, false, &store, &err), STATUS_OK));
    cr_assert(eq(int, txn_begin(&txn, store, &err), STATUS_OK));
    cr_assert(eq(int, store->publish->file_add(store, &record, &is_new, &err), STATUS_OK));
    cr_assert(eq(int, txn_commit(&txn, &err), STATUS_OK));
}

void made_site_lose(const char *part)
{
    cr_assert(eq(int, disk_real()->remove_tree(disk_real(), part, NULL), STATUS_OK));
}
