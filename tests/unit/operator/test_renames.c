/* Files whose names no unit may have: a person finds their results by them. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "tests/support/desk.h"
#include "tests/support/failing_disk.h"
#include "tests/support/results.h"

#define LISTED ".config/dugnad/default/batches/b/names.tsv"

static void set_up(void)
{
    desk_set_up();
    cr_assert(zero(int, mkdir(at_home("in"), 0700)));
}

TestSuite(renames, .init = set_up, .fini = desk_tear_down, .timeout = 60);

/* What the file has, with every '@' in the text for the folder "in"; NULL: it is not there. */
static void expect_names(const char *file, const char *text)
{
    CLEANUP(buffer_clear) struct buffer content = {0};
    CLEANUP(buffer_clear) struct buffer wanted = {.max = 1 << 20};
    enum status status;

    buffer_init(&content, 1 << 20);
    status = desk_env.base.disk->read(desk_env.base.disk, at_home(file), &content, NULL);
    cr_assert(eq(int, status, text != NULL ? STATUS_OK : STATUS_NOT_FOUND), "%s", file);
    for (const char *at = text; at != NULL && *at != '\0';) {
        size_t length = strcspn(at, "@");

        (void)buffer_append(&wanted, at, length, NULL);
        at += length;
        if (*at == '@')
            (void)buffer_append_text(&wanted, at_home("in"), NULL);
        at += *at == '@';
    }
    cr_expect(eq(str, (char *)buffer_text(&content), (char *)buffer_text(&wanted)));
}

static int submit_in(void)
{
    CLEANUP(freep) char *pattern = text_copy(at_home("in/*"));

    return RUN("submit", "app", pattern, "--name", "b", "--", "{input}");
}

static const char three[] = "na__ve.txt\tna__ve.txt\t@/naïve.txt\t0\n"
                            "__________.txt\t__________.txt\t@/книга.txt\t2\n";

static void make_three(void)
{
    write_at_home("in/naïve.txt", "1");
    write_at_home("in/plain.txt", "2");
    write_at_home("in/книга.txt", "3");
}

/* Each became "__________.txt" without a trace. */
Test(renames, names_in_other_scripts_are_listed_and_fetched)
{
    CLEANUP(freep) char *into = text_copy(at_home("out"));

    make_three();
    cr_assert(eq(int, submit_in(), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_said, "2 names had to be changed: ") != NULL, "%s", desk_said);
    cr_expect(strstr(desk_said, LISTED) != NULL, "%s", desk_said);
    expect_names(LISTED, three);
    (void)RUN("fetch", "b", "--into", into);
    expect_names("out/names.tsv", three);
    write_at_home("out/names.tsv", "something else");
    (void)RUN("fetch", "b", "--into", into);
    expect_names("out/names.tsv", three);
    expect_names("out/.dugnad-fetch.names", NULL);
}

Test(renames, where_no_name_is_changed_there_is_no_list)
{
    CLEANUP(freep) char *into = text_copy(at_home("out"));

    write_at_home("in/plain.txt", "2");
    cr_assert(eq(int, submit_in(), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_said, "had to be changed") == NULL, "%s", desk_said);
    expect_names(LISTED, NULL);
    (void)RUN("fetch", "b", "--into", into);
    expect_names("out/names.tsv", NULL);
}

Test(renames, a_submission_cut_anywhere_or_repeated_lists_each_name_once)
{
    bool is_through = false;

    make_three();
    for (int64_t after = 0; after < 40 && !is_through; after++) {
        desk_site.cut = after % 2 == 0 ? CUT_REQUEST : CUT_ANSWER;
        desk_site.cut_after = desk_site.requests + after / 2;
        is_through = submit_in() == EXIT_DONE;
        if (desk_site.units.count > 0) /* before the site has a unit, its names are listed */
            expect_names(LISTED, three);
    }
    cr_assert(is_through, "%s", desk_said);
    desk_site.cut = CUT_NEVER;
    cr_expect(eq(int, submit_in(), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_said, "2 names had to be changed") != NULL, "%s", desk_said);
    expect_names(LISTED, three);
}

