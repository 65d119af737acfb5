/* dugnad fetch: what is laid out, what is left out, and going on. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "operator/result_check.h"
#include "protocol/visit.h"
#include "tests/support/desk.h"
#include "tests/support/messages.h"
#include "tests/support/results.h"

TestSuite(fetch, .init = desk_set_up, .fini = desk_tear_down, .timeout = 60);

/* --- fetch --- */

static int fetch(void)
{
    CLEANUP(freep) char *into = text_copy(at_home("out"));

    return RUN("fetch", "b", "--into", into);
}

static void expect_content(const char *name, const char *text)
{
    CLEANUP(buffer_clear) struct buffer content = {0};

    buffer_init(&content, 1 << 20);
    cr_assert(eq(int, desk_env.base.disk->read(desk_env.base.disk, at_home(name), &content, NULL),
                 STATUS_OK),
              "%s", name);
    cr_expect(eq(str, (char *)buffer_text(&content), (char *)text));
}

static size_t count_lines(void)
{
    CLEANUP(buffer_clear) struct buffer content = {0};
    size_t lines = 0;

    buffer_init(&content, 1 << 20);
    cr_assert(eq(
        int,
        desk_env.base.disk->read(desk_env.base.disk, at_home("out/results.ndjson"), &content, NULL),
        STATUS_OK));
    for (size_t i = 0; i < content.length; i++)
        lines += content.bytes[i] == '\n';
    return lines;
}

Test(fetch, results_are_laid_out_by_unit_and_output_and_fetching_goes_on)
{
    submit_three();
    add_result(0, "zero", true);
    cr_expect(eq(int, fetch(), EXIT_DONE), "%s", desk_said);
    expect_content("out/0-1/stdout", "zero");
    desk_site.output = text_copy("one, from elsewhere");
    add_result(1, "one, from elsewhere", false);
    add_result(2, "two", true);
    cr_expect(eq(int, fetch(), EXIT_DONE), "%s", desk_said);
    expect_content("out/1-2/stdout", "one, from elsewhere");
    expect_content("out/2-3/stdout", "two");
    cr_expect(eq(sz, count_lines(), 3));
    cr_expect(eq(int, fetch(), EXIT_DONE));
    cr_expect(eq(sz, count_lines(), 3));
}

Test(fetch, a_result_that_nobody_signed_for_is_left_out_and_asked_for_again)
{
    submit_three();
    add_result(0, "zero", true);
    add_result(1, "one", true);
    add_result(2, "two", true);
    {
        CLEANUP(freep) char *honest = desk_site.results.texts[1];

        /* "one" in base64 becomes "two": another body under the signed digest. */
        desk_site.results.texts[1] = replaced(honest, "b25l", "dHdv");
        cr_expect(eq(int, fetch(), EXIT_UNTRUSTED));
        cr_expect(strstr(desk_said, RESULT_WRONG_BODY) != NULL, "%s", desk_said);
        cr_expect(not(disk_has(desk_env.base.disk, at_home("out/1-2"))));
        expect_content("out/2-3/stdout", "two");
        free(desk_site.results.texts[1]);
        desk_site.results.texts[1] = text_copy(honest);
    }
    cr_expect(eq(int, fetch(), EXIT_DONE), "%s", desk_said);
    expect_content("out/1-2/stdout", "one");
    cr_expect(eq(sz, count_lines(), 3));
}

Test(fetch, a_body_that_comes_apart_is_checked_while_it_comes)
{
    static const char *const wrong[] = {"One", "one and more", "on"};

    submit_three();
    add_result(1, "one", false);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        free(desk_site.output);
        desk_site.output = text_copy(wrong[i]);
        cr_expect(eq(int, fetch(), EXIT_UNTRUSTED), "%s", desk_said);
        cr_expect(not(disk_has(desk_env.base.disk, at_home("out/1-2/stdout"))));
        cr_expect(not(disk_has(desk_env.base.disk, at_home("out/1-2/.stdout.part"))));
    }
}

