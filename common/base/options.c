#include "common/base/options.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

#define HELP_MAX (256 * 1024)

void options_clear(struct options *options)
{
    free(options->values);
    free(options->operands);
    *options = (struct options){0};
}

static const struct option_rule *find_in(const struct option_rule *rules, size_t count,
                                         const char *name, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(rules[i].name, name, length) == 0 && rules[i].name[length] == '\0')
            return &rules[i];
    return NULL;
}

static const struct option_rule *find_rule(const struct options *options, const char *name,
                                           size_t length)
{
    const struct command *command = options->command;
    const struct program *program = options->program;
    const struct option_rule *rule = find_in(command->options, command->option_count, name, length);

    if (rule != NULL || command->is_of_itself)
        return rule;
    return find_in(program->options, program->option_count, name, length);
}

static const char *nth_value(const struct options *options, const struct option_rule *rule,
                             size_t index, bool *ret_found)
{
    for (size_t i = 0; i < options->value_count; i++) {
        if (options->values[i].rule == rule && index-- == 0) {
            *ret_found = true;
            return options->values[i].text;
        }
    }
    *ret_found = false;
    return NULL;
}

/* A name that is asked for is one of the tables: everything else is a mistake of the program. */
static const struct option_rule *known_rule(const struct options *options, const char *name)
{
    const struct option_rule *rule = find_rule(options, name, strlen(name));

    assert(rule != NULL);
    return rule;
}

bool options_has(const struct options *options, const char *name)
{
    bool found;

    (void)nth_value(options, known_rule(options, name), 0, &found);
    return found;
}

const char *options_nth(const struct options *options, const char *name, size_t index)
{
    bool found;

    return nth_value(options, known_rule(options, name), index, &found);
}

const char *options_text(const struct options *options, const char *name)
{
    return options_nth(options, name, 0);
}

const char *options_text_or(const struct options *options, const char *name, const char *absent)
{
    const char *text = options_text(options, name);

    return text != NULL ? text : absent;
}

enum status options_integer(const struct options *options, const char *name, int64_t min,
                            int64_t max, int64_t absent, int64_t *ret_value, struct error *err)
{
    const char *text = options_text(options, name);

    if (text == NULL)
        *ret_value = absent;
    else if (!text_to_integer(text, min, max, ret_value))
        return error_set(err, STATUS_INVALID, "--%s is a number %lld..%lld", name, (long long)min,
                         (long long)max);
    return STATUS_OK;
}

enum status options_bytes(const struct options *options, const char *name, int64_t min, int64_t max,
                          int64_t absent, int64_t *ret_bytes, struct error *err)
{
    const char *text = options_text(options, name);
    int64_t bytes;

    if (text == NULL)
        *ret_bytes = absent;
    else if (!text_to_bytes(text, max, &bytes) || bytes < min)
        return error_set(err, STATUS_INVALID, "--%s is a size such as 512M, %lld..%lld bytes", name,
                         (long long)min, (long long)max);
    else
        *ret_bytes = bytes;
    return STATUS_OK;
}

enum status options_seconds(const struct options *options, const char *name, int64_t min,
                            int64_t max, int64_t absent, int64_t *ret_seconds, struct error *err)
{
    const char *text = options_text(options, name);
    int64_t seconds;

    if (text == NULL)
        *ret_seconds = absent;
    else if (!text_to_seconds(text, max, &seconds) || seconds < min)
        return error_set(err, STATUS_INVALID,
                         "--%s is a time such as 90s, 15m, 6h or 14d, %lld..%lld seconds", name,
                         (long long)min, (long long)max);
    else
        *ret_seconds = seconds;
    return STATUS_OK;
}

enum status options_choice(const struct options *options, const char *name,
                           const char *const *words, size_t count, size_t absent, size_t *ret_index,
                           struct error *err)
{
    const char *text = options_text(options, name);
    CLEANUP(buffer_clear) struct buffer list = {.max = 200};

