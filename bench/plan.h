/* What the command line asks for, checked. */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/schedule.h"
#include "common/base/error.h"

struct options;

#define PLAN_HOSTS_MAX       2000000
#define PLAN_CONNECTIONS_MAX 20000
#define PLAN_THREADS_MAX     64
#define PLAN_TASKS_MAX       64 /* as many as one visit may want */
#define PLAN_SECONDS_MAX     86400
#define PLAN_OUTPUT_MAX      (INT64_C(64) << 20)

/* Texts are borrowed from the command line; NULL: not given. */
struct plan {
    const char *url;      /* of a running site; NULL: `is_site` */
    const char *ca;       /* PEM file */
    const char *crew;     /* where the hosts' keys are kept */
    const char *platform; /* what the hosts say to be */
    bool is_site;         /* make a throw-away site, and play against it */
    bool has_limits;      /* measure what bounds it, too */
    bool keeps_site;
    const char *folder;   /* where the throw-away site is made */
    const char *database; /* URL; NULL: the site's own embedded one */
    int64_t units;        /* that it begins with */
    int64_t server_pid;   /* 0: not said */
    int64_t hosts;
    int64_t connections; /* at most as many as hosts */
    int64_t threads;     /* likewise */
    int64_t tasks;       /* per visit */
    int64_t output_bytes;
    int64_t seconds; /* measured */
    int64_t warm_s;  /* before, once each host has work */
    int64_t per_s;   /* arrivals per second; 0: closed loop */
    int64_t ramp_s;
    struct shares shares;
    bool is_fresh; /* a new connection for each visit */
    bool verifies; /* manifests */
    bool is_json;
};

/* STATUS_INVALID: in words for a person. */
enum status plan_read(const struct options *options, struct plan *ret_plan, struct error *err)
    MUST_USE;

#endif
