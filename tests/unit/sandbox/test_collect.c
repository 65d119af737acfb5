/* sandbox/collect: only what is plainly an output leaves the slot. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/disk.h"
#include "common/env/real.h"
#include "sandbox/collect.h"
#include "tests/support/ending.h"

static char root[] = "/tmp/dugnad-collect-XXXXXX";
static char slot[64];
static struct disk *disk;
static struct collected got;

static void set_up(void)
{
    disk = disk_real();
    cr_assert(mkdtemp(root) != NULL);
    cr_assert(zero(int, chdir(root)));
    (void)snprintf(slot, sizeof slot, "%s/slot", root);
    cr_assert(zero(int, mkdir("slot", 0700)));
    cr_assert(zero(int, mkdir("spool", 0700)));
}

static void tear_down(void)
{
    END_MUST(disk->remove_tree(disk, root, NULL) == STATUS_OK);
}

TestSuite(collect, .init = set_up, .fini = tear_down, .timeout = 60);

static void put(const char *path, const char *text)
{
    cr_assert(eq(int, disk->write(disk, path, text, strlen(text), 0600, NULL), STATUS_OK));
}

/* In how many pieces, of `piece` bytes each. */
static enum status collect_in_pieces(const struct collect_request *request, int64_t piece,
                                     int *ret_pieces)
{
    struct collection *work = NULL;

    *ret_pieces = 0;
    do {
        int64_t bytes = piece;

        TRY(collect_some(request, &work, &bytes, &got, NULL));
        ++*ret_pieces;
    } while (work != NULL);
    return STATUS_OK;
}

static enum status collect_all(const struct collect_request *request)
{
    int pieces;

    return collect_in_pieces(request, INT64_MAX, &pieces);
}

static enum status collect(const char *name, int64_t max_bytes)
{
    const struct collect_request request = {
        .slot = slot, .name = name, .max_bytes = max_bytes, .to = "spool/copy", .disk = disk};

    got = (struct collected){.size_bytes = -1};
    return collect_all(&request);
}

static void expect_refused(const char *name, int64_t max_bytes, enum collect_refusal why)
{
    cr_expect(eq(int, collect(name, max_bytes), STATUS_OK));
    cr_expect(eq(int, (int)got.refusal, (int)why), "%s: %s", name,
              collect_refusal_name(got.refusal));
    cr_expect(digest_is_none(&got.digest));
    cr_expect(not(disk_has(disk, "spool/copy")));
}

Test(collect, an_output_is_copied_and_hashed)
{
    CLEANUP(buffer_clear) struct buffer copy = {.max = 100};
    struct digest expected = digest_of("hello", 5);

    put("slot/out.txt", "hello");
    put("spool/copy", "a longer one from before");
    cr_assert(eq(int, collect("out.txt", 5), STATUS_OK));
    cr_expect(eq(int, (int)got.refusal, COLLECT_TAKEN));
    cr_expect(eq(i64, got.size_bytes, 5));
    cr_expect(digest_equals(&got.digest, &expected));
    cr_assert(eq(int, disk->read(disk, "spool/copy", &copy, NULL), STATUS_OK));
    cr_expect(eq(str, (char *)buffer_text(&copy), "hello"));
}

Test(collect, a_long_output_is_whole)
{
    static char bytes[300001];
    struct digest expected;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 31 + i / 1000);
    expected = digest_of(bytes, sizeof bytes);
    cr_assert(eq(int, disk->write(disk, "slot/o", bytes, sizeof bytes, 0600, NULL), STATUS_OK));
    cr_assert(eq(int, collect("o", sizeof bytes), STATUS_OK));
    cr_expect(eq(i64, got.size_bytes, sizeof bytes));
    cr_expect(digest_equals(&got.digest, &expected));
}

