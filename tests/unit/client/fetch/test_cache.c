/* client/fetch: the cache, and files on their way into it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "client/fetch/download.h"
#include "common/env/real.h"
#include "tests/support/ending.h"
#include "tests/support/fake_env.h"

static char path[64];
static struct fake_env env;
static struct data_folder folder;
static struct cache cache;
static struct error err;
static const struct digest project = {.bytes = {1}}, other = {.bytes = {2}};

static void set_up(void)
{
    (void)strcpy(path, "/tmp/dugnad-cache-XXXXXX");
    cr_assert(mkdtemp(path) != NULL);
    fake_env_init(&env, 1);
    cr_assert(eq(int, data_folder_open(&env.base, path, &folder, &err), STATUS_OK));
    cr_assert(eq(int, cache_open(&cache, &folder, 100, &err), STATUS_OK));
}

static void tear_down(void)
{
    struct disk *disk = disk_real();

    cache_close(&cache);
    data_folder_close(&folder);
    END_MUST(disk->remove_tree(disk, path, NULL) == STATUS_OK);
}

TestSuite(cache, .init = set_up, .fini = tear_down);

/* Open it, and hash what lies there. */
static enum status open_for(const struct digest *who, struct download *download,
                            const struct digest *file, int64_t size)
{
    const struct download_of of = {.project = *who, .file = *file, .size = size};
    int64_t bytes = 1000;

    TRY(download_open(download, &cache, &of, &err));
    return download_take_up(download, &bytes, &err);
}

static enum status give(struct download *download, const char *bytes)
{
    return download->sink.write(download->sink.context, bytes, strlen(bytes), &err);
}

static enum status begin(struct download *download, int status, int64_t first)
{
    const struct http_response head = {.status = status, .range_first = first};

    return download->sink.begin(download->sink.context, &head, &err);
}

static struct digest put(const char *bytes)
{
    struct digest digest = digest_of(bytes, strlen(bytes));
    struct download download;

    cr_assert(eq(int, open_for(&project, &download, &digest, (int64_t)strlen(bytes)), STATUS_OK));
    cr_assert(eq(int, begin(&download, 200, HTTP_ABSENT), STATUS_OK));
    cr_assert(eq(int, give(&download, bytes), STATUS_OK));
    cr_assert(eq(int, download_finish(&download, &err), STATUS_OK));
    return digest;
}

Test(cache, a_file_is_there_after_a_restart)
{
    struct digest digest = put("ten bytes!");

    cr_expect(cache_has(&cache, &digest));
    cache_close(&cache);
    cr_assert(eq(int, cache_open(&cache, &folder, 100, &err), STATUS_OK));
    cr_expect(cache_has(&cache, &digest));
    cr_expect(eq(i64, cache.used_bytes, 10));
}

Test(cache, what_was_not_used_for_longest_goes_first_and_never_what_is_in_use)
{
    char bytes[41];
    struct digest first, second, third;

    memset(bytes, 'a', 40);
    bytes[40] = '\0';
    first = put(bytes);
    bytes[0] = 'b';
    second = put(bytes);
    cache_pin(&cache, &first, 0);
    bytes[0] = 'c';
    third = put(bytes);
    cr_expect(cache_has(&cache, &first));
    cr_expect(not(cache_has(&cache, &second)));
    cr_expect(cache_has(&cache, &third));
    cache_pin(&cache, &third, 0);
    cr_expect(eq(int, cache_make_room(&cache, 40, &err), STATUS_FULL));
    cr_expect(eq(int, cache_make_room(&cache, 101, &err), STATUS_TOO_LARGE));
    cache_unpin(&cache, &first);
    cache_touch(&cache, &first);
    cr_expect(eq(int, cache_make_room(&cache, 40, &err), STATUS_OK));
    cr_expect(not(cache_has(&cache, &first)));
    cache_unpin(&cache, &third);
}

Test(cache, strange_files_are_removed_when_it_is_opened)
{
    struct disk *disk = disk_real();
    struct disk_path strange;

    cr_assert(eq(int, data_folder_join(&folder, &strange, &err, "cache/notes.txt"), STATUS_OK));
    cr_assert(eq(int, disk->write(disk, strange.text, "x", 1, 0600, &err), STATUS_OK));
    cache_close(&cache);
    cr_assert(eq(int, cache_open(&cache, &folder, 100, &err), STATUS_OK));
    cr_expect(not(disk_has(disk, strange.text)));
}

