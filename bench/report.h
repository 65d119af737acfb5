/* The table of a run, and of what bounds it. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/figures.h"
#include "bench/plan.h"
#include "bench/process.h"

struct buffer;

/* What GET /metrics says; -1: it does not. */
struct server_counts {
    int64_t units_accepted;
    int64_t cycles; /* transactions, one sync each */
    int64_t database_bytes;
};

/* One run, measured. */
struct outcome {
    const char *name; /* static: "keep-alive", "echo, fresh" … */
    struct figures figures;
    int64_t tasks_per_visit;
    int64_t span_us; /* how long was measured */
    int64_t own_us;  /* processor time of the generator */
    int cores;       /* of the machine */
    bool has_server; /* `before` and `after` were looked at */
    struct process_use before, after;
    struct server_counts counts_before, counts_after;
    char failure[240]; /* the first one's words; "": none */
};

/* What is computed of it; 0 where there is nothing to divide by. */
struct rates {
    double visits_per_s, granted_per_s, reported_per_s, accepted_per_s, uploads_per_s;
    double server_us_per_task, server_us_per_visit;
    double wire_bytes_per_task, written_bytes_per_task, database_bytes_per_task;
    double cycles_per_s, tasks_per_cycle;
    double own_share, server_share; /* of one core: 1.0 is all of it */
};
struct rates rates_of(const struct outcome *outcome);

/* Something that bounds the runs, as a number of times per second. */
struct limit {
    const char *name;    /* static */
    double per_s;        /* 0: was not measured */
    double us_of_server; /* processor time of one; 0: the same as all time */
};

#define LIMITS_MAX 16

struct limits_table {
    size_t count;
    struct limit limits[LIMITS_MAX];
};

/* Text for people. */
void report_outcome(const struct outcome *outcome, struct buffer *text);
void report_limits(const struct outcome *outcome, const struct limits_table *limits,
                   struct buffer *text);

/* The same for programs: new references, never NULL. */
json_t *report_outcome_json(const struct outcome *outcome);
json_t *report_limits_json(const struct outcome *outcome, const struct limits_table *limits);

#endif
