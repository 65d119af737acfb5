/* dugnad-bench-server: the server's side of a measurement. dugnad-bench runs it. */
#include <inttypes.h>
#include <stdio.h>

#include "bench/server/verbs.h"
#include "common/base/log.h"
#include "common/env/real.h"

static const struct command *const commands[] = {&bench_verb_seed, &bench_verb_echo,
                                                 &bench_verb_alone, &bench_verb_primitives};

static const struct program program = {
    .name = "dugnad-bench-server",
    .version = PACKAGE_VERSION,
    .summary = "The server's side of a measurement: fill sites, and measure what bounds a server.",
    .description = "dugnad-bench --site and --limit run it; nothing here is for a site that people "
                   "use.",
    .commands = commands,
    .command_count = sizeof commands / sizeof *commands,
};

int main(int argc, char **argv)
{
    if (!standard_files_hold())
        return 1;
    log_init(env_real(), LOG_WARN, 2);
    return program_run(&program, env_real(), argc, (const char *const *)argv);
}
