#include "bench/limits.h"

#include <inttypes.h>
#include <stdlib.h>

#include "bench/crew.h"
#include "bench/world/child.h"
#include "common/base/env.h"
#include "work-units/unit.h"

#define HELPER       "dugnad-bench-server"
#define SAID_MAX     4096
#define SECONDS_MOST 15 /* of each limit */
#define AT_ONCE_MOST 256

static void add_limit(struct limits_table *table, const char *name, double per_s, double us)
{
    if (table->count < LIMITS_MAX)
        table->limits[table->count++] =
            (struct limit){.name = name, .per_s = per_s, .us_of_server = us};
}

static int64_t seconds_of(const struct plan *plan)
{
    return plan->seconds < SECONDS_MOST ? plan->seconds : SECONDS_MOST;
}

/* --- the same load on a server that does nothing -----------------------------------------------*/

static enum status play_echo(const struct bench *bench, const struct plan *plan,
                             struct bench_site *site, const char *name, struct outcome *outcome,
                             struct error *err)
{
    CLEANUP(crew_file_clear) struct crew_file crew = {0};
    struct opponent opponent = {.url = site->url, .ca = site->ca.text, .pid = site->server};
    struct plan shorter = *plan;
    struct outcome_wish wish = {
        .name = name, .plan = &shorter, .opponent = &opponent, .crew = site->crew.text};

    TRY(crew_file_read(bench->env->disk, site->crew.text, &crew, err));
    opponent.project = crew.project;
    shorter.seconds = seconds_of(plan);
    shorter.verifies = false; /* its units are of another project */
    return bench_play(bench, &wish, outcome, err);
}

static enum status measure_echo(const struct bench *bench, const struct plan *plan,
                                struct bench_site *site, bool verifies, struct limits_table *table,
                                struct error *err)
{
    const char *name = verifies ? "JSON echo + one verification" : "JSON echo";
    struct outcome *outcome = must_alloc(1, sizeof *outcome);
    char bytes[24];
    const char *const argv[] = {
        HELPER, "echo", site->site.text, "--output-bytes", bytes, verifies ? "--verify" : NULL,
        NULL};
    struct rates rates;
    enum status status;

    (void)snprintf(bytes, sizeof bytes, "%" PRId64, plan->output_bytes);
    status = bench_site_serve(bench, site, argv, "/healthz", err);
    if (status == STATUS_OK)
        status = play_echo(bench, plan, site, name, outcome, err);
    bench_site_stop(site);
    rates = rates_of(outcome);
    free(outcome);
    TRY(status);
    add_limit(table, name, rates.reported_per_s, rates.server_us_per_task);
    return STATUS_OK;
}

/* --- without a network -------------------------------------------------------------------------*/

/* What a verb of the helper printed: "name number" lines. */
static enum status ask_helper(const struct bench *bench, const struct bench_site *site,
                              const char *const *argv, struct buffer *ret_said, struct error *err)
{
    struct disk *disk = bench->env->disk;
    struct disk_path said;
    enum status status;

    TRY(disk_join(&said, err, "%s/said", site->folder));
    TRY(bench_site_run(bench, site, argv, said.text, err));
    buffer_init(ret_said, SAID_MAX);
    status = disk->read(disk, said.text, ret_said, err);
    TRY(disk->remove(disk, said.text, err));
    return status;
}

static double per_second(int64_t times, int64_t us)
{
    return us > 0 ? (double)times * 1e6 / (double)us : 0;
}

static enum status measure_alone(const struct bench *bench, const struct plan *plan,
                                 const struct bench_site *site, const struct outcome *outcome,
                                 struct limits_table *table, struct error *err)
{
    CLEANUP(buffer_clear) struct buffer said = {0};
    struct rates rates = rates_of(outcome);
    double together = rates.cycles_per_s > 0 ? rates.visits_per_s / rates.cycles_per_s : 1;
    char hosts[24], tasks[24], at_once[24], seconds[24], bytes[24];
    const char *const argv[] = {HELPER,          "alone",          site->site.text, "--crew",
                                site->crew.text, "--hosts",        hosts,           "--tasks",
                                tasks,           "--at-once",      at_once,         "--seconds",
                                seconds,         "--output-bytes", bytes,           NULL};
    int64_t reported;

    (void)snprintf(hosts, sizeof hosts, "%" PRId64, plan->hosts);
    (void)snprintf(tasks, sizeof tasks, "%" PRId64, plan->tasks);
    (void)snprintf(at_once, sizeof at_once, "%.0f",
                   together < 1              ? 1
                   : together > AT_ONCE_MOST ? AT_ONCE_MOST
                                             : together);
    (void)snprintf(seconds, sizeof seconds, "%" PRId64, seconds_of(plan));
    (void)snprintf(bytes, sizeof bytes, "%" PRId64, plan->output_bytes);
    bench_say(bench, "engine and store alone, %s visits to a transaction …", at_once);
    TRY(ask_helper(bench, site, argv, &said, err));
    reported = process_number(buffer_text(&said), "reported ");
    add_limit(table, "engine alone, one thread",
              per_second(reported, process_number(buffer_text(&said), "engine_us ")),
              1e6 / per_second(reported, process_number(buffer_text(&said), "engine_cpu_us ")));
    add_limit(table, "store alone, one thread",
              per_second(reported, process_number(buffer_text(&said), "store_us ")),
              1e6 / per_second(reported, process_number(buffer_text(&said), "store_cpu_us ")));
    return STATUS_OK;
}

static enum status measure_primitives(const struct bench *bench, const struct plan *plan,
                                      const struct bench_site *site, struct limits_table *table,
                                      struct error *err)
{
    CLEANUP(buffer_clear) struct buffer said = {0};
    const char *const argv[] = {HELPER, "primitives", site->site.text, NULL};
    double cores = bench->cores, tasks = (double)plan->tasks;
    double verify_us, shake_us, shake_all_us;

    TRY(ask_helper(bench, site, argv, &said, err));
    verify_us = (double)process_number(buffer_text(&said), "verify_ns ") / 1e3;
    shake_us = (double)process_number(buffer_text(&said), "shake_ns ") / 1e3;
    shake_all_us = (double)process_number(buffer_text(&said), "shake_all_ns ") / 1e3;
    if (verify_us <= 0 || shake_us <= 0)
        return error_set(err, STATUS_INVALID, HELPER " measured nothing");
    add_limit(table, "verifications alone, all cores", tasks * cores * 1e6 / verify_us,
              verify_us / tasks);
    if (plan->is_fresh)
        add_limit(table, "handshakes alone, both sides here", tasks * cores * 1e6 / shake_all_us,
                  shake_us / tasks);
    return STATUS_OK;
}

enum status limits_measure(const struct bench *bench, const struct plan *plan,
                           struct bench_site *site, const struct outcome *outcome,
                           struct limits_table *ret_limits, struct error *err)
{
    *ret_limits = (struct limits_table){0};
    TRY(measure_echo(bench, plan, site, false, ret_limits, err));
    TRY(measure_echo(bench, plan, site, true, ret_limits, err));
    if (plan->output_bytes <= UNIT_INLINE_MAX_BYTES)
        TRY(measure_alone(bench, plan, site, outcome, ret_limits, err));
    return measure_primitives(bench, plan, site, ret_limits, err);
}
