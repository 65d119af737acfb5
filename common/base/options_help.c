/* Words about command lines: help for the terminal and the manual page, from the same tables. */
#include <string.h>

#include "common/base/options.h"

#define HELP_COLUMNS 79
#define HELP_INDENT  30 /* where the sentence of an option or command begins */

/* Characters a terminal shows: all bytes but UTF-8's continuation ones. */
static size_t columns(const char *text, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

static void put(struct buffer *text, const char *words)
{
    (void)buffer_append_text(text, words, NULL);
}

static void put_blanks(struct buffer *text, size_t count)
{
    (void)buffer_printf(text, NULL, "%*s", (int)count, "");
}

/* Words from column `at` on, broken at blanks, each further line indented; "\n\n" parts. */
static void put_wrapped(struct buffer *text, const char *words, size_t at, size_t indent)
{
    bool is_fresh = true;

    while (*words != '\0') {
        size_t length = strcspn(words, " \n");
        size_t width = columns(words, length);

        if (!is_fresh && at + 1 + width > HELP_COLUMNS) {
            put(text, "\n");
            put_blanks(text, indent);
            at = indent;
            is_fresh = true;
        }
        put(text, is_fresh ? "" : " ");
        at += width + !is_fresh;
        (void)buffer_append(text, words, length, NULL);
        is_fresh = false;
        words += length;
        if (strncmp(words, "\n\n", 2) == 0) {
            put(text, "\n\n");
            put_blanks(text, indent);
            at = indent;
            is_fresh = true;
        }
        words += strspn(words, " \n");
    }
    put(text, "\n");
}

/* "  left   words": left column, then the sentence. */
static void put_entry(struct buffer *text, const char *left, const char *words)
{
    size_t width = 2 + columns(left, strlen(left));

    (void)buffer_printf(text, NULL, "  %s", left);
    if (width + 2 > HELP_INDENT) {
        put(text, "\n");
        width = 0;
    }
    put_blanks(text, HELP_INDENT - width);
    put_wrapped(text, words, HELP_INDENT, HELP_INDENT);
}

static void put_option(struct buffer *text, const struct option_rule *rule)
{
    CLEANUP(buffer_clear) struct buffer left = {0};

    buffer_init(&left, 200);
    (void)buffer_printf(&left, NULL, "--%s%s%s%s", rule->name, rule->argument != NULL ? " " : "",
                        rule->argument != NULL ? rule->argument : "",
                        rule->is_repeatable ? " …" : "");
    put_entry(text, buffer_text(&left), rule->help);
}

static void put_options(struct buffer *text, const char *title, const struct option_rule *rules,
                        size_t count)
{
    if (count == 0)
        return;
    (void)buffer_printf(text, NULL, "\n%s\n", title);
    for (size_t i = 0; i < count; i++)
        put_option(text, &rules[i]);
}

/* Lines as they are; the last one ends, whether the table says so or not. */
static bool ends_line(const char *words)
{
    size_t length = strlen(words);

    return length > 0 && words[length - 1] == '\n';
}

void program_help(const struct program *program, struct buffer *text)
{
    (void)buffer_printf(text, NULL, "%s: ", program->name);
    put_wrapped(text, program->summary, strlen(program->name) + 2, 0);
    (void)buffer_printf(text, NULL, "\nUsage: %s COMMAND …\n\nCommands:\n", program->name);
    for (size_t i = 0; i < program->command_count; i++)
        put_entry(text, program->commands[i]->name, program->commands[i]->summary);
    put_options(text, "Options of every command:", program->options, program->option_count);
    (void)buffer_printf(text, NULL, "\n'%s COMMAND --help' says more about one command.\n",
                        program->name);
    if (program->description != NULL) {
        put(text, "\n");
        put_wrapped(text, program->description, 0, 0);
    }
}

static bool is_of_group(const struct command *command, const char *word)
{
    size_t length = strlen(word);

    return length > 0 && strncmp(command->name, word, length) == 0 && command->name[length] == ' ';
}

bool group_list(const struct program *program, const char *word, struct buffer *text)
{
    bool is_any = false;

    for (size_t i = 0; i < program->command_count; i++) {
        if (!is_of_group(program->commands[i], word))
            continue;
        put_entry(text, program->commands[i]->name, program->commands[i]->summary);
        is_any = true;
    }
    return is_any;
}

bool group_help(const struct program *program, const char *word, struct buffer *text)
{
    const struct command *last = NULL;
    size_t count = 0;

    for (size_t i = 0; i < program->command_count; i++) {
        if (!is_of_group(program->commands[i], word))
            continue;
        last = program->commands[i];
        count++;
    }
    if (count == 1)
        command_help(program, last, text);
    if (count <= 1)
        return count == 1;
    (void)buffer_printf(text, NULL, "Usage: %s %s COMMAND …\n\nCommands:\n", program->name, word);
    (void)group_list(program, word, text);
    (void)buffer_printf(text, NULL, "\n'%s %s COMMAND --help' says more about one command.\n",
                        program->name, word);
    return true;
}

static void put_usage(const struct program *program, const struct command *command,
                      struct buffer *text)
{
    (void)buffer_printf(
        text, NULL, "%s%s%s%s%s%s%s", program->name, command->name[0] != '\0' ? " " : "",
        command->name, command->operands != NULL ? " " : "",
        command->operands != NULL ? command->operands : "",
        command->option_count > 0 ? " [OPTION…]" : "", command->takes_rest ? " -- ARGS…" : "");
}

void command_help(const struct program *program, const struct command *command, struct buffer *text)
{
    put(text, "Usage: ");
    put_usage(program, command, text);
    put(text, "\n\n");
    put_wrapped(text, command->summary, 0, 0);
    if (command->description != NULL) {
        put(text, "\n");
        put_wrapped(text, command->description, 0, 0);
    }
    put_options(text, "Options:", command->options, command->option_count);
    if (!command->is_of_itself)
        put_options(text, "Options of every command:", program->options, program->option_count);
    if (command->examples != NULL)
        (void)buffer_printf(text, NULL, "\nExamples:\n%s%s", command->examples,
                            ends_line(command->examples) ? "" : "\n");
}

/* Text for man(7): backslashes and leading dots and quotes are escaped, dashes are plain ones. */
static void put_roff(struct buffer *text, const char *words)
{
    bool is_line_start = true;

    for (; *words != '\0'; words++) {
        if (is_line_start && (*words == '.' || *words == '\''))
            put(text, "\\&");
        if (*words == '\\')
            put(text, "\\e");
        else if (*words == '-')
            put(text, "\\-");
        else
            (void)buffer_append(text, words, 1, NULL);
        is_line_start = *words == '\n';
    }
}

static void put_roff_paragraphs(struct buffer *text, const char *words)
{
    const char *part;

    while ((part = strstr(words, "\n\n")) != NULL) {
        CLEANUP(buffer_clear) struct buffer paragraph = {0};

        buffer_init(&paragraph, (size_t)(part - words) + 1);
        (void)buffer_append(&paragraph, words, (size_t)(part - words), NULL);
        put_roff(text, buffer_text(&paragraph));
        put(text, "\n.PP\n");
        words = part + 2;
    }
    put_roff(text, words);
    put(text, "\n");
}

static void put_roff_options(struct buffer *text, const struct option_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put(text, ".TP\n\\fB\\-\\-");
        put_roff(text, rules[i].name);
        put(text, "\\fR");
        if (rules[i].argument != NULL) {
            put(text, " \\fI");
            put_roff(text, rules[i].argument);
            put(text, "\\fR");
        }
        put(text, rules[i].is_repeatable ? " …\n" : "\n");
        put_roff(text, rules[i].help);
        put(text, "\n");
    }
}