Test(fetch, a_folder_of_another_batch_is_not_mixed_in)
{
    submit_three();
    cr_assert(eq(int,
                 desk_env.base.disk->make_folder(desk_env.base.disk, at_home("out"), 0700, NULL),
                 STATUS_OK));
    write_at_home("out/.dugnad-fetch", "{\"batch\":\"" BATCH_A "\",\"cursor\":\"\",\"bytes\":0}");
    cr_expect(eq(int, fetch(), EXIT_FAILED));
    cr_expect(strstr(desk_said, "another batch") != NULL, "%s", desk_said);
}

/* Regression: each wrote results.ndjson where the other one's lines were. */
/* Regression: it read "no such file". */
Test(fetch, a_file_where_the_results_folder_is_to_be_is_named)
{
    CLEANUP(freep) char *file = text_copy(at_home("file"));

    submit_three();
    write_at_home("file", "x");
    cr_expect(eq(int, RUN("fetch", "b", "--into", file), EXIT_FAILED), "%s", desk_said);
    cr_expect(strstr(desk_said, "file is a file") != NULL, "%s", desk_said);
}

Test(fetch, a_folder_that_another_one_fetches_into_is_refused_and_left_alone)
{
    CLEANUP(disk_file_closep) struct disk_file *other = NULL;

    submit_three();
    add_result(0, "zero", true);
    cr_assert(eq(int, fetch(), EXIT_DONE), "%s", desk_said);
    write_at_home("out/results.ndjson", "what the other one is writing\n");
    cr_assert(eq(int,
                 desk_env.base.disk->lock(desk_env.base.disk, at_home("out/.dugnad-fetch.lock"),
                                          &other, NULL),
                 STATUS_OK));
    cr_expect(eq(int, fetch(), EXIT_HELD), "%s", desk_said);
    cr_expect(strstr(desk_said, "another dugnad is fetching into") != NULL, "%s", desk_said);
    cr_expect(strstr(desk_said, "/out") != NULL, "%s", desk_said);
    expect_content("out/results.ndjson", "what the other one is writing\n");
    disk_file_close(TAKE(other));
    cr_expect(eq(int, fetch(), EXIT_DONE), "%s", desk_said);
    expect_content("out/0-1/stdout", "zero");
}

