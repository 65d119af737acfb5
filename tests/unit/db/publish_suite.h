/*
 * What the tests of the suite publish share: a small site, and a transaction that is open when a
 * test begins and rolled back after it. One test program includes this once.
 */
#ifndef TESTS_UNIT_DB_PUBLISH_SUITE_H
#define TESTS_UNIT_DB_PUBLISH_SUITE_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/support/site_work.h"

static struct test_site site;
static struct store *store;
static const struct publish_ops *publish;
static struct txn txn;
static struct error err;
static bool is_new; /* of what was added last */

static void set_up(void)
{
    site_open(&site, NULL);
    store = site.store;
    publish = store->publish;
    is_new = false;
    cr_assert(eq(int, (int)txn_begin(&txn, store, &err), STATUS_OK));
}

static void tear_down(void)
{
    txn_end(&txn);
    site_close(&site);
}

TestSuite(publish, .init = set_up, .fini = tear_down);

#define MUST(call)            cr_assert(eq(int, (int)(call), STATUS_OK), "%s (%s)", err.text, err.detail)
#define FAILS(call, expected) cr_expect(eq(int, (int)(call), STATUS_##expected), "%s", err.text)

static inline struct span span_of(const char *text)
{
    return (struct span){.bytes = text, .length = strlen(text)};
}

static inline enum status unreferenced(int64_t before_s, struct digest *ret_files,
                                       size_t *ret_count)
{
    static const struct digest none;
    const struct file_graces graces = {.files_before_s = before_s, .outputs_before_s = before_s};
    struct digest last;
    enum status status =
        publish->files_unreferenced(store, &none, &graces, ret_files, 8, ret_count, &last, &err);

    cr_expect(digest_is_none(&last), "that are all");
    return status;
}

static inline void set_batch_state(enum batch_state state, bool is_closed)
{
    CLEANUP(work_set_clear) struct work_set set = {0};
    const struct work_request request = {.batches = &site.batch, .batch_count = 1};

    MUST(store->work->load(store, &request, &set, &err));
    set.batches[0].state = state;
    set.batches[0].is_closed = is_closed;
    set.batches[0].is_changed = true;
    MUST(store->work->save(store, &set, &err));
}

#endif