static void put_roff_command(const struct program *program, const struct command *command,
                             struct buffer *text)
{
    CLEANUP(buffer_clear) struct buffer usage = {0};

    buffer_init(&usage, 1000);
    put_usage(program, command, &usage);
    put(text, ".SS ");
    put_roff(text, buffer_text(&usage));
    put(text, "\n");
    put_roff(text, command->summary);
    put(text, ".\n");
    if (command->description != NULL) {
        put(text, ".PP\n");
        put_roff_paragraphs(text, command->description);
    }
    put_roff_options(text, command->options, command->option_count);
    if (command->examples != NULL) {
        put(text, ".PP\nExamples:\n.PP\n.nf\n");
        put_roff(text, command->examples);
        put(text, ends_line(command->examples) ? ".fi\n" : "\n.fi\n");
    }
}

void program_manual(const struct program *program, struct buffer *text)
{
    (void)buffer_printf(text, NULL, ".TH %s %s \"\" \"%s %s\" \"%s\"\n.SH NAME\n", program->name,
                        program->is_for_administrators ? "8" : "1", program->name, program->version,
                        program->is_for_administrators ? "System Administration" : "User Commands");
    put_roff(text, program->name);
    put(text, " \\- ");
    put_roff(text, program->summary);
    (void)buffer_printf(text, NULL, "\n.SH SYNOPSIS\n\\fB%s\\fR COMMAND …\n.SH COMMANDS\n",
                        program->name);
    for (size_t i = 0; i < program->command_count; i++)
        put_roff_command(program, program->commands[i], text);
    if (program->option_count > 0)
        put(text, ".SH OPTIONS OF EVERY COMMAND\n");
    put_roff_options(text, program->options, program->option_count);
    if (program->description != NULL) {
        put(text, ".SH NOTES\n");
        put_roff_paragraphs(text, program->description);
    }
}
