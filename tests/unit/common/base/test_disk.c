/* common/env/disk: the real one. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/env/real.h"

static char folder[] = "/tmp/dugnad-disk-XXXXXX";
static struct disk *disk;

static void set_up(void)
{
    disk = disk_real();
    cr_assert(mkdtemp(folder) != NULL);
    cr_assert(zero(int, chdir(folder)));
}

static void tear_down(void)
{
    cr_expect(eq(int, disk->remove_tree(disk, folder, NULL), STATUS_OK));
    cr_expect(not(disk_has(disk, folder)));
}

TestSuite(disk, .init = set_up, .fini = tear_down);

Test(disk, a_file_is_replaced_whole)
{
    CLEANUP(buffer_clear) struct buffer content = {.max = 5};
    struct error err;

    cr_assert(eq(int, disk->write(disk, "f", "first", 5, 0600, &err), STATUS_OK));
    cr_assert(eq(int, disk->write(disk, "f", "2nd", 3, 0600, &err), STATUS_OK));
    cr_assert(eq(int, disk->read(disk, "f", &content, &err), STATUS_OK));
    cr_expect(eq(str, (char *)buffer_text(&content), "2nd"));
    cr_assert(eq(int, disk->read(disk, "f", &content, &err), STATUS_TOO_LARGE));
    cr_expect(not(disk_has(disk, "f.new")));
    cr_expect(eq(int, disk->read(disk, "none", &content, &err), STATUS_NOT_FOUND));
}

Test(disk, a_lock_is_held_once)
{
    CLEANUP(disk_file_closep) struct disk_file *first = NULL;
    struct disk_file *second = NULL;

    cr_assert(eq(int, disk->lock(disk, "lock", &first, NULL), STATUS_OK));
    cr_expect(eq(int, disk->lock(disk, "lock", &second, NULL), STATUS_BUSY));
    cr_expect(second == NULL);
}

Test(disk, folders_are_made_listed_and_removed)
{
    CLEANUP(disk_names_clear) struct disk_names names = {0};

    cr_assert(eq(int, disk_make_folders(disk, "a/b/c", 0700, NULL), STATUS_OK));
    cr_assert(eq(int, disk->write(disk, "a/b/z", "", 0, 0600, NULL), STATUS_OK));
    cr_assert(eq(int, disk->list(disk, "a/b", &names, NULL), STATUS_OK));
    cr_assert(eq(sz, names.count, 2));
    cr_expect(eq(str, names.names[0], "c"));
    cr_expect(eq(int, disk->remove_tree(disk, "a", NULL), STATUS_OK));
    cr_expect(not(disk_has(disk, "a")));
}