Test(cache, a_download_that_was_cut_goes_on_where_it_was)
{
    struct digest digest = digest_of("0123456789", 10);
    struct download download;

    cr_assert(eq(int, open_for(&project, &download, &digest, 10), STATUS_OK));
    cr_assert(eq(int, give(&download, "01234"), STATUS_OK));
    download_close(&download);
    cr_assert(eq(int, open_for(&project, &download, &digest, 10), STATUS_OK));
    cr_expect(eq(i64, download.got, 5));
    cr_expect(eq(int, begin(&download, 206, 4), STATUS_INVALID), "another part");
    cr_assert(eq(int, begin(&download, 206, 5), STATUS_OK));
    cr_assert(eq(int, give(&download, "56789"), STATUS_OK));
    cr_expect(eq(int, download_finish(&download, &err), STATUS_OK));
    cr_expect(cache_has(&cache, &digest));
}

Test(cache, a_server_that_ignores_the_range_is_taken_from_the_start)
{
    struct digest digest = digest_of("0123456789", 10);
    struct download download;

    cr_assert(eq(int, open_for(&project, &download, &digest, 10), STATUS_OK));
    cr_assert(eq(int, give(&download, "99999"), STATUS_OK));
    download_close(&download);
    cr_assert(eq(int, open_for(&project, &download, &digest, 10), STATUS_OK));
    cr_assert(eq(int, begin(&download, 200, HTTP_ABSENT), STATUS_OK));
    cr_expect(eq(i64, download.got, 0));
    cr_assert(eq(int, give(&download, "0123456789"), STATUS_OK));
    cr_expect(eq(int, download_finish(&download, &err), STATUS_OK));
}

Test(cache, other_bytes_never_enter_and_are_not_kept)
{
    struct digest digest = digest_of("0123456789", 10);
    struct download download;

    cr_assert(eq(int, open_for(&project, &download, &digest, 10), STATUS_OK));
    cr_assert(eq(int, give(&download, "012345678X"), STATUS_OK));
    cr_expect(eq(int, download_finish(&download, &err), STATUS_UNTRUSTED));
    cr_expect(not(cache_has(&cache, &digest)));
    cr_assert(eq(int, open_for(&project, &download, &digest, 10), STATUS_OK));
    cr_expect(eq(i64, download.got, 0));
    cr_expect(eq(int, give(&download, "0123456789A"), STATUS_TOO_LARGE));
    download_close(&download);
}

/* --- parts count --- */

static struct digest leave_part_of(const char *bytes, const char *first)
{
    struct digest digest = digest_of(bytes, strlen(bytes));
    struct download download;

    cr_assert(eq(int, open_for(&project, &download, &digest, (int64_t)strlen(bytes)), STATUS_OK));
    cr_assert(eq(int, begin(&download, 200, HTTP_ABSENT), STATUS_OK));
    cr_assert(eq(int, give(&download, first), STATUS_OK));
    download_close(&download);
    return digest;
}

static bool has_part(const struct digest *digest)
{
    struct digest part = cache_part(&project, digest);
    struct disk_path path_of_part;

    cr_assert(eq(int, cache_path(&cache, &part, true, &path_of_part, &err), STATUS_OK));
    return disk_has(disk_real(), path_of_part.text);
}

/* Forty tasks whose downloads broke off filled the volunteer's disk beyond the cap. */
Test(cache, parts_that_nobody_needs_make_room_also_after_a_restart)
{
    struct digest old =
        leave_part_of("a file of forty bytes, of which some came", "a file of forty");

    cr_expect(eq(i64, cache.used_bytes, 15));
    cache_close(&cache);
    cr_assert(eq(int, cache_open(&cache, &folder, 100, &err), STATUS_OK));
    cr_expect(eq(i64, cache.used_bytes, 15));
    cr_expect(eq(int, cache_make_room(&cache, 85, &err), STATUS_OK));
    cr_expect(has_part(&old));
    cr_expect(eq(int, cache_make_room(&cache, 86, &err), STATUS_OK));
    cr_expect(not(has_part(&old)));
    cr_expect(eq(i64, cache.used_bytes, 0));
    cr_expect(eq(sz, cache.count, 0));
}

Test(cache, a_part_that_a_task_needs_stays_and_its_room_is_taken)
{
    struct digest needed = digest_of("needed", 6);
    struct digest part = cache_part(&project, &needed);
    struct download download;

    cache_pin(&cache, &part, 0);
    cr_assert(eq(int, open_for(&project, &download, &needed, 60), STATUS_OK));
    cr_expect(eq(int, cache_make_room(&cache, 41, &err), STATUS_FULL), "all 60 bytes are taken");
    cr_expect(eq(int, cache_make_room(&cache, 40, &err), STATUS_OK));
    cr_assert(eq(int, begin(&download, 200, HTTP_ABSENT), STATUS_OK));
    cr_assert(eq(int, give(&download, "need"), STATUS_OK));
    download_close(&download);
    cr_expect(eq(i64, cache.used_bytes, 4));
    cache_drop_part(&cache, &part);
    cr_expect(has_part(&needed));
    cache_unpin(&cache, &part);
    cache_drop_part(&cache, &part);
    cr_expect(not(has_part(&needed)));
    cr_expect(eq(i64, cache.used_bytes, 0));
    cr_expect(eq(sz, cache.count, 0));
}

