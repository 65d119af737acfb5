#include <signal.h>

#include "bench/plan.h"
#include "bench/server/echo.h"
#include "bench/server/verbs.h"
#include "common/base/env.h"

#define LOOK_EVERY_MS 100

static volatile sig_atomic_t is_stopping;

static void on_stop(int number)
{
    (void)number;
    is_stopping = 1;
}

static const struct option_rule options[] = {
    {"verify", NULL, "Verify each visit's signature.", false},
    {"output-bytes", "SIZE", "As the site was seeded with (64K).", false},
};

static int run(void *context, const struct options *given)
{
    struct env *env = context;
    struct sigaction stop = {.sa_handler = on_stop}, ignore = {.sa_handler = SIG_IGN};
    struct echo_wish wish = {.site = given->operands[0], .verifies = options_has(given, "verify")};
    struct echo *echo = NULL;
    struct error err = {0};

    if (options_bytes(given, "output-bytes", 0, PLAN_OUTPUT_MAX, 65536, &wish.output_bytes, &err) !=
        STATUS_OK) {
        (void)bench_verb_fail(&err);
        return OPTIONS_EXIT_USAGE;
    }
    (void)sigaction(SIGTERM, &stop, NULL);
    (void)sigaction(SIGINT, &stop, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    if (echo_start(env, &wish, &echo, &err) != STATUS_OK)
        return bench_verb_fail(&err);
    while (is_stopping == 0)
        env->sleep_ms(env, LOOK_EVERY_MS);
    echo_stop(echo);
    return OPTIONS_EXIT_OK;
}

const struct command bench_verb_echo = {
    .name = "echo",
    .operands = "SITE",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "serve in the place of a site: parse and print, and do nothing",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
