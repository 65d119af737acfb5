/* What the parts of a run share. main.c fills it with the real world. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/plan.h"
#include "bench/report.h"
#include "common/base/options.h"
#include "work-units/trust.h"

struct env;
struct http_client;

struct bench {
    struct env *env;
    struct http_client *http;
    FILE *out, *err;
    const volatile sig_atomic_t *is_interrupted; /* NULL: never */
    int64_t ticks_per_s;                         /* of /proc */
    int cores;
};

extern const struct program bench_program;

/* A server to play against. */
struct opponent {
    const char *url;
    const char *ca;        /* path; NULL: the system's store */
    int64_t pid;           /* 0: unknown */
    struct digest project; /* of bench_meet(), or the crew's */
    struct trust trust;    /* likewise; owned */
    bool has_metrics;      /* GET /metrics is worth asking */
};

void opponent_clear(struct opponent *opponent);

/* A line on stderr for who waits. */
void bench_say(const struct bench *bench, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool bench_is_interrupted(const struct bench *bench);

/* GET a document of the server; `path` begins with a slash. */
enum status bench_get(const struct bench *bench, const struct opponent *opponent, const char *path,
                      struct buffer *ret_body, struct error *err) MUST_USE;

/* GET /v1/project: sets project and trust. STATUS_CONFLICT: the site has no project yet. */
enum status bench_meet(const struct bench *bench, struct opponent *opponent, struct error *err)
    MUST_USE;

/* Play, and measure. Hosts that the crew's file lacks are enrolled and added to it. */
struct outcome_wish {
    const char *name; /* of the outcome; static */
    const struct plan *plan;
    struct opponent *opponent;
    const char *crew; /* its file; NULL: a crew of this run alone */
};
enum status bench_play(const struct bench *bench, const struct outcome_wish *wish,
                       struct outcome *ret_outcome, struct error *err) MUST_USE;

#endif
