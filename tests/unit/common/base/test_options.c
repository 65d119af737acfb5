/* common/base/options: command lines, their help and their refusals. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/options.h"
#include "common/base/text.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct option_rule submit_options[] = {
    {.name = "quorum", .argument = "N", .help = "How many must agree (2)."},
    {.name = "only", .argument = "CLASS", .help = "Run there alone.", .is_repeatable = true},
    {.name = "needed-by", .argument = "SPAN", .help = "When it is wanted."},
    {.name = "memory", .argument = "SIZE", .help = "What a unit may use."},
    {.name = "independence", .argument = "WHO", .help = "What copies may not share."},
    {.name = "dry-run", .help = "Only say what would be done."},
};
static const struct option_rule common_options[] = {
    {.name = "json", .help = "Print JSON."},
};

static int run_nothing(void *context, const struct options *options)
{
    (void)context;
    return (int)options->operand_count;
}

static const struct command submit = {
    .name = "submit",
    .operands = "APP [FILE…]",
    .operand_min = 1,
    .operand_max = 3,
    .takes_rest = true,
    .summary = "Submit work",
    .description = "One paragraph.\n\nAnother.",
    .examples = "  dugnad submit primes\n",
    .options = submit_options,
    .option_count = COUNT(submit_options),
    .run = run_nothing,
};
static const struct command app_add = {
    .name = "app add", .summary = "Add an app", .operand_max = 2, .run = run_nothing};
static const struct command app = {.name = "app", .summary = "List apps", .run = run_nothing};
static const struct command *const commands[] = {&app, &submit, &app_add};
static const struct program dugnad = {
    .name = "dugnad",
    .version = "1",
    .summary = "publish work.",
    .options = common_options,
    .option_count = COUNT(common_options),
    .commands = commands,
    .command_count = COUNT(commands),
};

#define PARSE(ret_options, err, ...)                                                               \
    options_parse(&dugnad, &submit, COUNT(((const char *const[]){__VA_ARGS__})),                   \
                  (const char *const[]){__VA_ARGS__}, ret_options, err)

Test(options, values_operands_and_the_rest_are_told_apart)
{
    static const char *const words[] = {"primes", "--quorum=3", "a",  "--only", "x",       "--only",
                                        "--y",    "--json",     "--", "{from}", "--quorum"};
    CLEANUP(options_clear) struct options options = {0};
    int64_t quorum;

    cr_assert(
        eq(int, options_parse(&dugnad, &submit, COUNT(words), words, &options, NULL), STATUS_OK));
    cr_expect(eq(sz, options.operand_count, 2));
    cr_expect(eq(str, (char *)options.operands[1], "a"));
    cr_expect(eq(sz, options.rest_count, 2));
    cr_expect(eq(str, (char *)options.rest[1], "--quorum"));
    cr_expect(options_has(&options, "json") && !options_has(&options, "dry-run"));
    cr_expect(eq(str, (char *)options_nth(&options, "only", 1), "--y"));
    cr_expect(options_nth(&options, "only", 2) == NULL);
    cr_expect(eq(int, options_integer(&options, "quorum", 1, 16, 2, &quorum, NULL), STATUS_OK));
    cr_expect(eq(i64, quorum, 3));
}

Test(options, wrong_lines_are_refused_and_say_why)
{
    static const struct {
        const char *words[4];
        const char *why;
    } lines[] = {
        {{"a", "--nonsense"}, "there is no option --nonsense"},
        {{"a", "--quorum"}, "--quorum needs a value: --quorum N"},
        {{"a", "--quorum=1", "--quorum=1"}, "--quorum is given twice"},
        {{"a", "--dry-run=yes"}, "--dry-run takes no value"},
        {{"--dry-run"}, "something is missing: dugnad submit APP [FILE…]"},
        {{"a", "b", "c", "d"}, "\"d\" is too much here"},
        {{"a", "--quor", "1"}, "there is no option --quor"},
    };

    for (size_t i = 0; i < COUNT(lines); i++) {
        struct options options = {0};
        struct error err = {0};
        size_t count = 0;

        while (count < 4 && lines[i].words[count] != NULL)
            count++;
        cr_expect(eq(int, options_parse(&dugnad, &submit, count, lines[i].words, &options, &err),
                     STATUS_INVALID));
        cr_expect(eq(str, err.text, (char *)lines[i].why));
        cr_expect(options.values == NULL);
    }
}

Test(options, values_outside_their_range_name_the_option)
{
    static const char *const words[] = {"host", "volunteer"};
    CLEANUP(options_clear) struct options options = {0};
    struct error err = {0};
    int64_t value;
    size_t index;

    cr_assert(eq(int,
                 PARSE(&options, NULL, "a", "--quorum", "17", "--needed-by", "soon", "--memory",
                       "3X", "--independence", "nobody"),
                 STATUS_OK));
    cr_expect(eq(int, options_integer(&options, "quorum", 1, 16, 2, &value, &err), STATUS_INVALID));
    cr_expect(eq(str, err.text, "--quorum is a number 1..16"));
    cr_expect(
        eq(int, options_seconds(&options, "needed-by", 1, 100, 0, &value, &err), STATUS_INVALID));
    cr_expect(strstr(err.text, "--needed-by") != NULL);
    cr_expect(eq(int, options_bytes(&options, "memory", 0, 100, 0, &value, &err), STATUS_INVALID));
    cr_expect(strstr(err.text, "--memory") != NULL);
    cr_expect(eq(int, options_choice(&options, "independence", words, 2, 0, &index, &err),
                 STATUS_INVALID));
    cr_expect(eq(str, err.text, "--independence is one of: host, volunteer"));
}

/* Regression: returning early released a buffer that was never made. */
Test(options, a_choice_that_is_given_or_left_out_needs_no_list_of_words)
{
    static const char *const words[] = {"host", "volunteer"};
    CLEANUP(options_clear) struct options without = {0};
    CLEANUP(options_clear) struct options with = {0};
    size_t index = 9;

    cr_assert(eq(int, PARSE(&without, NULL, "a"), STATUS_OK));
    cr_expect(
        eq(int, options_choice(&without, "independence", words, 2, 1, &index, NULL), STATUS_OK));
    cr_expect(eq(sz, index, 1));
    cr_assert(eq(int, PARSE(&with, NULL, "a", "--independence", "host"), STATUS_OK));
    cr_expect(eq(int, options_choice(&with, "independence", words, 2, 1, &index, NULL), STATUS_OK));
    cr_expect(eq(sz, index, 0));
}

