/* sandbox/progress: a number that a task wrote, and nothing else that may lie in its place. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/disk.h"
#include "common/env/real.h"
#include "sandbox/progress.h"
#include "tests/support/ending.h"
#include "work-units/sdk/dugnad.h"

static char root[] = "/tmp/dugnad-progress-XXXXXX";
static struct disk *disk;
static int slot;

static void set_up(void)
{
    disk = disk_real();
    cr_assert(mkdtemp(root) != NULL);
    cr_assert(zero(int, chdir(root)));
    slot = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert(ge(int, slot, 0));
}

static void tear_down(void)
{
    END_MUST(close(slot) == 0);
    END_MUST(disk->remove_tree(disk, root, NULL) == STATUS_OK);
}

TestSuite(progress, .init = set_up, .fini = tear_down, .timeout = 60);

static void put(const char *bytes, size_t length)
{
    cr_assert(eq(int, disk->write(disk, PROGRESS_FILE, bytes, length, 0600, NULL), STATUS_OK));
}

Test(progress, is_what_the_program_said)
{
    cr_expect(zero(int, progress_of_slot(slot)), "nothing");
    cr_expect(zero(int, dugnad_progress(1, 4)));
    cr_expect(eq(int, progress_of_slot(slot), 250));
    cr_expect(zero(int, dugnad_progress(4, 4)));
    cr_expect(eq(int, progress_of_slot(slot), 1000));
    cr_expect(zero(int, dugnad_progress(1, 3)));
    cr_expect(eq(int, progress_of_slot(slot), 333));
    cr_expect(eq(int, dugnad_progress(5, 4), -1));
    cr_expect(eq(int, dugnad_progress(-1, 4), -1));
    cr_expect(eq(int, dugnad_progress(0, 0), -1));
    cr_expect(eq(int, progress_of_slot(slot), 333), "what is wrong is not written");
}

Test(progress, is_a_fraction_and_nothing_else)
{
    static const struct {
        const char *text;
        int permille;
    } cases[] = {
        {"0.5", 500},
        {"0.5\n", 500},
        {"0.4999\n", 499},
        {"1", 1000},
        {"1.0\n", 1000},
        {"0", 0},
        {"0.001", 1},
        {"1.001\n", 0},
        {"2\n", 0},
        {"-0.5\n", 0},
        {"0,5\n", 0},
        {".5\n", 0},
        {"50%\n", 0},
        {"0.5x\n", 0},
        {"nan\n", 0},
        {"\n", 0},
        {"", 0},
        {"0.5\nmore", 500},
        {"1e-1\n", 0},
        {"+0.5\n", 0},
        {" 0.5\n", 0},
        {"0x.8p0", 0},
        {"0.3333333333333333333333333333333333", 333},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(cases[i].text, strlen(cases[i].text));
        cr_expect(eq(int, progress_of_slot(slot), cases[i].permille), "%s", cases[i].text);
    }
    put("0.5\0", 4);
    cr_expect(zero(int, progress_of_slot(slot)), "a zero byte");
}

Test(progress, of_anything_else_in_its_place_is_none)
{
    cr_assert(zero(int, disk->write(disk, "elsewhere", "0.5\n", 4, 0600, NULL)));
    cr_assert(zero(int, symlink("elsewhere", PROGRESS_FILE)));
    cr_expect(zero(int, progress_of_slot(slot)), "a link");
    cr_assert(zero(int, unlink(PROGRESS_FILE)));
    cr_assert(zero(int, mkfifo(PROGRESS_FILE, 0600)));
    cr_expect(zero(int, progress_of_slot(slot)), "a pipe that nobody writes to");
    cr_assert(zero(int, unlink(PROGRESS_FILE)));
    cr_assert(zero(int, mkdir(PROGRESS_FILE, 0700)));
    cr_expect(zero(int, progress_of_slot(slot)), "a folder");
}