    for (size_t i = 0; text != NULL && i < count; i++) {
        if (strcmp(text, words[i]) == 0) {
            *ret_index = i;
            return STATUS_OK;
        }
    }
    if (text == NULL) {
        *ret_index = absent;
        return STATUS_OK;
    }
    for (size_t i = 0; i < count; i++)
        (void)buffer_printf(&list, NULL, "%s%s", i == 0 ? "" : ", ", words[i]);
    return error_set(err, STATUS_INVALID, "--%s is one of: %s", name, buffer_text(&list));
}

enum status options_belong(const struct options *options, bool applies, const char *name,
                           const char *where, struct error *err)
{
    if (applies || !options_has(options, name))
        return STATUS_OK;
    return error_set(err, STATUS_INVALID, "--%s belongs to %s", name, where);
}

/* `word` is "--name" or "--name=value"; *next is the word after it, consumed if it is the value. */
static enum status take_option(struct options *options, const char *word, const char *next,
                               bool *ret_used_next, struct error *err)
{
    const char *name = word + 2;
    size_t length = strcspn(name, "=");
    const struct option_rule *rule = find_rule(options, name, length);
    const char *value = name[length] == '=' ? name + length + 1 : NULL;
    bool is_again;

    if (rule == NULL)
        return error_set(err, STATUS_INVALID, "there is no option --%.*s",
                         (int)(length < 40 ? length : 40), name);
    (void)nth_value(options, rule, 0, &is_again);
    if (is_again && !rule->is_repeatable)
        return error_set(err, STATUS_INVALID, "--%s is given twice", rule->name);
    if (rule->argument == NULL && value != NULL)
        return error_set(err, STATUS_INVALID, "--%s takes no value", rule->name);
    *ret_used_next = rule->argument != NULL && value == NULL;
    if (*ret_used_next && next == NULL)
        return error_set(err, STATUS_INVALID, "--%s needs a value: --%s %s", rule->name, rule->name,
                         rule->argument);
    options->values[options->value_count++] =
        (struct option_value){.rule = rule, .text = *ret_used_next ? next : value};
    return STATUS_OK;
}

static enum status check_operands(const struct options *options, struct error *err)
{
    const struct command *command = options->command;

    if (options->operand_count < command->operand_min)
        return error_set(err, STATUS_INVALID, "something is missing: %s %s %s",
                         options->program->name, command->name,
                         command->operands != NULL ? command->operands : "");
    if (options->operand_count > command->operand_max)
        return error_set(err, STATUS_INVALID, "\"%.60s\" is too much here",
                         options->operands[command->operand_max]);
    return STATUS_OK;
}

static enum status parse_words(struct options *options, size_t count, const char *const *words,
                               struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        bool used_next = false;

        if (strcmp(words[i], "--") == 0) {
            options->rest = words + i + 1;
            options->rest_count = count - i - 1;
            break;
        }
        if (!text_starts_with(words[i], "--")) {
            options->operands[options->operand_count++] = words[i];
            continue;
        }
        TRY(take_option(options, words[i], i + 1 < count ? words[i + 1] : NULL, &used_next, err));
        i += used_next;
    }
    if (options->command->takes_rest)
        return check_operands(options, err);
    for (size_t i = 0; i < options->rest_count; i++)
        options->operands[options->operand_count++] = options->rest[i];
    options->rest_count = 0;
    return check_operands(options, err);
}

enum status options_parse(const struct program *program, const struct command *command,
                          size_t count, const char *const *words, struct options *ret_options,
                          struct error *err)
{
    CLEANUP(options_clear)
    struct options options = {
        .program = program,
        .command = command,
        .values = must_alloc(count, sizeof *options.values),
        .operands = must_alloc(count, sizeof *options.operands),
    };

    TRY(parse_words(&options, count, words, err));
    *ret_options = options;
    options = (struct options){0};
    return STATUS_OK;
}

/* How many of the words are the command's name; 0: they are not. */
static size_t match_name(const struct command *command, size_t count, const char *const *words)
{
    const char *name = command->name;
    size_t used = 0;

    while (used < count) {
        size_t length = strlen(words[used]);

        if (length == 0 || strncmp(name, words[used], length) != 0)
            return 0;
        used++;
        if (name[length] == '\0')
            return used;
        if (name[length] != ' ')
            return 0;
        name += length + 1;
    }
    return 0;
}

