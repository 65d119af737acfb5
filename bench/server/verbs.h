/* The commands of dugnad-bench-server. Each gets the env as its context. */
#ifndef BENCH_SERVER_VERBS_H
#define BENCH_SERVER_VERBS_H

#include "common/base/options.h"

extern const struct command bench_verb_seed;
extern const struct command bench_verb_echo;
extern const struct command bench_verb_alone;
extern const struct command bench_verb_primitives;

/* Say on stderr why a verb failed; the exit code for it. */
int bench_verb_fail(const struct error *err);

#endif
