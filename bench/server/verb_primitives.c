#include <stdio.h>

#include "bench/server/primitives.h"
#include "bench/server/verbs.h"

static int run(void *context, const struct options *given)
{
    struct primitives primitives = {0};
    struct error err = {0};

    if (primitives_measure(context, given->operands[0], &primitives, &err) != STATUS_OK)
        return bench_verb_fail(&err);
    (void)printf("verify_ns %.0f\nshake_ns %.0f\nshake_all_ns %.0f\n", primitives.verify_us * 1000,
                 primitives.shake_us * 1000, primitives.shake_all_us * 1000);
    return OPTIONS_EXIT_OK;
}

const struct command bench_verb_primitives = {
    .name = "primitives",
    .operands = "SITE",
    .operand_min = 1,
    .operand_max = 1,
    .summary = "measure one signature and one handshake, in processor time",
    .run = run,
};