Test(fetch, fetching_cut_anywhere_ends_with_the_same_folder)
{
    submit_three();
    add_result(0, "zero", true);
    add_result(1, "one", false);
    add_result(2, "two", true);
    desk_site.output = text_copy("one");
    for (int64_t after = 0; after < 12; after++) {
        desk_site.cut = after % 2 == 0 ? CUT_REQUEST : CUT_ANSWER;
        desk_site.cut_after = desk_site.requests + after / 2;
        (void)fetch();
    }
    desk_site.cut = CUT_NEVER;
    cr_expect(eq(int, fetch(), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(sz, count_lines(), 3));
    expect_content("out/1-2/stdout", "one");
}

/* --- what became of it since --- */

static void fetch_three(void)
{
    submit_three();
    add_result(0, "zero", true);
    add_result(1, "one", false);
    add_result(2, "two", true);
    desk_site.output = text_copy("one");
    cr_assert(eq(int, fetch(), EXIT_DONE), "%s", desk_said);
}

static void expect_mended(const char *says)
{
    cr_expect(eq(int, fetch(), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_said, says) != NULL, "%s", desk_said);
    expect_content("out/0-1/stdout", "zero");
    expect_content("out/1-2/stdout", "one");
    expect_content("out/2-3/stdout", "two");
    cr_expect(eq(sz, count_lines(), 3));
    cr_expect(eq(int, fetch(), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_said, "missing or changed") == NULL, "%s", desk_said);
}

/* A damaged folder was called complete. */
Test(fetch, outputs_that_are_gone_or_changed_are_fetched_again_and_this_is_said)
{
    fetch_three();
    cr_assert(zero(int, unlink(at_home("out/0-1/stdout"))));
    write_at_home("out/1-2/stdout", "on3"); /* of the same size */
    expect_mended("outputs of 2 units are missing or changed");
    write_at_home("out/2-3/stdout", "two and more");
    expect_mended("outputs of 1 unit are missing or changed");
}

Test(fetch, a_list_of_results_that_is_gone_or_changed_is_written_again)
{
    fetch_three();
    cr_assert(zero(int, unlink(at_home("out/results.ndjson"))));
    expect_mended("results.ndjson is missing or changed");
    write_at_home("out/results.ndjson", "{}\n");
    expect_mended("results.ndjson is missing or changed");
}

/* Fetching again overwrites what was fetched, and only within the folder. */
Test(fetch, a_unit_folder_that_is_a_link_is_not_written_through)
{
    CLEANUP(freep) char *elsewhere = text_copy(at_home("elsewhere"));

    fetch_three();
    cr_assert(zero(int, mkdir(elsewhere, 0700)));
    write_at_home("elsewhere/stdout", "mine");
    cr_assert(zero(int, unlink(at_home("out/0-1/stdout"))));
    cr_assert(zero(int, rmdir(at_home("out/0-1"))));
    cr_assert(zero(int, symlink(elsewhere, at_home("out/0-1"))));
    cr_expect(eq(int, fetch(), EXIT_FAILED), "%s", desk_said);
    cr_expect(strstr(desk_said, "out/0-1 is no folder") != NULL, "%s", desk_said);
    expect_content("elsewhere/stdout", "mine");
}

/* What lies beyond may change without us, however right it looks now. */
Test(fetch, a_link_to_a_folder_with_the_right_outputs_is_no_unit_folder)
{
    CLEANUP(freep) char *elsewhere = text_copy(at_home("elsewhere"));
    CLEANUP(freep) char *unit = text_copy(at_home("out/0-1"));

    fetch_three();
    cr_assert(zero(int, rename(unit, elsewhere)));
    cr_assert(zero(int, symlink(elsewhere, unit)));
    cr_expect(eq(int, fetch(), EXIT_FAILED), "%s", desk_said);
    cr_expect(strstr(desk_said, "outputs of 1 unit are missing or changed") != NULL, "%s",
              desk_said);
    cr_expect(strstr(desk_said, "out/0-1 is no folder") != NULL, "%s", desk_said);
    expect_content("elsewhere/stdout", "zero");
}

/* A unit that was reopened and accepted anew left lines of outputs that are there no more. */
Test(fetch, of_a_unit_named_twice_the_last_line_counts)
{
    fetch_three();
    add_result(0, "another zero", true);
    cr_expect(eq(int, fetch(), EXIT_DONE), "%s", desk_said);
    cr_expect(eq(int, fetch(), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_said, "missing or changed") == NULL, "%s", desk_said);
    expect_content("out/0-1/stdout", "another zero");
    cr_expect(eq(sz, count_lines(), 4));
}

/* Both read such pages for ever, and fetch filled the disk with its list. */
Test(fetch, results_without_end_are_refused_in_words_that_name_the_server)
{
    fetch_three();
    desk_site.lists_in_circles = true;
    cr_expect(eq(int, fetch(), EXIT_UNTRUSTED), "%s", desk_said);
    cr_expect(strstr(desk_said, MEMORY_SITE_URL) != NULL, "%s", desk_said);
    cr_expect(strstr(desk_said, "lists results without end") != NULL, "%s", desk_said);
    cr_expect(eq(int, RUN("audit", "b"), EXIT_UNTRUSTED), "%s", desk_said);
    cr_expect(strstr(desk_said, "lists results without end") != NULL, "%s", desk_said);
    desk_site.lists_in_circles = false;
    cr_expect(eq(int, fetch(), EXIT_DONE), "%s", desk_said);
    expect_content("out/0-1/stdout", "zero");
}
