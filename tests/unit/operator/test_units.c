/* Where units come from: operator/template, operator/unit_source, operator/inputs. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/env/real.h"
#include "operator/template.h"
#include "operator/unit_source.h"

/* --- places in arguments --- */

static enum status expand(const char *text, size_t input_count, struct texts *arguments,
                          struct error *err)
{
    static char *inputs[] = {"a.txt", "b.txt"};
    struct texts names = {.texts = inputs, .count = input_count};
    struct template_values values = {.name = "u7",
                                     .index = 7,
                                     .has_range = input_count == 0,
                                     .from = 70,
                                     .to = 80,
                                     .inputs = &names};

    return template_expand(text, &values, arguments, err);
}

Test(template, each_place_becomes_its_value)
{
    static const struct {
        const char *text;
        const char *becomes;
    } cases[] = {
        {"--from={from}", "--from=70"},
        {"{from}..{to}", "70..80"},
        {"{name}-{index}", "u7-7"},
        {"", ""},
        {"{ print $1 }", "{ print $1 }"},
        {"a{3}{2,}{", "a{3}{2,}{"},
        {"{{from}}", "{from}"},
        {"{{bogus}}-{to}", "{bogus}-80"},
        {"{if(x){{print}}}", "{if(x){print}}"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(texts_clear) struct texts arguments = {0};

        cr_assert(eq(int, expand(cases[i].text, 0, &arguments, NULL), STATUS_OK));
        cr_assert(eq(sz, arguments.count, 1));
        cr_expect(eq(str, arguments.texts[0], (char *)cases[i].becomes));
    }
}

Test(template, input_alone_becomes_all_inputs_and_within_text_needs_one)
{
    CLEANUP(texts_clear) struct texts arguments = {0};
    struct error err = {0};

    cr_expect(eq(int, expand("{input}", 2, &arguments, NULL), STATUS_OK));
    cr_expect(eq(sz, arguments.count, 2));
    cr_expect(eq(int, expand("in={input}", 1, &arguments, NULL), STATUS_OK));
    cr_expect(eq(str, arguments.texts[2], "in=a.txt"));
    cr_expect(eq(int, expand("in={input}", 2, &arguments, &err), STATUS_INVALID));
    cr_expect(strstr(err.text, "{input}") != NULL);
    cr_expect(eq(int, expand("{input}", 0, &arguments, &err), STATUS_INVALID));
}

Test(template, places_without_a_value_are_named)
{
    CLEANUP(texts_clear) struct texts arguments = {0};
    struct error err = {0};

    cr_expect(eq(int, expand("x{from}", 1, &arguments, &err), STATUS_INVALID));
    cr_expect(strstr(err.text, "{from}") != NULL);
}

Test(template, an_unknown_place_is_named_with_the_known_ones_and_the_way_out)
{
    static const char *const texts[] = {"{bogus}", "--to={bogus}", "{ x}{bogus}", "{from}{bogus}}"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CLEANUP(texts_clear) struct texts arguments = {0};
        struct error err = {0};

        cr_expect(eq(int, expand(texts[i], 0, &arguments, &err), STATUS_INVALID), "%s", texts[i]);
        cr_expect(strstr(err.text, "{bogus}") != NULL, "%s", err.text);
        cr_expect(strstr(err.text, "{from} {to} {input} {name} {index}") != NULL, "%s", err.text);
        cr_expect(strstr(err.text, "{{bogus}}") != NULL, "%s", err.text);
    }
}

/* --- ranges --- */

static enum status next(struct unit_source *source, struct unit_draft *draft, bool *ret_is_there)
{
    unit_draft_clear(draft);
    return unit_source_next(source, draft, ret_is_there, NULL);
}

Test(range, is_half_open_and_the_last_part_may_be_shorter)
{
    static const char *const names[] = {"10-14", "14-18", "18-20"};
    CLEANUP(unit_source_clear) struct unit_source source = {0};
    CLEANUP(unit_draft_clear) struct unit_draft draft = {0};
    bool is_there;

    cr_assert(eq(int, unit_source_range(&source, "10..20", 4, NULL), STATUS_OK));
    cr_expect(eq(i64, unit_source_count(&source), 3));
    for (size_t i = 0; i < 3; i++) {
        cr_assert(eq(int, next(&source, &draft, &is_there), STATUS_OK));
        cr_assert(is_there);
        cr_expect(eq(str, draft.name.text, (char *)names[i]));
    }
    cr_expect(draft.from == 18 && draft.to == 20);
    cr_assert(eq(int, next(&source, &draft, &is_there), STATUS_OK));
    cr_expect(not(is_there));
}

Test(range, the_largest_one_does_not_overflow)
{
    CLEANUP(unit_source_clear) struct unit_source source = {0};
    CLEANUP(unit_draft_clear) struct unit_draft draft = {0};
    bool is_there;

    cr_assert(eq(int, unit_source_range(&source, "0..9007199254740991", UNIT_RANGE_MAX, NULL),
                 STATUS_OK));
    cr_expect(eq(i64, unit_source_count(&source), 1));
    cr_assert(eq(int, next(&source, &draft, &is_there), STATUS_OK));
    cr_expect(eq(i64, draft.to, UNIT_RANGE_MAX));
}

Test(range, what_is_no_range_is_refused)
{
    static const char *const ranges[] = {
        "",     "5",      "5..", "..5", "5..5", "6..5", "-1..5", "1...5", "0..9007199254740992",
        "a..b", "1..2..3"};

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        struct unit_source source = {0};
        struct error err = {0};

        cr_expect(eq(int, unit_source_range(&source, ranges[i], 1, &err), STATUS_INVALID), "%s",
                  ranges[i]);
        cr_expect(strstr(err.text, "--range") != NULL);
    }
}

