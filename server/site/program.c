/* The table of all commands, and the manual page that comes from it. */
#include <stdio.h>

#include "server/site/config.h"
#include "server/site/verbs.h"

static const char files[] =
    ".SH FILES\n"
    ".TP\n.I DIR/site.conf\nSettings, as above. An unknown key is an error, named with its line.\n"
    ".TP\n.I DIR/secret\nTokens of hosts come from it. Who has it can make tokens of hosts, but "
    "not "
    "sign work.\n"
    ".TP\n.I DIR/dugnad.db\nThe embedded database, with its \\-wal and \\-shm: the three are moved "
    "together, with the server stopped.\n"
    ".TP\n.I DIR/files\nApp files, inputs and large outputs by their digest; in files/uploads "
    "outputs on their way in.\n"
    ".TP\n.I DIR/tls\nThe site's own authority (ca.pem, ca.key) and its certificate with the key "
    "(server.pem).\n"
    ".SH SEE ALSO\n.BR dugnad (1),\n.BR dugnad\\-client (1)\n";

void server_manual(struct buffer *text)
{
    program_manual(&server_program, text);
    (void)buffer_append_text(text, ".SH SETTINGS\n.nf\n", NULL);
    config_help(text);
    (void)buffer_append_text(text, ".fi\n", NULL);
    (void)buffer_append_text(text, files, NULL);
}

static int run_manual(void *context, const struct options *options)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = SERVER_MANUAL_MAX};

    (void)context;
    (void)options;
    server_manual(&text);
    return fputs(buffer_text(&text), stdout) < 0 ? VERB_FAILED : VERB_OK;
}

static const struct command verb_manual = {
    .name = "manual",
    .summary = "print this manual page, for man(1)",
    .run = run_manual,
};

static const struct command *const commands[] = {
    &verb_init,      &verb_run,   &verb_check,  &verb_migrate, &verb_restore,
    &verb_volunteer, &verb_token, &verb_config, &verb_manual,
};

const struct program server_program = {
    .name = "dugnad-server",
    .version = PACKAGE_VERSION,
    .is_for_administrators = true,
    .summary =
        "Serve a site of Dugnad: hand signed work out to volunteers, and accept what agrees.",
    .description = "A site is a folder. Exit codes: 0 done, 1 it could not be done (stderr says "
                   "why), 2 wrong command line, 3 check found the site unsound, 4 another server "
                   "runs the site.",
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
};
