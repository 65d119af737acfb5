/*
 * Command lines, as tables. A program is a list of commands ("app add", "submit" …), a command says
 * what options and operands it takes; parsing, `--help` and the manual page come from these tables.
 *
 *     dugnad submit primes --range 1..100 --step 10 -- {from} {to}
 *            command operand option                    rest
 *
 * `--name value` and `--name=value` are the same; options may stand before, between and after
 * operands; `--` ends them, and what follows is the rest. All texts point into argv or into static
 * tables.
 */
#ifndef COMMON_BASE_OPTIONS_H
#define COMMON_BASE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buffer.h"
#include "common/base/error.h"

/* Exit codes that this file itself uses; programs may know more. */
#define OPTIONS_EXIT_OK     0
#define OPTIONS_EXIT_FAILED 1
#define OPTIONS_EXIT_USAGE  2

struct option_rule {
    const char *name;     /* without the dashes: "quorum" */
    const char *argument; /* how help names its value: "N"; NULL: a flag, which takes none */
    const char *help;     /* one sentence, its default included */
    bool is_repeatable;   /* may be given more than once */
};

struct options;

struct command {
    const char *name;     /* one or two words: "submit", "app add"; "": the program has but one */
    const char *operands; /* how help names them: "APP [FILE…]"; NULL: takes none */
    size_t operand_min;
    size_t operand_max;      /* 0: none; SIZE_MAX: any number */
    bool is_of_itself;       /* takes none of the program's options, only its own */
    bool takes_rest;         /* words after `--` are not operands but kept apart */
    const char *summary;     /* one line of the list of commands; no full stop */
    const char *description; /* paragraphs, parted by "\n\n"; or NULL */
    const char *examples;    /* lines as typed, with a line of words before each; or NULL */
    const struct option_rule *options;
    size_t option_count;

    /* The program's exit code. `context` is what program_run() was given. */
    int (*run)(void *context, const struct options *options);
};

struct program {
    const char *name; /* "dugnad" */
    const char *version;
    bool is_for_administrators;        /* its manual page is of section 8, else of 1 */
    const char *summary;               /* one sentence */
    const char *description;           /* paragraphs after the list of commands; or NULL */
    const struct option_rule *options; /* which every command takes */
    size_t option_count;
    const struct command *const *commands;
    size_t command_count;
    int exit_in_part; /* of a command that printed all it had to, though not all is done; 0: none */
};

struct option_value {
    const struct option_rule *rule;
    const char *text; /* NULL: a flag */
};

/* What was given. Zeroed: nothing. */
struct options {
    const struct program *program;
    const struct command *command;
    size_t value_count;
    struct option_value *values; /* owned; in order of the command line */
    size_t operand_count;
    const char **operands; /* owned list */
    size_t rest_count;
    const char *const *rest; /* words after `--`; borrowed */
};

void options_clear(struct options *options); /* for CLEANUP(), too */

/*
 * The words after the command's name. STATUS_INVALID, in words for a person: an unknown option, one
 * given twice, a value missing or too much, too few or too many operands.
 */
enum status options_parse(const struct program *program, const struct command *command,
                          size_t count, const char *const *words, struct options *ret_options,
                          struct error *err) MUST_USE;

/*
 * Find the command and run it. `--help` (also `help`), alone or after a command or the first word
 * of several, prints to stdout; `--version` too; a wrong command line is told on stderr and yields
 * OPTIONS_EXIT_USAGE: so does the first word alone, with the commands that begin with it, and a
 * word that is none, with the one it may have been meant for. Where stdout took not all that was
 * printed, that is told on stderr, and what would have been OPTIONS_EXIT_OK, or the program's
 * exit_in_part, is OPTIONS_EXIT_FAILED; codes that say worse stay.
 */
int program_run(const struct program *program, void *context, int argc, const char *const *argv);

/* The command that these words begin with, and of how many words its name is; NULL: none. */
const struct command *program_find(const struct program *program, size_t count,
                                   const char *const *words, size_t *ret_used);

/* --- Reading what was given. Asking for a name that no table holds aborts. --- */

bool options_has(const struct options *options, const char *name);

/* The value, or NULL if it was not given. */
const char *options_text(const struct options *options, const char *name);
const char *options_text_or(const struct options *options, const char *name, const char *absent);

/* The index-th value of a repeatable option; NULL: there are no more. */
const char *options_nth(const struct options *options, const char *name, size_t index);

/* STATUS_INVALID names the option and the range. Without the option: `absent`, unchecked. */
enum status options_integer(const struct options *options, const char *name, int64_t min,
                            int64_t max, int64_t absent, int64_t *ret_value, struct error *err)
    MUST_USE;
/* "512M" … , see text_to_bytes(). */
enum status options_bytes(const struct options *options, const char *name, int64_t min, int64_t max,
                          int64_t absent, int64_t *ret_bytes, struct error *err) MUST_USE;
/* "6h" … , see text_to_seconds(). */
enum status options_seconds(const struct options *options, const char *name, int64_t min,
                            int64_t max, int64_t absent, int64_t *ret_seconds, struct error *err)
    MUST_USE;
/* One of `count` words: its index. */
enum status options_choice(const struct options *options, const char *name,
                           const char *const *words, size_t count, size_t absent, size_t *ret_index,
                           struct error *err) MUST_USE;

/*
 * An option that says something in some cases only: in others it is refused, not ignored.
 * STATUS_INVALID, "--NAME belongs to WHERE", if it was given and it `applies` not.
 */
enum status options_belong(const struct options *options, bool applies, const char *name,
                           const char *where, struct error *err) MUST_USE;

/* --- Words about it. What exceeds the buffer's maximum is cut. --- */

void program_help(const struct program *program, struct buffer *text);

/* Of the commands whose names begin with this word and go on; false: there are none. */
bool group_help(const struct program *program, const char *word, struct buffer *text);

/* Those commands alone, a line each; false: there are none. */
bool group_list(const struct program *program, const char *word, struct buffer *text);

/* What to say, on stderr, to `count` >= 1 words that begin with no command; how they may be meant.
 */
void options_say_unknown(const struct program *program, size_t count, const char *const *words);
void command_help(const struct program *program, const struct command *command,
                  struct buffer *text);

/* A manual page for man(7), of all commands. */
void program_manual(const struct program *program, struct buffer *text);

#endif
