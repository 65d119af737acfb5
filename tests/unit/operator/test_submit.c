/* dugnad submit: cut anywhere, it goes on and signs the same units. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/text.h"
#include "common/crypto/envelope.h"
#include "tests/support/desk.h"
#include "work-units/work_unit.h"

TestSuite(submit, .init = desk_set_up, .fini = desk_tear_down, .timeout = 60);

/* --- submit --- */

Test(submit, a_range_becomes_signed_units_and_a_closed_batch)
{
    struct work_unit unit = {0};
    CLEANUP(envelope_clear) struct envelope envelope = {0};

    cr_assert(eq(int,
                 RUN("submit", "app", "--range", "0..25", "--step", "10", "--name", "b", "--",
                     "{from}", "{to}"),
                 EXIT_DONE),
              "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 3));
    cr_expect(desk_site.is_closed);
    cr_assert(eq(int,
                 envelope_decode(desk_site.units.texts[2], strlen(desk_site.units.texts[2]),
                                 ENVELOPE_PAYLOAD_MAX, &envelope, NULL),
                 STATUS_OK));
    cr_assert(eq(int, work_unit_decode(envelope.payload, envelope.payload_length, &unit, NULL),
                 STATUS_OK));
    cr_expect(eq(str, unit.arguments.texts[0], "20"));
    cr_expect(eq(str, unit.arguments.texts[1], "25"));
    cr_expect(eq(i64, unit.index, 2));
    work_unit_clear(&unit);
}

Test(submit, a_word_in_braces_that_stands_for_nothing_is_a_wrong_command_line)
{
    int64_t requests = desk_site.requests;

    cr_expect(
        eq(int, RUN("submit", "app", "--range", "0..9", "--", "{from}", "{bogus}"), EXIT_USAGE));
    cr_expect(strstr(desk_said, "{bogus}") != NULL, "%s", desk_said);
    cr_expect(eq(i64, desk_site.requests, requests));
    write_at_home("units", "{\"args\":[\"{bogus}\"]}\n");
    cr_expect(
        eq(int, RUN("submit", "app", "--units", at_home("units"), "--name", "b"), EXIT_FAILED));
    cr_expect(strstr(desk_said, "{bogus}") != NULL, "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 0));
}

/* The list in the profile is exactly what the site has. */
static void expect_listed(const char *name)
{
    CLEANUP(freep) char *path = text_format(".config/dugnad/default/batches/%s/units", name);
    CLEANUP(buffer_clear) struct buffer listed = {0};

    buffer_init(&listed, 1 << 20);
    cr_assert(eq(int, desk_env.base.disk->read(desk_env.base.disk, at_home(path), &listed, NULL),
                 STATUS_OK));
    cr_assert(eq(sz, listed.length, desk_site.units.count * DIGEST_BYTES));
    for (size_t i = 0; i < desk_site.units.count; i++) {
        CLEANUP(envelope_clear) struct envelope envelope = {0};

        cr_assert(eq(int,
                     envelope_decode(desk_site.units.texts[i], strlen(desk_site.units.texts[i]),
                                     ENVELOPE_PAYLOAD_MAX, &envelope, NULL),
                     STATUS_OK));
        cr_expect(memcmp(listed.bytes + i * DIGEST_BYTES, envelope.digest.bytes, DIGEST_BYTES) ==
                  0);
    }
}

static int submit_files(void)
{
    CLEANUP(freep) char *folder = text_copy(at_home("in"));

    return RUN("submit", "app", folder, "--files-per-unit", "1", "--name", "cut", "--", "{input}");
}

/* Two large inputs, so that files are sent, too. */
static void make_inputs(void)
{
    char large[6000];

    memset(large, 'x', sizeof large);
    large[sizeof large - 1] = '\0';
    cr_assert(eq(int,
                 desk_env.base.disk->make_folder(desk_env.base.disk, at_home("in"), 0700, NULL),
                 STATUS_OK));
    write_at_home("in/a", large);
    large[0] = 'y';
    write_at_home("in/b", large);
    write_at_home("in/c", "small");
}

Test(submit, a_submission_cut_anywhere_goes_on_and_signs_the_same_units)
{
    bool is_through = false;

    make_inputs();
    for (int64_t after = 0; after < 40 && !is_through; after++) {
        desk_site.cut = after % 2 == 0 ? CUT_REQUEST : CUT_ANSWER;
        desk_site.cut_after = desk_site.requests + after / 2;
        is_through = submit_files() == EXIT_DONE;
        /* Clocks go on: what is signed must not depend on when it is repeated. */
        fake_env_pass(&desk_env, 3600 * 1000);
        cr_expect(desk_site.units.count == 0 || desk_site.units.count == 3);
    }
    cr_expect(is_through, "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 3));
    cr_expect(eq(sz, desk_site.files.count, 1 + 2)); /* the program's too */
    expect_listed("cut");
}

/* Slices travel together: of those under way any may have arrived. */
Test(submit, a_cut_that_leaves_a_hole_among_the_units_is_mended)
{
    const char *const words[] = {"dugnad",  "submit", "app", "--range",
                                 "0..2600", "--name", "b",   NULL};

    /* The keys, the batch and the first 500 units are sent; then 500 are lost and 1000 come. */
    desk_site.cut = CUT_HOLE;
    desk_site.cut_after = desk_site.requests + 6;
    cr_expect(eq(int, run_words(words), EXIT_UNREACHABLE));
    cr_expect(eq(sz, desk_site.units.count, 1500));
    desk_site.cut = CUT_NEVER;
    cr_expect(eq(int, run_words(words), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_said, "2600 units submitted (1100 new)") != NULL, "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 2600));
}

/* It would count as sent what no site took, and close a batch that lacks it. */
Test(submit, an_answer_to_units_that_cannot_be_read_ends_it_and_they_are_sent_again)
{
    desk_site.units_answer = "<html>thank you</html>";
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..9", "--name", "b"), EXIT_UNREACHABLE),
              "%s", desk_said);
    cr_expect(strstr(desk_said, "cannot be read") != NULL, "%s", desk_said);
    cr_expect(not(desk_site.is_closed));
    desk_site.units_answer = NULL;
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..9", "--name", "b"), EXIT_DONE), "%s",
              desk_said);
    cr_expect(eq(sz, desk_site.units.count, 9));
    cr_expect(desk_site.is_closed);
    expect_listed("b");
}

Test(submit, a_cut_submission_goes_on_with_its_own_options_only)
{
    /* project, freshness, apps, batch; then the units are cut off. */
    desk_site.cut = CUT_REQUEST;
    desk_site.cut_after = desk_site.requests + 4;
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..9", "--name", "b"), EXIT_UNREACHABLE));
    desk_site.cut = CUT_NEVER;
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..8", "--name", "b"), EXIT_FAILED));
    cr_expect(strstr(desk_said, "repeat that one") != NULL, "%s", desk_said);
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..9", "--name", "b"), EXIT_DONE), "%s",
              desk_said);
    expect_listed("b");
}

Test(submit, inputs_that_changed_since_the_cut_are_noticed)
{
    make_inputs();
    for (int64_t after = 0; desk_site.units.count == 0 && after < 20; after++) {
        desk_site.cut = CUT_ANSWER;
        desk_site.cut_after = desk_site.requests + after;
        (void)submit_files();
    }
    cr_assert(eq(sz, desk_site.units.count, 3));
    desk_site.cut = CUT_NEVER;
    texts_clear(&desk_site.units); /* a site that lost them asks for all again */
    write_at_home("in/c", "other");
    cr_expect(eq(int, submit_files(), EXIT_FAILED));
    cr_expect(strstr(desk_said, "changed") != NULL, "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 0));
}

static void change_an_input(void)
{
    char other[6000];

    memset(other, 'z', sizeof other);
    other[sizeof other - 1] = '\0';
    write_at_home("in/b", other);
}

static void cut_an_input_short(void)
{
    write_at_home("in/b", "short");
}

/* The site refused the bytes, or waited for the rest; nobody was told which file it was. */
Test(submit, an_input_that_changes_while_it_is_sent_is_refused_by_its_name)
{
    make_inputs();
    desk_site.before_files = change_an_input;
    cr_expect(eq(int, submit_files(), EXIT_FAILED), "%s", desk_said);
    cr_expect(strstr(desk_said, "in/b changed") != NULL, "%s", desk_said);
    desk_site.before_files = cut_an_input_short;
    cr_expect(eq(int, submit_files(), EXIT_FAILED), "%s", desk_said);
    cr_expect(strstr(desk_said, "in/b changed") != NULL, "%s", desk_said);
    cr_expect(not(desk_site.is_closed));
    cr_expect(eq(sz, desk_site.units.count, 0));
}

Test(submit, appending_goes_on_with_the_numbers_and_closes_when_told)
{
    cr_assert(
        eq(int, RUN("submit", "app", "--range", "0..2", "--name", "b", "--append"), EXIT_DONE),
        "%s", desk_said);
    cr_expect(not(desk_site.is_closed));
    cr_assert(eq(int, RUN("submit", "app", "--range", "2..4", "--name", "b", "--append", "--close"),
                 EXIT_DONE),
              "%s", desk_said);
    cr_expect(desk_site.is_closed);
    cr_expect(eq(sz, desk_site.units.count, 4));
    expect_listed("b");
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..2", "--name", "b"), EXIT_FAILED));
}

/* --- again --- */

/* A site that was restored from a copy from before the batch, or from while it was submitted. */
Test(submit, a_batch_that_the_site_lost_is_sent_again_as_it_was)
{
    CLEANUP(texts_clear) struct texts sent = {0};

    make_inputs();
    cr_assert(eq(int, submit_files(), EXIT_DONE), "%s", desk_said);
    for (size_t i = 0; i < desk_site.units.count; i++)
        texts_add(&sent, desk_site.units.texts[i]);
    for (size_t kept = 0; kept < 3; kept++) {
        fake_env_pass(&desk_env, 3600 * 1000);
        texts_clear(&desk_site.units);
        for (size_t i = 0; i < kept; i++)
            texts_add(&desk_site.units, sent.texts[i]);
        texts_clear(&desk_site.files);
        desk_site.has_batch = kept > 0;
        desk_site.is_closed = false;
        cr_expect(eq(int, submit_files(), EXIT_DONE), "%s", desk_said);
        cr_expect(strstr(desk_said, "sent again") != NULL, "%s", desk_said);
        cr_assert(eq(sz, desk_site.units.count, 3));
        for (size_t i = 0; i < 3; i++)
            cr_expect(eq(str, desk_site.units.texts[i], sent.texts[i]));
        cr_expect(desk_site.is_closed);
        expect_listed("cut");
    }
}

/* Who loses the last answer repeats the command, and was told that there is a batch. */
Test(submit, a_submission_that_is_through_says_so_when_it_is_repeated)
{
    int64_t requests;

    make_inputs();
    cr_assert(eq(int, submit_files(), EXIT_DONE), "%s", desk_said);
    requests = desk_site.requests;
    cr_expect(eq(int, submit_files(), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_said, "already submitted: 3 units") != NULL, "%s", desk_said);
    cr_expect(desk_site.requests - requests < 4);
    expect_listed("cut");
    write_at_home("in/c", "other");
    cr_expect(eq(int, submit_files(), EXIT_FAILED));
    cr_expect(strstr(desk_said, "not what it was") != NULL, "%s", desk_said);
    write_at_home("in/c", "small");
    write_at_home("in/d", "one more");
    cr_expect(eq(int, submit_files(), EXIT_FAILED));
    cr_expect(strstr(desk_said, "3 units") != NULL, "%s", desk_said);
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..3", "--name", "cut"), EXIT_FAILED));
    cr_expect(strstr(desk_said, "other options") != NULL, "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 3));
}

/* --- side by side --- */

static struct disk_file *hold(const char *name)
{
    CLEANUP(freep) char *path = text_format(".config/dugnad/default/%s", name);
    struct disk_file *lock = NULL;

    cr_assert(eq(int, desk_env.base.disk->lock(desk_env.base.disk, at_home(path), &lock, NULL),
                 STATUS_OK));
    return lock;
}

/* Two wrote the same temporary files, and one found its own gone. */
Test(submit, a_batch_that_another_one_submits_is_refused_at_once)
{
    CLEANUP(disk_file_closep) struct disk_file *other = NULL;
    int64_t before_ms;

    cr_assert(
        eq(int, RUN("submit", "app", "--range", "0..2", "--name", "b", "--append"), EXIT_DONE),
        "%s", desk_said);
    other = hold("batches/b/lock");
    before_ms = desk_env.now_mono_ms;
    cr_expect(
        eq(int, RUN("submit", "app", "--range", "2..4", "--name", "b", "--append"), EXIT_HELD),
        "%s", desk_said);
    cr_expect(strstr(desk_said, "another dugnad is submitting this batch") != NULL, "%s",
              desk_said);
    cr_expect(eq(i64, desk_env.now_mono_ms, before_ms));
    cr_expect(eq(sz, desk_site.units.count, 2));
    disk_file_close(TAKE(other));
    cr_expect(
        eq(int, RUN("submit", "app", "--range", "2..4", "--name", "b", "--append"), EXIT_DONE),
        "%s", desk_said);
}

Test(submit, who_finds_the_profile_in_use_waits_says_so_and_ends_with_7)
{
    CLEANUP(disk_file_closep) struct disk_file *other = hold("lock");
    int64_t before_ms = desk_env.now_mono_ms;

    cr_expect(eq(int, RUN("submit", "app", "--range", "0..2", "--name", "b"), EXIT_HELD), "%s",
              desk_said);
    cr_expect(strstr(desk_said, "waiting") != NULL, "%s", desk_said);
    cr_expect(desk_env.now_mono_ms - before_ms >= 30000 &&
              desk_env.now_mono_ms - before_ms < 120000);
    cr_expect(eq(sz, desk_site.units.count, 0));
}

/* --- what is no file --- */

Test(submit, what_is_no_regular_file_is_refused_by_its_name)
{
    CLEANUP(freep) char *fifo = text_copy(at_home("fifo"));

    cr_assert(zero(int, mkfifo(fifo, 0600)));
    cr_expect(eq(int, RUN("submit", "app", fifo, "--", "{input}"), EXIT_USAGE));
    cr_expect(strstr(desk_said, "/fifo is not a regular file") != NULL, "%s", desk_said);
    cr_expect(eq(int, RUN("submit", "app", "--units", fifo), EXIT_USAGE));
    cr_expect(strstr(desk_said, "/fifo is not a regular file") != NULL, "%s", desk_said);
    cr_expect(eq(int, RUN("submit", "app", "--units", "/tmp"), EXIT_USAGE));
    cr_expect(strstr(desk_said, "/tmp is not a regular file") != NULL, "%s", desk_said);
}

Test(submit, what_is_passed_over_in_a_folder_is_said)
{
    make_inputs();
    cr_assert(zero(int, mkfifo(at_home("in/fifo"), 0600)));
    cr_expect(eq(int, submit_files(), EXIT_DONE), "%s", desk_said);
    cr_expect(strstr(desk_said, "skipped 1 ") != NULL && strstr(desk_said, "in/fifo") != NULL, "%s",
              desk_said);
    cr_expect(eq(sz, desk_site.units.count, 3));
}

/* --- names --- */

static int submit_lines(const char *text, const char *option)
{
    CLEANUP(freep) char *path = text_copy(at_home("lines"));

    write_at_home("lines", text);
    return RUN("submit", "app", "--units", path, "--name", "b", option);
}

Test(submit, two_lines_of_one_name_are_refused_before_anything_is_sent)
{
    size_t before = desk_site.log.count;

    cr_expect(eq(
        int,
        submit_lines("{\"name\":\"one\"}\n\n{\"name\":\"two\"}\n{\"name\":\"One\"}\n", "--append"),
        EXIT_FAILED));
    cr_expect(strstr(desk_said, "line 4") != NULL && strstr(desk_said, "\"One\"") != NULL, "%s",
              desk_said);
    for (size_t i = before; i < desk_site.log.count; i++)
        cr_expect(text_starts_with(desk_site.log.texts[i], "GET "), "%s", desk_site.log.texts[i]);
    cr_expect(
        eq(int, submit_lines("{\"name\":\"one\"}\n{\"name\":\"two\"}\n", "--append"), EXIT_DONE),
        "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 2));
}

Test(submit, a_line_named_like_another_units_number_is_refused)
{
    cr_expect(eq(int, submit_lines("{\"name\":\"unit-1\"}\n{}\n", "--append"), EXIT_FAILED));
    cr_expect(strstr(desk_said, "line 2") != NULL && strstr(desk_said, "unit-1") != NULL, "%s",
              desk_said);
    cr_expect(eq(sz, desk_site.units.count, 0));
}

Test(submit, appended_units_may_not_have_names_of_earlier_ones)
{
    cr_assert(
        eq(int, submit_lines("{\"name\":\"one\"}\n{\"name\":\"two\"}\n", "--append"), EXIT_DONE),
        "%s", desk_said);
    cr_expect(eq(int, submit_lines("{\"name\":\"three\"}\n{\"name\":\"two\"}\n", "--append"),
                 EXIT_FAILED));
    cr_expect(strstr(desk_said, "line 2") != NULL && strstr(desk_said, "\"two\"") != NULL, "%s",
              desk_said);
    cr_expect(eq(sz, desk_site.units.count, 2));
    cr_expect(
        eq(int, submit_lines("{\"name\":\"three\"}\n{\"name\":\"four\"}\n", "--append"), EXIT_DONE),
        "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 4));
}

Test(submit, a_range_appended_twice_is_refused)
{
    cr_assert(
        eq(int, RUN("submit", "app", "--range", "0..2", "--name", "b", "--append"), EXIT_DONE));
    cr_expect(
        eq(int, RUN("submit", "app", "--range", "1..3", "--name", "b", "--append"), EXIT_FAILED));
    cr_expect(strstr(desk_said, "\"1-2\"") != NULL, "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 2));
}

/* Sent in part, then cut: the part that is there counts for the names of the rest. */
Test(submit, names_hold_across_a_cut)
{
    CLEANUP(buffer_clear) struct buffer lines = {0};
    bool is_through = false;

    buffer_init(&lines, 1 << 20);
    for (int i = 0; i < 600; i++) {
        CLEANUP(freep) char *line = text_format("{\"name\":\"n%d\"}\n", i);

        cr_assert(eq(int, buffer_append_text(&lines, line, NULL), STATUS_OK));
    }
    for (int64_t after = 0; after < 20 && !is_through; after++) {
        desk_site.cut = after % 2 == 0 ? CUT_REQUEST : CUT_ANSWER;
        desk_site.cut_after = desk_site.requests + after / 2;
        is_through = submit_lines(buffer_text(&lines), "--append") == EXIT_DONE;
    }
    cr_assert(is_through, "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 600));
    desk_site.cut = CUT_NEVER;
    for (int i = 0; i < 600; i += 599) {
        CLEANUP(freep) char *line = text_format("{\"name\":\"n%d\"}\n", i);

        cr_expect(eq(int, submit_lines(line, "--append"), EXIT_FAILED));
        cr_expect(eq(sz, desk_site.units.count, 600));
    }
}

/* --- Ctrl-C --- */

Test(submit, an_interrupted_submission_ends_with_130_and_goes_on)
{
    static volatile sig_atomic_t is_interrupted = 1;

    desk_session.is_interrupted = &is_interrupted;
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..1200", "--name", "b"), EXIT_INTERRUPTED));
    cr_expect(strstr(desk_said, "500 units are sent") != NULL, "%s", desk_said);
    cr_expect(eq(sz, desk_site.units.count, 500));
    cr_expect(eq(int, RUN("watch", "b"), EXIT_INTERRUPTED));
    cr_expect(
        eq(int, RUN("fetch", "b", "--follow", "--into", at_home("results")), EXIT_INTERRUPTED));
    is_interrupted = 0;
    cr_expect(eq(int, RUN("submit", "app", "--range", "0..1200", "--name", "b"), EXIT_DONE), "%s",
              desk_said);
    cr_expect(eq(sz, desk_site.units.count, 1200));
    cr_expect(desk_site.is_closed);
    expect_listed("b");
}

static void expect_no_batch(size_t before)
{
    for (size_t i = before; i < desk_site.log.count; i++)
        cr_expect(strstr(desk_site.log.texts[i], "/v1/batches") == NULL, "%s",
                  desk_site.log.texts[i]);
}

/* Such commands left an empty batch, open for ever, and a name that was taken. */
Test(submit, what_is_wrong_with_the_first_unit_is_said_before_a_batch_is_made)
{
    size_t before = desk_site.log.count;

    write_at_home("bad", "{\"nam\":\"x\"}\n");
    write_at_home("none", "\n");
    cr_expect(ne(int, RUN("submit", "app", "--units", at_home("bad")), EXIT_DONE));
    cr_expect(ne(int, RUN("submit", "app", "--units", at_home("none")), EXIT_DONE));
    cr_expect(strstr(desk_said, "no unit") != NULL, "%s", desk_said);
    cr_expect(ne(int, RUN("submit", "app", "--name", "b", "--", "{from}"), EXIT_DONE));
    cr_expect(strstr(desk_said, "{from}") != NULL, "%s", desk_said);
    cr_expect(ne(int, RUN("submit", "app", "--range", "0..2", "--memory", "900G"), EXIT_DONE));
    cr_expect(strstr(desk_said, "memory_bytes") != NULL, "%s", desk_said);
    cr_expect(ne(int, RUN("submit", "app", "--range", "0..2", "--memory", "900G", "--dry-run"),
                 EXIT_DONE));
    expect_no_batch(before);
}
