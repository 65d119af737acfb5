/* The table of all verbs, and the manual page that comes from it. */
#include "operator/session.h"
#include "operator/verbs.h"

#define MANUAL_MAX (256 * 1024)

static int run_manual(void *context, const struct options *options)
{
    struct session *session = context;
    CLEANUP(buffer_clear) struct buffer text = {0};

    buffer_init(&text, MANUAL_MAX);
    program_manual(options->program, &text);
    (void)fputs(buffer_text(&text), session->out);
    return EXIT_DONE;
}

const struct command verb_manual = {
    .name = "manual",
    .summary = "Print this manual page, for man(1)",
    .examples = "  dugnad manual | man -l -\n",
    .is_of_itself = true,
    .run = run_manual,
};

static const struct command *const verbs[] = {
    &verb_connect,    &verb_key_init,       &verb_key_publish,   &verb_key_rotate, &verb_key_retire,
    &verb_key_revoke, &verb_app_add,        &verb_submit,        &verb_status,     &verb_watch,
    &verb_explain,    &verb_fetch,          &verb_audit,         &verb_tasks,      &verb_hosts,
    &verb_close,      &verb_cancel,         &verb_hold,          &verb_release,    &verb_retry,
    &verb_again,      &verb_hosts_withdraw, &verb_clock_confirm, &verb_manual,
};

static const struct option_rule every[] = {
    {.name = "profile",
     .argument = "NAME|DIR",
     .help = "Which site: ~/.config/dugnad/NAME, or a folder ($DUGNAD_PROFILE, else \"default\")."},
    {.name = "json", .help = "Print JSON for programs; say nothing else."},
    {.name = "help", .help = "Say more about the command."},
};

#define EXIT_LINE_TEXT(code, words) #code ": " words ". "
#define X(symbol, code, words)      EXIT_LINE_TEXT(code, words)
static const char exit_codes[] = "Exit codes: " EXIT_TABLE(X);
#undef X

const struct program operator_program = {
    .name = "dugnad",
    .version = "0.1.0",
    .summary = "publish work for a volunteer grid and collect results that can be checked.",
    .description = exit_codes,
    .options = every,
    .option_count = sizeof every / sizeof *every,
    .commands = verbs,
    .command_count = sizeof verbs / sizeof *verbs,
    .exit_in_part = EXIT_NOT_ALL,
};