/* Else its 15 bytes on the disk would be counted as 60, for good. */
Test(cache, a_part_for_which_there_is_no_room_counts_as_before)
{
    char bytes[91];
    struct digest full;
    struct digest old = leave_part_of(
        "a file of sixty bytes, of which fifteen came, and no more yet", "a file of sixty");
    struct digest part = cache_part(&project, &old);
    struct download download;

    memset(bytes, 'a', 80);
    bytes[80] = '\0';
    full = put(bytes);
    cache_pin(&cache, &full, 0);
    cr_expect(eq(int, open_for(&project, &download, &old, 61), STATUS_FULL));
    cr_expect(eq(i64, cache.used_bytes, 95));
    cr_expect(eq(i64, cache_part_bytes(&cache, &part), 15));
    cache_unpin(&cache, &full);
}

Test(cache, an_empty_part_is_removed_when_it_is_opened)
{
    struct digest digest = digest_of("0123456789", 10);
    struct digest part = cache_part(&project, &digest);
    struct disk_path empty;

    cr_assert(eq(int, cache_path(&cache, &part, true, &empty, &err), STATUS_OK));
    cr_assert(eq(int, disk_real()->write(disk_real(), empty.text, "", 0, 0600, &err), STATUS_OK));
    cache_close(&cache);
    cr_assert(eq(int, cache_open(&cache, &folder, 100, &err), STATUS_OK));
    cr_expect(not(has_part(&digest)));
    cr_expect(eq(sz, cache.count, 0));
}

Test(cache, a_part_that_became_whole_counts_once)
{
    struct digest digest = put("0123456789");

    cr_expect(eq(i64, cache.used_bytes, 10));
    cr_expect(cache_has(&cache, &digest));
    cr_expect(not(has_part(&digest)));
}

/* --- two projects that need one file --- */

static bool cached_is(const struct digest *digest, const char *bytes)
{
    CLEANUP(buffer_clear) struct buffer content = {.max = 100};
    struct disk_path whole;

    cr_assert(eq(int, cache_path(&cache, digest, false, &whole, &err), STATUS_OK));
    cr_assert(eq(int, disk_real()->read(disk_real(), whole.text, &content, &err), STATUS_OK));
    return strcmp(buffer_text(&content), bytes) == 0;
}

/* They shared one .part: what the one server sent went into the file that the other had sent. */
Test(cache, a_project_cannot_spoil_what_another_one_fetches)
{
    struct digest digest = digest_of("0123456789", 10);
    struct download honest, evil;

    cr_assert(eq(int, open_for(&project, &honest, &digest, 10), STATUS_OK));
    cr_assert(eq(int, begin(&honest, 200, HTTP_ABSENT), STATUS_OK));
    cr_assert(eq(int, give(&honest, "01234"), STATUS_OK));
    cr_assert(eq(int, open_for(&other, &evil, &digest, 10), STATUS_OK));
    cr_assert(eq(int, begin(&evil, 200, HTTP_ABSENT), STATUS_OK));
    cr_assert(eq(int, give(&evil, "YYYYYYY"), STATUS_OK));
    cr_assert(eq(int, give(&honest, "56789"), STATUS_OK));
    cr_expect(eq(int, download_finish(&honest, &err), STATUS_OK));
    cr_expect(cached_is(&digest, "0123456789"), "while the other is fetching");
    cr_assert(eq(int, give(&evil, "YYY"), STATUS_OK));
    cr_expect(eq(int, download_finish(&evil, &err), STATUS_UNTRUSTED));
    cr_expect(cached_is(&digest, "0123456789"));
    cr_expect(eq(i64, cache.used_bytes, 10));
}

Test(cache, a_project_does_not_go_on_with_what_another_one_left)
{
    struct digest digest = digest_of("0123456789", 10);
    struct download download;

    cr_assert(eq(int, open_for(&project, &download, &digest, 10), STATUS_OK));
    cr_assert(eq(int, give(&download, "YYYYY"), STATUS_OK));
    download_close(&download);
    cr_assert(eq(int, open_for(&other, &download, &digest, 10), STATUS_OK));
    cr_expect(eq(i64, download.got, 0));
    download_close(&download);
}

Test(cache, its_room_is_all_but_what_is_in_use)
{
    struct digest digest = put("ten bytes!");

    cr_expect(eq(i64, cache_room(&cache), 100), "it may go");
    cache_pin(&cache, &digest, 10);
    cr_expect(eq(i64, cache_room(&cache), 90));
    cr_expect(eq(int, cache_make_room(&cache, 91, &err), STATUS_FULL));
    cr_expect(eq(int, cache_make_room(&cache, 90, &err), STATUS_OK));
    cr_expect(cache_has(&cache, &digest));
    cache_unpin(&cache, &digest);
    cr_expect(eq(i64, cache_room(&cache), 100));
}
