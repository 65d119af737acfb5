#include <stdio.h>

#include "bench/plan.h"
#include "bench/server/seed.h"
#include "bench/server/verbs.h"

int bench_verb_fail(const struct error *err)
{
    (void)fprintf(stderr, "dugnad-bench-server: %s\n", err->text);
    if (*err->detail != '\0')
        (void)fprintf(stderr, "  (%s)\n", err->detail);
    return 1;
}

static const struct option_rule options[] = {
    {"crew", "FILE", "Where the hosts' secret and tokens go.", false},
    {"hosts", "N", "Hosts, each with an account (1000).", false},
    {"units", "N", "Units of quorum 2 (100000).", false},
    {"output-bytes", "SIZE", "The most that an output may have (64K).", false},
};

static int run(void *context, const struct options *given)
{
    struct seed_wish wish = {.site = given->operands[0], .crew = options_text(given, "crew")};
    struct error err = {0};
    enum status status = STATUS_OK;

    if (wish.crew == NULL)
        status = error_set(&err, STATUS_INVALID, "say where the --crew is to be kept");
    if (status == STATUS_OK)
        status = options_integer(given, "hosts", 1, PLAN_HOSTS_MAX, 1000, &wish.hosts, &err);
    if (status == STATUS_OK)
        status = options_integer(given, "units", 1, INT64_C(10000000), 100000, &wish.units, &err);
    if (status == STATUS_OK)
        status = options_bytes(given, "output-bytes", 0, PLAN_OUTPUT_MAX, 65536, &wish.output_bytes,
                               &err);
    if (status != STATUS_OK) {
        (void)bench_verb_fail(&err);
        return OPTIONS_EXIT_USAGE;
    }
    return seed_site(context, &wish, &err) == STATUS_OK ? OPTIONS_EXIT_OK : bench_verb_fail(&err);
}

const struct command bench_verb_seed = {
    .name = "seed",
    .operands = "SITE",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "fill a new site with a project, units and hosts",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
