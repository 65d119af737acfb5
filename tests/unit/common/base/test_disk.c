/* common/env/disk: the real one. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/env/real.h"
#include "tests/support/ending.h"

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
    END_MUST(disk->remove_tree(disk, folder, NULL) == STATUS_OK);
    END_MUST(!disk_has(disk, folder));
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

/* Opening a FIFO waited for somebody to write into it, for ever. */
Test(disk, what_is_no_regular_file_is_not_opened_for_reading, .timeout = 20)
{
    CLEANUP(buffer_clear) struct buffer content = {.max = 5};
    struct disk_file *file = NULL;
    struct error err = {0};

    cr_assert(zero(int, mkfifo("fifo", 0600)));
    cr_assert(zero(int, mkdir("folder", 0700)));
    cr_expect(eq(int, disk->open_read(disk, "fifo", &file, &err), STATUS_INVALID));
    cr_expect(strstr(err.text, "not a regular file") != NULL, "%s", err.text);
    cr_expect(eq(int, disk->read(disk, "fifo", &content, &err), STATUS_INVALID));
    cr_expect(eq(int, disk->open_read(disk, "folder", &file, &err), STATUS_INVALID));
    cr_expect(file == NULL);
}

Test(disk, a_link_is_told_from_other_things)
{
    struct disk_entry entry;

    cr_assert(zero(int, symlink("nowhere", "link")));
    cr_assert(zero(int, mkfifo("fifo", 0600)));
    cr_assert(eq(int, disk->look(disk, "link", &entry, NULL), STATUS_OK));
    cr_expect(eq(int, (int)entry.kind, DISK_LINK));
    cr_assert(eq(int, disk->look(disk, "fifo", &entry, NULL), STATUS_OK));
    cr_expect(eq(int, (int)entry.kind, DISK_OTHER));
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

/* --- trees that somebody hostile left --- */

static int (*deed)(void);

/* By someone whom permissions hold: root may do everything. */
static int as_nobody(void)
{
    pid_t child;
    int how;

    cr_assert(zero(int, chmod(folder, 0777)));
    child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(99);
        _exit(deed());
    }
    cr_assert(eq(int, waitpid(child, &how, 0), child));
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

static int removes_closed_folders(void)
{
    static const char *const folders[] = {"t",       "t/none",     "t/none/in",
                                          "t/fixed", "t/fixed/in", "t/listed"};
    static const struct {
        const char *path;
        mode_t mode;
    } closed[] = {{"t/none/in", 0}, {"t/none", 0}, {"t/fixed", 0500}, {"t/listed", 0400}, {"t", 0}};

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (mkdir(folders[i], 0700) != 0)
            return 98;
    if (disk->write(disk, "t/none/in/file", "1", 1, 0, NULL) != STATUS_OK ||
        disk->write(disk, "t/fixed/in/file", "1", 1, 0, NULL) != STATUS_OK ||
        disk->write(disk, "t/listed/file", "1", 1, 0, NULL) != STATUS_OK)
        return 97;
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        if (chmod(closed[i].path, closed[i].mode) != 0)
            return 96;
    if (disk->remove_tree(disk, "t", NULL) != STATUS_OK)
        return 1;
    return access("t", F_OK) == 0 ? 2 : 0;
}

/* Regression: it read "no such file". */
Test(disk, a_file_where_a_folder_is_to_be_is_named)
{
    struct error err = {0};

    cr_assert(eq(int, disk->write(disk, "file", "x", 1, 0600, NULL), STATUS_OK));
    cr_expect(eq(int, disk_make_folders(disk, "file", 0700, &err), STATUS_INVALID));
    cr_expect(strstr(err.text, "file is a file") != NULL, "%s", err.text);
    cr_expect(eq(int, disk_make_folders(disk, "file/more/yet", 0700, &err), STATUS_INVALID));
    cr_expect(strstr(err.text, "file is a file") != NULL, "%s", err.text);
}

Test(disk, folders_that_may_not_be_read_are_removed)
{
    deed = removes_closed_folders;
    cr_expect(zero(int, as_nobody()));
}

/* 300 folders of 100 characters: no path leads there. */
static int removes_a_deep_tree(void)
{
    char name[101];

    memset(name, 'd', 100);
    name[100] = '\0';
    if (mkdir("deep", 0700) != 0 || chdir("deep") != 0)
        return 98;
    for (int i = 0; i < 300; i++)
        if (mkdir(name, 0700) != 0 || chdir(name) != 0)
            return 97;
    if (disk->write(disk, "file", "1", 1, 0600, NULL) != STATUS_OK || chdir(folder) != 0)
        return 96;
    if (disk->remove_tree(disk, "deep", NULL) != STATUS_OK)
        return 1;
    return access("deep", F_OK) == 0 ? 2 : 0;
}

Test(disk, folders_deeper_than_a_path_is_long_are_removed)
{
    deed = removes_a_deep_tree;
    cr_expect(zero(int, as_nobody()));
}

Test(disk, a_link_in_a_tree_is_removed_and_not_what_it_leads_to)
{
    cr_assert(zero(int, mkdir("kept", 0755)));
    cr_assert(eq(int, disk->write(disk, "kept/file", "1", 1, 0600, NULL), STATUS_OK));
    cr_assert(zero(int, mkdir("t", 0700)));
    cr_assert(zero(int, symlink("../kept", "t/link")));
    cr_expect(eq(int, disk->remove_tree(disk, "t", NULL), STATUS_OK));
    cr_expect(disk_has(disk, "kept/file"));
    cr_assert(zero(int, symlink("kept", "link")));
    cr_expect(eq(int, disk->remove_tree(disk, "link", NULL), STATUS_OK));
    cr_expect(disk_has(disk, "kept/file"));
    cr_expect(eq(int, disk->remove_tree(disk, "nothing", NULL), STATUS_OK));
}
