/* sandbox/usage: what a slot weighs, whatever a task put into it. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/env/real.h"
#include "sandbox/tree.h"
#include "sandbox/usage.h"
#include "tests/support/ending.h"

static char folder[] = "/tmp/dugnad-usage-XXXXXX";
static int descriptor;

static void set_up(void)
{
    cr_assert(mkdtemp(folder) != NULL);
    cr_assert(zero(int, chdir(folder)));
    descriptor = open(folder, O_RDONLY | O_DIRECTORY);
}

static void tear_down(void)
{
    struct disk *disk = disk_real();

    (void)close(descriptor);
    END_MUST(disk->remove_tree(disk, folder, NULL) == STATUS_OK);
}

TestSuite(usage, .init = set_up, .fini = tear_down, .timeout = 60);

static void make(const char *path, off_t length)
{
    int file = open(path, O_WRONLY | O_CREAT, 0600);

    cr_assert(ge(int, file, 0));
    cr_assert(zero(int, ftruncate(file, length)));
    (void)close(file);
}

Test(usage, a_hole_counts_as_its_length)
{
    make("sparse", 5000000);
    cr_expect(ge(i64, usage_of_folder(descriptor), 5000000));
    cr_expect(lt(i64, usage_of_folder(descriptor), 5100000));
}

Test(usage, links_are_not_followed)
{
    cr_assert(zero(int, symlink("/usr", "link")));
    cr_assert(zero(int, symlink(".", "circle")));
    cr_expect(lt(i64, usage_of_folder(descriptor), 100000));
}

Test(usage, folders_below_count)
{
    cr_assert(zero(int, mkdir("a", 0700)));
    cr_assert(zero(int, mkdir("a/b", 0700)));
    make("a/b/file", 300000);
    cr_expect(ge(i64, usage_of_folder(descriptor), 300000));
    cr_expect(lt(i64, usage_of_folder(descriptor), 400000));
}

Test(usage, folders_too_deep_are_too_large)
{
    for (int i = 0; i < USAGE_MAX_DEPTH + 2; i++) {
        cr_assert(zero(int, mkdir("d", 0700)));
        cr_assert(zero(int, chdir("d")));
    }
    cr_expect(eq(i64, usage_of_folder(descriptor), INT64_MAX));
    cr_assert(zero(int, chdir(folder)));
}

Test(usage, too_many_files_are_too_large)
{
    char name[32];

    for (int i = 0; i <= USAGE_MAX_FILES; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        make(name, 0);
    }
    cr_expect(eq(i64, usage_of_folder(descriptor), INT64_MAX));
}

Test(usage, children_and_their_children_are_found)
{
    pid_t found[8] = {0}, child = fork();

    if (child == 0) {
        if (fork() == 0)
            (void)pause();
        (void)pause();
    }
    for (int i = 0; i < 100 && tree_descendants(getpid(), found, 8) < 2; i++)
        (void)usleep(20000);
    cr_assert(eq(sz, tree_descendants(getpid(), found, 8), 2));
    cr_expect(eq(int, found[0], child));
    cr_expect(eq(sz, tree_descendants(getpid(), found, 1), 1));
    cr_expect(lt(i64, 0, usage_of_tree(getpid()).memory_bytes));
    cr_expect(eq(int, (int)usage_of_tree(getpid()).processes, 2));
    (void)kill(found[1] != 0 ? found[1] : child, SIGKILL);
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
}
