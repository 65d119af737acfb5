/* A throw-away site: made, filled, served, and gone again. */
#ifndef BENCH_SITE_H
#define BENCH_SITE_H

#include <sys/types.h>

#include "bench/bench.h"
#include "common/base/disk.h"

struct bench_site {
    char folder[200]; /* all of it; "": nothing was made */
    char url[64];
    struct disk_path site, ca, crew, log;
    pid_t server; /* 0: does not run */
};

/* Make a site with plan->hosts and plan->units and start its server. Clear it after a failure,
 * too. */
enum status bench_site_open(const struct bench *bench, const struct plan *plan,
                            struct bench_site *ret_site, struct error *err) MUST_USE;

/* Start `argv` (its [0] is a program of ours) as a server at this URL, and wait until it answers
 * at `path`. */
enum status bench_site_serve(const struct bench *bench, struct bench_site *site,
                             const char *const *argv, const char *path, struct error *err) MUST_USE;

/* Run one of our programs to its end; `out` NULL: what it prints goes to the log. */
enum status bench_site_run(const struct bench *bench, const struct bench_site *site,
                           const char *const *argv, const char *out, struct error *err) MUST_USE;

void bench_site_stop(struct bench_site *site);

/* Stops the server and removes the folder, unless it is to be kept. */
void bench_site_close(const struct bench *bench, struct bench_site *site, bool is_kept);

#endif