/* Whoever copies all of a gigabyte at once hears nobody meanwhile. */
Test(collect, a_long_output_is_copied_in_pieces)
{
    static char bytes[1 << 20];
    const struct collect_request request = {
        .slot = slot, .name = "o", .max_bytes = sizeof bytes, .to = "spool/copy", .disk = disk};
    struct digest expected;
    int pieces = 0;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i * 31 + i / 1000);
    expected = digest_of(bytes, sizeof bytes);
    cr_assert(eq(int, disk->write(disk, "slot/o", bytes, sizeof bytes, 0600, NULL), STATUS_OK));
    cr_assert(eq(int, collect_in_pieces(&request, 1 << 18, &pieces), STATUS_OK));
    cr_expect(eq(int, pieces, 5), "and one to see its end");
    cr_expect(eq(int, (int)got.refusal, COLLECT_TAKEN));
    cr_expect(digest_equals(&got.digest, &expected));
}

Test(collect, one_that_was_given_up_is_begun_anew)
{
    const struct collect_request request = {
        .slot = slot, .name = "o", .max_bytes = 1 << 20, .to = "spool/copy", .disk = disk};
    static char bytes[1 << 18];
    struct digest expected = digest_of(bytes, sizeof bytes);
    struct collection *work = NULL;
    int64_t some = 1;

    cr_assert(eq(int, disk->write(disk, "slot/o", bytes, sizeof bytes, 0600, NULL), STATUS_OK));
    cr_assert(eq(int, collect_some(&request, &work, &some, &got, NULL), STATUS_OK));
    cr_expect(ne(ptr, work, NULL));
    collection_free(work);
    cr_assert(eq(int, collect("o", 1 << 20), STATUS_OK));
    cr_expect(eq(i64, got.size_bytes, sizeof bytes));
    cr_expect(digest_equals(&got.digest, &expected));
}

Test(collect, an_empty_output_is_one)
{
    put("slot/out.txt", "");
    cr_assert(eq(int, collect("out.txt", 0), STATUS_OK));
    cr_expect(eq(int, (int)got.refusal, COLLECT_TAKEN));
    cr_expect(eq(i64, got.size_bytes, 0));
    cr_expect(disk_has(disk, "spool/copy"));
}

Test(collect, what_is_no_plain_file_is_refused)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "slot/socket"};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);

    put("secret", "the owner's");
    put("slot/real", "x");
    cr_assert(zero(int, symlink("../secret", "slot/link")));
    cr_assert(zero(int, symlink("real", "slot/inner")));
    cr_assert(zero(int, symlink("nowhere", "slot/dangling")));
    cr_assert(zero(int, link("secret", "slot/hard")));
    cr_assert(zero(int, mkdir("slot/folder", 0700)));
    cr_assert(zero(int, mkfifo("slot/pipe", 0600)));
    cr_assert(zero(int, bind(listener, (struct sockaddr *)&address, sizeof address)));

    expect_refused("none", 100, COLLECT_MISSING);
    expect_refused("link", 100, COLLECT_LINK);
    expect_refused("inner", 100, COLLECT_LINK);
    expect_refused("dangling", 100, COLLECT_LINK);
    expect_refused("hard", 100, COLLECT_HARD_LINK);
    expect_refused("folder", 100, COLLECT_NOT_FILE);
    expect_refused("pipe", 100, COLLECT_NOT_FILE);
    expect_refused("socket", 100, COLLECT_NOT_FILE);
    if (mknod("slot/zero", S_IFCHR | 0600, makedev(1, 5)) == 0)
        expect_refused("zero", 100, COLLECT_NOT_FILE);
    (void)close(listener);
}

Test(collect, a_name_is_no_path)
{
    put("secret", "the owner's");
    cr_assert(zero(int, mkdir("slot/folder", 0700)));
    put("slot/folder/file", "x");
    expect_refused("../secret", 100, COLLECT_BAD_NAME);
    expect_refused("folder/file", 100, COLLECT_BAD_NAME);
    expect_refused("/etc/passwd", 100, COLLECT_BAD_NAME);
    expect_refused("..", 100, COLLECT_BAD_NAME);
    expect_refused("", 100, COLLECT_BAD_NAME);
}

Test(collect, one_byte_too_many_is_too_large)
{
    put("slot/out.txt", "123456");
    expect_refused("out.txt", 5, COLLECT_TOO_LARGE);
    cr_expect(eq(i64, got.size_bytes, 6));
    cr_expect(eq(str, (char *)collect_refusal_words(got.refusal), "is larger than signed"));
}