/* --- lines --- */

static void open_lines(struct unit_source *source, const char *text)
{
    unit_source_stream(source, fmemopen((void *)text, strlen(text), "r"));
}

static void close_lines(struct unit_source *source)
{
    (void)fclose(source->stream);
    unit_source_clear(source);
}

Test(lines, each_describes_a_unit_and_blank_ones_pass)
{
    struct unit_source source = {0};
    CLEANUP(unit_draft_clear) struct unit_draft draft = {0};
    bool is_there;

    open_lines(&source, "{\"name\":\"a\",\"args\":[\"1\",\"\"],\"inputs\":[\"x/y\"]}\n\n  \n{}");
    cr_expect(eq(i64, unit_source_count(&source), -1));
    cr_assert(eq(int, next(&source, &draft, &is_there), STATUS_OK));
    cr_expect(eq(str, draft.name.text, "a"));
    cr_expect(draft.has_arguments && draft.arguments.count == 2 && draft.paths.count == 1);
    cr_assert(eq(int, next(&source, &draft, &is_there), STATUS_OK));
    cr_expect(is_there && draft.name.text[0] == '\0' && !draft.has_arguments);
    cr_assert(eq(int, next(&source, &draft, &is_there), STATUS_OK));
    cr_expect(not(is_there));
    close_lines(&source);
}