Test(options, the_longest_name_of_a_command_wins)
{
    const char *const words[] = {"app", "add", "x"};
    size_t used;

    cr_expect(program_find(&dugnad, 3, words, &used) == &app_add && used == 2);
    cr_expect(program_find(&dugnad, 1, words, &used) == &app && used == 1);
    cr_expect(program_find(&dugnad, 1, words + 1, &used) == NULL);
}

Test(options, the_first_word_of_several_commands_has_help)
{
    static const struct command app_list = {.name = "app list", .summary = "Lists them."};
    static const struct command *const three[] = {&submit, &app_add, &app_list};
    const struct program program = {.name = "dugnad", .commands = three, .command_count = 3};
    CLEANUP(buffer_clear) struct buffer help;

    buffer_init(&help, 65536);
    cr_expect(not(group_help(&program, "appl", &help)));
    cr_expect(not(group_help(&program, "submit", &help)), "it is a command itself");
    cr_assert(group_help(&program, "app", &help));
    cr_expect(strstr(buffer_text(&help), "app add") != NULL);
    cr_expect(strstr(buffer_text(&help), "app list ") != NULL, "%s", buffer_text(&help));
    cr_expect(strstr(buffer_text(&help), "submit") == NULL);
}

Test(options, help_and_manual_name_every_option_and_fit_the_terminal)
{
    CLEANUP(buffer_clear) struct buffer help, manual;
    CLEANUP(freep) char *lines = NULL;

    buffer_init(&help, 65536);
    buffer_init(&manual, 65536);
    command_help(&dugnad, &submit, &help);
    program_manual(&dugnad, &manual);
    for (size_t i = 0; i < COUNT(submit_options); i++)
        cr_expect(strstr(buffer_text(&help), submit_options[i].help) != NULL);
    cr_expect(strstr(buffer_text(&manual), "\\fB\\-\\-needed\\-by\\fR \\fISPAN\\fR") != NULL);
    cr_expect(strstr(buffer_text(&manual), ".SS dugnad app add") != NULL);
    lines = buffer_take(&help);
    for (char *line = strtok(lines, "\n"); line != NULL; line = strtok(NULL, "\n"))
        cr_expect(strlen(line) <= 85, "%s", line);
}

/* --- words that are no command --- */

static const struct command key_init = {
    .name = "key init", .summary = "Make keys", .run = run_nothing};
static const struct command key_publish = {
    .name = "key publish", .summary = "Publish keys", .run = run_nothing};
static const struct command *const grouped[] = {&submit, &key_init, &key_publish};
static const struct program with_group = {
    .name = "dugnad",
    .version = "1",
    .summary = "publish work.",
    .options = common_options,
    .option_count = COUNT(common_options),
    .commands = grouped,
    .command_count = COUNT(grouped),
};

