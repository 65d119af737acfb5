#include <inttypes.h>
#include <stdio.h>

#include "bench/plan.h"
#include "bench/server/alone.h"
#include "bench/server/verbs.h"
#include "work-units/unit.h"

static const struct option_rule options[] = {
    {"crew", "FILE", "The hosts, as `seed` wrote them.", false},
    {"hosts", "N", "How many of them (1000).", false},
    {"tasks", "N", "Per visit (1).", false},
    {"at-once", "N", "Visits of one transaction (64).", false},
    {"output-bytes", "SIZE", "Of each task's output (64).", false},
    {"seconds", "TIME", "Measured (10s).", false},
};

static enum status read_wish(const struct options *given, struct alone_wish *wish,
                             struct error *err)
{
    wish->site = given->operands[0];
    wish->crew = options_text(given, "crew");
    if (wish->crew == NULL)
        return error_set(err, STATUS_INVALID, "name the --crew");
    TRY(options_integer(given, "hosts", 1, PLAN_HOSTS_MAX, 1000, &wish->hosts, err));
    TRY(options_integer(given, "tasks", 1, PLAN_TASKS_MAX, 1, &wish->tasks, err));
    TRY(options_integer(given, "at-once", 1, ALONE_AT_ONCE_MAX, 64, &wish->at_once, err));
    TRY(options_bytes(given, "output-bytes", 0, UNIT_INLINE_MAX_BYTES, 64, &wish->output_bytes,
                      err));
    return options_seconds(given, "seconds", 0, PLAN_SECONDS_MAX, 10, &wish->seconds, err);
}

static int run(void *context, const struct options *given)
{
    struct alone_wish wish = {0};
    struct alone alone = {0};
    struct error err = {0};

    if (read_wish(given, &wish, &err) != STATUS_OK) {
        (void)bench_verb_fail(&err);
        return OPTIONS_EXIT_USAGE;
    }
    if (alone_measure(context, &wish, &alone, &err) != STATUS_OK)
        return bench_verb_fail(&err);
    (void)printf("reported %" PRId64 "\nvisits %" PRId64 "\nengine_us %" PRId64
                 "\nengine_cpu_us %" PRId64 "\nstore_us %" PRId64 "\nstore_cpu_us %" PRId64 "\n",
                 alone.reported, alone.visits, alone.engine_us, alone.engine_cpu_us, alone.store_us,
                 alone.store_cpu_us);
    return OPTIONS_EXIT_OK;
}

const struct command bench_verb_alone = {
    .name = "alone",
    .operands = "SITE",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "measure engine and store without a network",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .run = run,
};