/* Power is cut at each step in turn; what the site got is listed durably, and once. */
Test(renames, a_power_cut_at_any_step_loses_no_name_and_doubles_none)
{
    struct failing_disk *disk = must_alloc(1, sizeof *disk);
    struct disk *real = desk_env.base.disk;
    bool is_through = false;

    make_three();
    failing_disk_init(disk, real);
    desk_env.base.disk = &disk->base;
    for (int steps = 0; steps < 500 && !is_through; steps++) {
        failing_disk_arm(disk, FAILING_POWER, steps);
        is_through = submit_in() == EXIT_DONE;
        (void)failing_disk_repair(disk);
        if (desk_site.units.count > 0)
            expect_names(LISTED, three);
    }
    desk_env.base.disk = real;
    free(disk);
    cr_assert(is_through, "%s", desk_said);
    expect_names(LISTED, three);
}

/* The list is written before the units are listed: a cut between them leaves lines of no unit. */
Test(renames, lines_beyond_the_units_listed_are_written_again_not_twice)
{
    static const char left[] = "x_\tx_\t/old/é\t0\ny_\ty_\t/ol"; /* the last one torn */

    make_three();
    desk_site.cut = CUT_REQUEST;
    for (int64_t after = 1; !disk_has(desk_env.base.disk, at_home(LISTED)) && after < 20; after++) {
        desk_site.cut_after = desk_site.requests + after;
        cr_assert(eq(int, submit_in(), EXIT_UNREACHABLE), "%s", desk_said);
    }
    expect_names(LISTED, three);
    texts_clear(&desk_site.units); /* as if it had been cut before they were sent or listed */
    cr_assert(zero(int, truncate(at_home(".config/dugnad/default/batches/b/units"), 0)));
    write_at_home(LISTED, left);
    desk_site.cut = CUT_NEVER;
    cr_expect(eq(int, submit_in(), EXIT_DONE), "%s", desk_said);
    expect_names(LISTED, three);
}

Test(renames, what_would_break_a_line_or_a_terminal_is_escaped)
{
    write_at_home("in/caf\xe9", "1");
    write_at_home("in/a\tb\nc\\d", "2");
    write_at_home("in/bell\a\xc2\x85\xe2\x80\xae", "3");
    cr_assert(eq(int, submit_in(), EXIT_DONE), "%s", desk_said);
    expect_names(LISTED, "a_b_c_d\ta_b_c_d\t@/a\\tb\\nc\\\\d\t0\n"
                         "bell______\tbell______\t@/bell\\x07\\xc2\\x85\\xe2\\x80\\xae\t1\n"
                         "caf_\tcaf_\t@/caf\\xe9\t2\n");
}

static void make_folders(const char *first, const char *second)
{
    cr_assert(zero(int, mkdir(at_home(first), 0700)));
    cr_assert(zero(int, mkdir(at_home(second), 0700)));
}

/* Files of one name; a folder whose files are a unit; files dealt to units by number. */
Test(renames, what_was_numbered_is_listed_and_so_are_folders)
{
    CLEANUP(freep) char *x = text_copy(at_home("in/1/x")), *y = text_copy(at_home("in/2/x"));
    CLEANUP(freep) char *folder = text_copy(at_home("in/бук"));

    make_folders("in/1", "in/2");
    make_folders("in/бук", "in/3");
    write_at_home("in/1/x", "1");
    write_at_home("in/2/x", "2");
    write_at_home("in/бук/a", "3");
    write_at_home("in/бук/é", "4");
    cr_assert(eq(int, RUN("submit", "app", x, y, folder, "--name", "b"), EXIT_DONE), "%s",
              desk_said);
    expect_names(LISTED, "x-1\tx\t@/2/x\t1\n"
                         "______\t\t@/бук\t2\n"
                         "______\t__\t@/бук/é\t2\n");
    cr_assert(
        eq(int, RUN("submit", "app", y, folder, "--files-per-unit", "2", "--name", "b", "--append"),
           EXIT_DONE),
        "%s", desk_said);
    expect_names(LISTED, "x-1\tx\t@/2/x\t1\n"
                         "______\t\t@/бук\t2\n"
                         "______\t__\t@/бук/é\t2\n"
                         "files-000001\t__\t@/бук/é\t4\n");
}

/* Its folder would be where `fetch` puts the list. */
Test(renames, no_unit_is_named_like_the_list)
{
    write_at_home("in/Names.tsv", "1");
    cr_expect(eq(int, submit_in(), EXIT_FAILED), "%s", desk_said);
    cr_expect(strstr(desk_said, "cannot be named Names.tsv") != NULL, "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 0));
}