/* What it says on stderr, to be freed. */
static char *said_to(int expected, int count, const char *const *words)
{
    CLEANUP(freep) char *said = NULL;
    size_t length;
    FILE *kept = stderr;
    int code;

    stderr = open_memstream(&said, &length);
    code = program_run(&with_group, NULL, count, words);
    (void)fclose(stderr);
    stderr = kept;
    cr_expect(eq(int, code, expected), "%s: %s", words[1], said);
    return TAKE(said);
}
#define SAID_TO(expected, ...)                                                                     \
    said_to(expected, COUNT(((const char *const[]){"dugnad", __VA_ARGS__})),                       \
            (const char *const[]){"dugnad", __VA_ARGS__})

static void expect_words(char *said, const char *words)
{
    cr_expect(strstr(said, words) != NULL, "no \"%s\" in: %s", words, said);
    free(said);
}

/* Regression: "there is no command \"key\"", though help and manual name five that begin so. */
Test(options, the_first_word_alone_lists_what_begins_with_it)
{
    expect_words(SAID_TO(OPTIONS_EXIT_USAGE, "key"), "key publish");
    expect_words(SAID_TO(OPTIONS_EXIT_USAGE, "key", "--json"), "key init");
    expect_words(SAID_TO(OPTIONS_EXIT_USAGE, "key", "other"), "key init");
}

Test(options, a_word_near_a_command_is_told_which)
{
    expect_words(SAID_TO(OPTIONS_EXIT_USAGE, "sumbit", "primes"), "mean \"submit\"?");
    expect_words(SAID_TO(OPTIONS_EXIT_USAGE, "key", "pubish"), "mean \"key publish\"?");
    expect_words(SAID_TO(OPTIONS_EXIT_USAGE, "kye", "publish"), "mean \"key publish\"?");
    expect_words(SAID_TO(OPTIONS_EXIT_USAGE, "kye"), "mean \"key\"?");
    expect_words(SAID_TO(OPTIONS_EXIT_USAGE, "xyzzy"), "no command \"xyzzy\"\n");
    expect_words(SAID_TO(OPTIONS_EXIT_USAGE, "key", "xyzzy"), "no command \"key xyzzy\"\n");
}

/* Regression: help of what is not there was all help, and 0. */
Test(options, help_of_what_is_not_there_says_so)
{
    CLEANUP(freep) char *longer = text_format("%0*d", 5000, 7);

    expect_words(SAID_TO(OPTIONS_EXIT_USAGE, "help", "sumbit"), "mean \"submit\"?");
    expect_words(SAID_TO(OPTIONS_EXIT_USAGE, "xyzzy", "--help"), "no command");
    expect_words(SAID_TO(OPTIONS_EXIT_USAGE, "help", "key", "xyzzy"), "key init");
    expect_words(SAID_TO(OPTIONS_EXIT_USAGE, longer, longer), "no command");
    expect_words(SAID_TO(OPTIONS_EXIT_USAGE, ""), "no command");
}

static int run_printing(void *context, const struct options *given)
{
    (void)given;
    (void)printf("a secret\n");
    return *(const int *)context;
}

/* Regression: results that were lost to a full disk ended with 0. */
Test(options, output_that_cannot_be_written_is_a_failure)
{
    static const struct command printing = {.name = "print", .summary = "x", .run = run_printing};
    static const struct command *const one[] = {&printing};
    static const struct program program = {
        .name = "dugnad", .version = "1", .summary = "x", .commands = one, .command_count = 1};
    static const struct program in_part = {.name = "dugnad",
                                           .version = "1",
                                           .summary = "x",
                                           .commands = one,
                                           .command_count = 1,
                                           .exit_in_part = 3};
    static const char *const words[] = {"dugnad", "print"}, *const help[] = {"dugnad", "help"};
    int code = OPTIONS_EXIT_OK;

    cr_assert(freopen("/dev/full", "w", stdout) != NULL);
    cr_expect(eq(int, program_run(&program, &code, 2, words), OPTIONS_EXIT_FAILED));
    cr_expect(eq(int, program_run(&program, &code, 2, help), OPTIONS_EXIT_FAILED));
    code = 3;
    cr_expect(eq(int, program_run(&program, &code, 2, words), 3));
    cr_expect(eq(int, program_run(&in_part, &code, 2, words), OPTIONS_EXIT_FAILED));
    code = 6;
    cr_expect(eq(int, program_run(&in_part, &code, 2, words), 6));
    cr_assert(freopen("/dev/null", "w", stdout) != NULL);
    cr_expect(eq(int, program_run(&program, &code, 2, help), OPTIONS_EXIT_OK));
}