const struct command *program_find(const struct program *program, size_t count,
                                   const char *const *words, size_t *ret_used)
{
    const struct command *best = NULL;

    *ret_used = 0;
    for (size_t i = 0; i < program->command_count; i++) {
        const struct command *command = program->commands[i];
        size_t used = match_name(command, count, words);

        if (used > *ret_used || (best == NULL && command->name[0] == '\0')) {
            best = command;
            *ret_used = used;
        }
    }
    return best;
}

/* Before a `--`, is there a `--help`? */
static bool wants_help(size_t count, const char *const *words)
{
    for (size_t i = 0; i < count && strcmp(words[i], "--") != 0; i++)
        if (strcmp(words[i], "--help") == 0)
            return true;
    return false;
}

/* `word`: what was asked about where it is no command; NULL: nothing. */
static int print_help(const struct program *program, const struct command *command,
                      const char *word)
{
    CLEANUP(buffer_clear) struct buffer text = {0};

    buffer_init(&text, HELP_MAX);
    if (command == NULL && (word == NULL || !group_help(program, word, &text)))
        program_help(program, &text);
    else if (command != NULL)
        command_help(program, command, &text);
    return fputs(buffer_text(&text), stdout) == EOF;
}

static int usage_error(const struct program *program, const struct command *command,
                       const char *words)
{
    bool is_named = command != NULL && command->name[0] != '\0';

    (void)fprintf(stderr, "%s: %s\nSee '%s%s%s --help'.\n", program->name, words, program->name,
                  is_named ? " " : "", is_named ? command->name : "");
    return OPTIONS_EXIT_USAGE;
}

static int run_command(const struct program *program, const struct command *command, void *context,
                       size_t count, const char *const *words)
{
    CLEANUP(options_clear) struct options options = {0};
    struct error err = {0};

    if (options_parse(program, command, count, words, &options, &err) != STATUS_OK)
        return usage_error(program, command, err.text);
    return command->run(context, &options);
}

/* A command, a word that several begin with, or nothing but options: there is help for it. */
static bool is_known(const struct program *program, const struct command *command, size_t count,
                     const char *const *words)
{
    CLEANUP(buffer_clear) struct buffer list = {.max = HELP_MAX};
    size_t named = 0;

    while (named < count && !text_starts_with(words[named], "--"))
        named++;
    return command != NULL || named == 0 || (named == 1 && group_list(program, words[0], &list));
}

/* What was printed has to have arrived: a script that asks for a token must not go on without. A
 * reader that went away (`… | head -1`) wanted no more, and needs no words. */
static int keep_output(const struct program *program, int code)
{
    bool is_lost = ferror(stdout) != 0;

    errno = 0;
    if (fflush(stdout) == 0 && !is_lost)
        return code;
    if (errno != EPIPE)
        (void)fprintf(stderr, "%s: not all that it printed could be written%s%s\n", program->name,
                      errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
    clearerr(stdout);
    return code == OPTIONS_EXIT_OK || code == program->exit_in_part ? OPTIONS_EXIT_FAILED : code;
}

static int dispatch(const struct program *program, void *context, int argc, const char *const *argv)
{
    const char *const *words = argv + 1;
    size_t count = argc > 1 ? (size_t)argc - 1 : 0;
    bool is_help = count > 0 && strcmp(words[0], "help") == 0;
    const struct command *command;
    size_t used;

    if (count > 0 && strcmp(words[0], "--version") == 0)
        return printf("%s %s\n", program->name, program->version) < 0;
    if (is_help) {
        words++;
        count--;
    }
    command = program_find(program, count, words, &used);
    if ((is_help || wants_help(count, words)) && is_known(program, command, count, words))
        return print_help(program, command, count > 0 ? words[0] : NULL);
    if (command == NULL && count == 0) {
        (void)print_help(program, NULL, NULL);
        return OPTIONS_EXIT_USAGE;
    }
    if (command == NULL) {
        options_say_unknown(program, count, words);
        return OPTIONS_EXIT_USAGE;
    }
    return run_command(program, command, context, count - used, words + used);
}

int program_run(const struct program *program, void *context, int argc, const char *const *argv)
{
    return keep_output(program, dispatch(program, context, argc, argv));
}
