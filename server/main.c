/* dugnad-server: the server of one site. */
#include "common/env/real.h"
#include "server/site/verbs.h"

static const struct command *const commands[] = {
    &verb_init, &verb_run, &verb_check, &verb_migrate, &verb_volunteer, &verb_token, &verb_config,
};

static const struct program program = {
    .name = "dugnad-server",
    .version = PACKAGE_VERSION,
    .summary =
        "Serve a site of Dugnad: hand signed work out to volunteers, and accept what agrees.",
    .description = "A site is a folder. Exit codes: 0 done, 1 it could not be done (stderr says "
                   "why), 2 wrong command line, 3 check found the site unsound, 4 another server "
                   "runs the site.",
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
};

int main(int argc, char **argv)
{
    if (!standard_files_hold())
        return VERB_FAILED;
    return program_run(&program, env_real(), argc, (const char *const *)argv);
}