Test(collect, a_sparse_file_is_as_large_as_it_says)
{
    put("slot/out.txt", "");
    cr_assert(zero(int, truncate("slot/out.txt", INT64_C(1) << 40)));
    expect_refused("out.txt", 1 << 20, COLLECT_TOO_LARGE);
}

/* Regression: it was our trouble each time anew, and stopped all projects of the client. */
Test(collect, a_slot_that_its_task_took_away_is_the_tasks_fault)
{
    cr_assert(zero(int, rename("slot", "elsewhere")));
    put("elsewhere/out.txt", "x");
    expect_refused("out.txt", 10, COLLECT_NO_FOLDER);
    cr_assert(zero(int, symlink("elsewhere", "slot")));
    expect_refused("out.txt", 10, COLLECT_NO_FOLDER);
    cr_assert(zero(int, unlink("slot")));
    put("slot", "a file");
    expect_refused("out.txt", 10, COLLECT_NO_FOLDER);
}

Test(collect, what_lies_around_the_slot_is_our_trouble)
{
    cr_assert(zero(int, mkdir("lost", 0700)));
    (void)snprintf(slot, sizeof slot, "%s/lost/slot", root);
    cr_assert(zero(int, rmdir("lost")));
    cr_expect(eq(int, collect("out.txt", 10), STATUS_STORAGE));
}

static enum status no_room(struct disk_file *file, int64_t offset, const void *bytes, size_t count,
                           struct error *err)
{
    (void)file;
    (void)offset;
    (void)bytes;
    (void)count;
    return error_set(err, STATUS_FULL, "no room");
}

static enum status no_sync(struct disk_file *file, struct error *err)
{
    (void)file;
    return error_set(err, STATUS_STORAGE, "the disk failed");
}

/* Run by someone whom permissions hold: root may read everything. */
static int as_nobody(int (*act)(void))
{
    pid_t child;
    int how;

    cr_assert(zero(int, chmod(root, 0777)));
    child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(99);
        _exit(act());
    }
    cr_assert(eq(int, waitpid(child, &how, 0), child));
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

static int closes_its_slot(void)
{
    if (mkdir("own", 0700) != 0 || mkdir("own/spool", 0700) != 0 || mkdir("own/slot", 0700) != 0 ||
        mkdir("own/slot/deep", 0700) != 0 ||
        disk->write(disk, "own/slot/out", "42", 2, 0600, NULL) != STATUS_OK ||
        disk->write(disk, "own/slot/deep/file", "1", 1, 0600, NULL) != STATUS_OK ||
        chmod("own/slot/deep", 0) != 0 || chmod("own/slot", 0) != 0)
        return 98;
    return 0;
}

static int collects_from_a_closed_slot(void)
{
    const struct collect_request request = {
        .slot = "own/slot", .name = "out", .max_bytes = 100, .to = "own/spool/copy", .disk = disk};

    if (closes_its_slot() != 0)
        return 98;
    if (collect_all(&request) != STATUS_OK)
        return 1;
    if (got.refusal != COLLECT_TAKEN)
        return 2;
    return disk->remove_tree(disk, "own", NULL) == STATUS_OK ? 0 : 3;
}

/* It was our trouble each time anew, and the task was never done with. */
Test(collect, a_slot_that_the_task_closed_is_opened_again)
{
    cr_expect(zero(int, as_nobody(collects_from_a_closed_slot)));
}

Test(collect, a_spool_that_fails_is_not_the_tasks_fault)
{
    struct disk real = *disk, full = *disk;

    put("slot/out.txt", "hello");
    full.write_at = no_room;
    disk = &full;
    cr_expect(eq(int, collect("out.txt", 5), STATUS_FULL));
    cr_expect(eq(i64, got.size_bytes, -1));
    full.write_at = real.write_at;
    full.sync = no_sync;
    cr_expect(eq(int, collect("out.txt", 5), STATUS_STORAGE));
    disk = disk_real();
    cr_expect(not(disk_has(disk, "spool/copy")));
    cr_expect(eq(int, collect("out.txt", 5), STATUS_OK)); /* later it may be taken */
    cr_expect(eq(int, (int)got.refusal, COLLECT_TAKEN));
}