Test(lines, a_wrong_one_is_named_by_its_number)
{
    static const struct {
        const char *line;
        const char *names;
    } cases[] = {
        {"{\"name\":\"a\",\"nmae\":1}", "nmae"},
        {"{\"name\":\"../a\"}", "name"},
        {"{\"args\":\"1\"}", "args"},
        {"{\"args\":[1]}", "args[0]"},
        {"{\"inputs\":[\"\"]}", "inputs[0]"},
        {"[]", ""},
        {"{\"name\":\"a\"", ""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CLEANUP(freep) char *text = text_format("{}\n\n%s\n", cases[i].line);
        struct unit_source source = {0};
        CLEANUP(unit_draft_clear) struct unit_draft draft = {0};
        struct error err = {0};
        bool is_there;

        open_lines(&source, text);
        cr_assert(eq(int, next(&source, &draft, &is_there), STATUS_OK));
        cr_expect(eq(int, unit_source_next(&source, &draft, &is_there, &err), STATUS_INVALID));
        cr_expect(strstr(err.text, "line 3") != NULL && strstr(err.text, cases[i].names) != NULL,
                  "%s", err.text);
        close_lines(&source);
    }
}

Test(lines, one_that_never_ends_is_refused_without_being_kept)
{
    size_t length = 10 * 1024 * 1024;
    char *endless = malloc(length + 1);
    struct unit_source source = {0};
    struct unit_draft draft = {0};
    struct error err = {0};
    bool is_there;

    memset(endless, 'x', length);
    endless[length] = '\0';
    open_lines(&source, endless);
    cr_expect(eq(int, unit_source_next(&source, &draft, &is_there, &err), STATUS_TOO_LARGE));
    cr_expect(source.ahead.capacity < 1024 * 1024);
    close_lines(&source);
    free(endless);
}

/* --- files --- */

static char folder[] = "/tmp/dugnad-inputs-XXXXXX";

static void make_file(const char *name)
{
    struct disk *disk = disk_real();
    struct disk_path path;
    char *slash;

    cr_assert(eq(int, disk_join(&path, NULL, "%s/%s", folder, name), STATUS_OK));
    slash = strrchr(path.text, '/');
    *slash = '\0';
    cr_assert(eq(int, disk_make_folders(disk, path.text, 0700, NULL), STATUS_OK));
    *slash = '/';
    cr_assert(eq(int, disk->write(disk, path.text, name, strlen(name), 0600, NULL), STATUS_OK));
}

static void make_tree(void)
{
    cr_assert(mkdtemp(folder) != NULL);
    make_file("a/one.txt");
    make_file("a/two.txt");
    make_file("a/deep/one.txt");
    make_file("a/.hidden");
    make_file("b/one.txt");
    make_file("b/picture of me.png");
}

static void remove_tree(void)
{
    (void)disk_real()->remove_tree(disk_real(), folder, NULL);
}

TestSuite(inputs, .init = make_tree, .fini = remove_tree);

static enum status gather(const char *operand, const char *other, int64_t per_unit,
                          struct input_groups *groups, struct error *err)
{
    CLEANUP(freep) char *first = text_format("%s/%s", folder, operand);
    CLEANUP(freep) char *second = other != NULL ? text_format("%s/%s", folder, other) : NULL;
    const char *operands[] = {first, second};

    return input_groups_gather(disk_real(), operands, other != NULL ? 2 : 1, per_unit, groups, err);
}

Test(inputs, a_file_is_a_unit_and_a_folder_is_a_unit)
{
    CLEANUP(input_groups_clear) struct input_groups groups = {0};

    cr_assert(eq(int, gather("a/", "b/one.txt", 0, &groups, NULL), STATUS_OK));
    cr_assert(eq(sz, groups.count, 2));
    cr_expect(eq(str, groups.groups[0].name.text, "a"));
    cr_expect(eq(sz, groups.groups[0].paths.count, 3));
    cr_expect(eq(str, groups.groups[1].name.text, "one.txt"));
}

Test(inputs, a_pattern_is_expanded_here_and_each_file_is_a_unit)
{
    CLEANUP(input_groups_clear) struct input_groups groups = {0};

    cr_assert(eq(int, gather("a/*.txt", NULL, 0, &groups, NULL), STATUS_OK));
    cr_expect(eq(sz, groups.count, 2));
    cr_expect(eq(str, groups.groups[1].name.text, "two.txt"));
}

Test(inputs, files_of_one_name_become_units_of_different_names_the_same_each_time)
{
    for (int again = 0; again < 2; again++) {
        CLEANUP(input_groups_clear) struct input_groups groups = {0};

        cr_assert(eq(int, gather("a/*.txt", "b/*.txt", 0, &groups, NULL), STATUS_OK));
        cr_assert(eq(sz, groups.count, 3));
        cr_expect(eq(str, groups.groups[0].name.text, "one.txt"));
        cr_expect(eq(str, groups.groups[2].name.text, "one-2.txt"));
    }
}

Test(inputs, files_are_dealt_so_many_to_a_unit)
{
    CLEANUP(input_groups_clear) struct input_groups groups = {0};

    cr_assert(eq(int, gather("a", "b", 2, &groups, NULL), STATUS_OK));
    cr_assert(eq(sz, groups.count, 3));
    cr_expect(eq(sz, groups.groups[0].paths.count, 2));
    cr_expect(eq(sz, groups.groups[2].paths.count, 1));
    cr_expect(eq(str, groups.groups[2].name.text, "files-000002"));
}

Test(inputs, what_is_not_there_is_named)
{
    CLEANUP(input_groups_clear) struct input_groups groups = {0};
    struct error err = {0};

    cr_expect(eq(int, gather("a/*.pdf", NULL, 0, &groups, &err), STATUS_NOT_FOUND));
    cr_expect(strstr(err.text, "*.pdf") != NULL);
    cr_expect(eq(int, gather("c", NULL, 0, &groups, &err), STATUS_NOT_FOUND));
    cr_expect(strstr(err.text, "/c") != NULL);
}

Test(inputs, a_pattern_without_a_match_is_named_as_one)
{
    CLEANUP(input_groups_clear) struct input_groups groups = {0};
    struct error err = {0};

    cr_expect(eq(int, gather("a/*.pdf", NULL, 0, &groups, &err), STATUS_NOT_FOUND));
    cr_expect(strstr(err.text, "matches nothing") != NULL, "%s", err.text);
    cr_expect(eq(int, gather("*/*/*f", NULL, 0, &groups, &err), STATUS_NOT_FOUND));
    cr_expect(strstr(err.text, "matches nothing") != NULL, "%s", err.text);
    cr_expect(strstr(err.text, "last part") != NULL, "%s", err.text);
}

static void in_folder(struct disk_path *path, const char *name)
{
    cr_assert(eq(int, disk_join(path, NULL, "%s/%s", folder, name), STATUS_OK));
}

/* They were passed over without a word. */
Test(inputs, what_is_no_plain_file_in_a_folder_is_passed_over_and_counted)
{
    static const char *const operands[] = {"b", "b/*"};
    struct disk_path fifo, link;

    in_folder(&fifo, "b/fifo");
    in_folder(&link, "b/link");
    cr_assert(zero(int, mkfifo(fifo.text, 0600)));
    cr_assert(zero(int, symlink("nowhere", link.text)));
    for (size_t i = 0; i < 2; i++) {
        CLEANUP(input_groups_clear) struct input_groups groups = {0};

        cr_assert(eq(int, gather(operands[i], NULL, 1, &groups, NULL), STATUS_OK));
        cr_expect(eq(sz, groups.count, 2));
        cr_expect(eq(sz, groups.skipped, 2));
        cr_assert(eq(sz, groups.skipped_first.count, 2));
        cr_expect(eq(str, groups.skipped_first.texts[1], link.text));
    }
}

Test(inputs, a_named_thing_that_is_no_file_is_refused)
{
    CLEANUP(input_groups_clear) struct input_groups groups = {0};
    struct error err = {0};
    struct disk_path fifo;

    in_folder(&fifo, "b/fifo");
    cr_assert(zero(int, mkfifo(fifo.text, 0600)));
    cr_expect(eq(int, gather("b/fifo", NULL, 0, &groups, &err), STATUS_INVALID));
    cr_expect(strstr(err.text, "b/fifo is not a regular file") != NULL, "%s", err.text);
}

Test(inputs, names_in_the_tasks_folder_are_safe_and_unique)
{
    static char *paths[] = {"a/x.txt", "b/X.txt", "c/x.txt", ".rc", "a b\xc3\xa9", "-v"};
    struct texts list = {.texts = paths, .count = 6};
    CLEANUP(texts_clear) struct texts names = {0};

    input_names(&list, &names);
    cr_expect(eq(str, names.texts[0], "x.txt"));
    cr_expect(eq(str, names.texts[1], "X-2.txt"));
    cr_expect(eq(str, names.texts[2], "x-3.txt"));
    cr_expect(eq(str, names.texts[3], "_rc"));
    cr_expect(eq(str, names.texts[4], "a_b__"));
    cr_expect(eq(str, names.texts[5], "_v"));
}
