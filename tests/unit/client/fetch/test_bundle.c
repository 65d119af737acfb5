/* client/fetch: a bundle's frames on their way into the cache. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "client/fetch/bundle.h"
#include "common/env/real.h"
#include "tests/support/ending.h"
#include "tests/support/failing_disk.h"
#include "tests/support/fake_env.h"

static char path[64];
static struct fake_env env;
static struct failing_disk disk;
static struct data_folder folder;
static struct cache cache;
static struct bundle bundle;
static struct error err;
static const struct digest project = {.bytes = {1}};

static void set_up(void)
{
    (void)strcpy(path, "/tmp/dugnad-bundle-XXXXXX");
    cr_assert(mkdtemp(path) != NULL);
    fake_env_init(&env, 1);
    failing_disk_init(&disk, disk_real());
    env.base.disk = &disk.base;
    cr_assert(eq(int, data_folder_open(&env.base, path, &folder, &err), STATUS_OK));
    cr_assert(eq(int, cache_open(&cache, &folder, 100, &err), STATUS_OK));
    bundle_open(&bundle, &cache, &project);
}

static void tear_down(void)
{
    bundle_close(&bundle);
    END_MUST(cache.count == 0 || cache.used_bytes >= 0);
    cache_close(&cache);
    data_folder_close(&folder);
    END_MUST(disk_real()->remove_tree(disk_real(), path, NULL) == STATUS_OK);
}

TestSuite(bundle, .init = set_up, .fini = tear_down);

static struct digest named(const char *bytes)
{
    return digest_of(bytes, strlen(bytes));
}

static enum status add(const char *bytes)
{
    struct digest digest = named(bytes);

    return bundle_add(&bundle, &digest, (int64_t)strlen(bytes), &err);
}

static void add_all(const char *a, const char *b, const char *c)
{
    cr_assert(eq(int, add(a), STATUS_OK));
    cr_assert(eq(int, add(b), STATUS_OK));
    cr_assert(eq(int, add(c), STATUS_OK));
}

static enum status give(const void *bytes, size_t count)
{
    return bundle.sink.write(bundle.sink.context, bytes, count, &err);
}

/* A frame that says to be of `name`, in pieces of one byte. */
static enum status give_frame(const char *name, const char *bytes)
{
    struct files_bundle_head head = {.digest = named(name), .size = (int64_t)strlen(bytes)};
    uint8_t text[FILES_BUNDLE_HEAD_BYTES];

    files_bundle_head_encode(&head, text);
    for (size_t i = 0; i < sizeof text; i++)
        TRY(give(&text[i], 1));
    for (size_t i = 0; bytes[i] != '\0'; i++)
        TRY(give(&bytes[i], 1));
    return STATUS_OK;
}

static bool is_here(const char *bytes)
{
    struct digest digest = named(bytes);

    return cache_has(&cache, &digest);
}

Test(bundle, files_come_in_pieces_and_one_may_be_empty)
{
    add_all("one", "", "three");
    cr_expect(eq(i64, cache.used_bytes, 8), "room is taken before anything came");
    cr_expect(eq(int, give_frame("one", "one"), STATUS_OK));
    cr_expect(is_here("one"), "at once");
    cr_expect(eq(int, give_frame("", ""), STATUS_OK));
    cr_expect(eq(int, give_frame("three", "three"), STATUS_OK));
    cr_expect(is_here("") && is_here("three"));
    cr_expect(eq(sz, bundle.came, 3));
    cr_expect(eq(i64, cache.used_bytes, 8));
}

Test(bundle, what_is_left_out_gives_its_room_back)
{
    add_all("one", "two", "three");
    cr_expect(eq(int, give_frame("one", "one"), STATUS_OK));
    cr_expect(eq(int, give_frame("three", "three"), STATUS_OK));
    cr_expect(eq(sz, bundle.came, 2));
    bundle_close(&bundle);
    cr_expect(eq(i64, cache.used_bytes, 8));
    cr_expect(not(is_here("two")));
}

Test(bundle, a_file_that_was_not_asked_for_ends_it)
{
    add_all("one", "two", "three");
    cr_expect(eq(int, give_frame("four", "four"), STATUS_UNTRUSTED));
    cr_expect(not(is_here("four")));
}

Test(bundle, a_file_whose_turn_is_over_ends_it)
{
    add_all("one", "two", "three");
    cr_expect(eq(int, give_frame("two", "two"), STATUS_OK));
    cr_expect(eq(int, give_frame("one", "one"), STATUS_UNTRUSTED));
    cr_expect(is_here("two"), "what came stays");
}

Test(bundle, other_bytes_or_another_size_than_was_signed_end_it)
{
    add_all("one", "two", "three");
    cr_expect(eq(int, give_frame("one", "0ne"), STATUS_UNTRUSTED));
    cr_expect(not(is_here("one")));
    cr_expect(not(is_here("0ne")));
    bundle_close(&bundle);
    bundle_open(&bundle, &cache, &project);
    add_all("one", "two", "three");
    cr_expect(eq(int, give_frame("one", "one and more"), STATUS_UNTRUSTED));
    cr_expect(eq(sz, bundle.came, 0));
    cr_expect(eq(sz, bundle.frame.length, FILES_BUNDLE_HEAD_BYTES), "nothing of it is held");
}

Test(bundle, it_has_limits_and_so_has_the_cache)
{
    struct digest digest = named("large");

    cr_expect(
        eq(int, bundle_add(&bundle, &digest, FILES_BUNDLE_FILE_MAX + 1, &err), STATUS_TOO_LARGE));
    cr_expect(eq(int, bundle_add(&bundle, &digest, 60, &err), STATUS_OK));
    cr_expect(ne(int, bundle_add(&bundle, &digest, 41, &err), STATUS_OK), "100 are the cap");
    cr_expect(eq(i64, cache.used_bytes, 60));
    for (size_t i = bundle.count; i < FILES_BUNDLE_FILES_MAX; i++)
        cr_assert(eq(int, bundle_add(&bundle, &digest, 0, &err), STATUS_OK));
    cr_expect(eq(int, bundle_add(&bundle, &digest, 0, &err), STATUS_TOO_LARGE));
}

/* What a bundle has taken is not given to others, nor taken for a file that may go. */
Test(bundle, its_room_is_nobody_elses)
{
    struct digest digest = named("large");

    cr_assert(eq(int, bundle_add(&bundle, &digest, 60, &err), STATUS_OK));
    cr_expect(eq(int, cache_make_room(&cache, 41, &err), STATUS_FULL));
    cache_give_back(&cache, 100);
    cr_expect(eq(i64, cache.used_bytes, 60));
}

/* All that this disk was left with by a failure goes, and does not come back as part of a file. */
Test(bundle, a_full_disk_leaves_no_piece_behind)
{
    add_all("one", "two", "three");
    failing_disk_arm(&disk, FAILING_ROOM, 1);
    cr_expect(eq(int, give_frame("one", "one"), STATUS_FULL));
    cr_expect(not(is_here("one")));
    (void)failing_disk_repair(&disk);
    bundle_close(&bundle);
    cr_expect(eq(i64, cache.used_bytes, 0));
    cache_close(&cache);
    cr_assert(eq(int, cache_open(&cache, &folder, 100, &err), STATUS_OK));
    cr_expect(not(is_here("one")));
}
