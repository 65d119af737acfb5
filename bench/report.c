#include "bench/report.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/buffer.h"
#include "common/json/build.h"

static double share(double part, double of)
{
    return of > 0 ? part / of : 0;
}

struct rates rates_of(const struct outcome *outcome)
{
    const struct figures *figures = &outcome->figures;
    const struct server_counts *before = &outcome->counts_before, *after = &outcome->counts_after;
    double span_s = (double)outcome->span_us / 1e6;
    double server_us = (double)(outcome->after.cpu_us - outcome->before.cpu_us);
    double reported = (double)figures->reported, visits = (double)figures->visits;
    double cycles = after->cycles >= 0 ? (double)(after->cycles - before->cycles) : 0;
    double accepted =
        after->units_accepted >= 0 ? (double)(after->units_accepted - before->units_accepted) : 0;

    return (struct rates){
        .visits_per_s = share(visits, span_s),
        .granted_per_s = share((double)figures->granted, span_s),
        .reported_per_s = share(reported, span_s),
        .accepted_per_s = share(accepted, span_s),
        .uploads_per_s = share((double)figures->uploads, span_s),
        .server_us_per_task = share(server_us, reported),
        .server_us_per_visit = share(server_us, visits),
        .wire_bytes_per_task = share((double)(figures->bytes_in + figures->bytes_out), reported),
        .written_bytes_per_task =
            share((double)(outcome->after.written_bytes - outcome->before.written_bytes), reported),
        .database_bytes_per_task =
            share((double)(after->database_bytes - before->database_bytes), reported),
        .cycles_per_s = share(cycles, span_s),
        .tasks_per_cycle = share(reported, cycles),
        .own_share = share((double)outcome->own_us, (double)outcome->span_us),
        .server_share = share(server_us, (double)outcome->span_us),
    };
}

/* --- text --------------------------------------------------------------------------------------*/

static void line(struct buffer *text, const char *what, const char *unit, double value)
{
    (void)buffer_printf(text, NULL, "  %-34s %12.*f %s\n", what, value < 100 ? 2 : 0, value, unit);
}

static void say_server(const struct outcome *outcome, const struct rates *rates,
                       struct buffer *text)
{
    line(text, "units accepted", "/s", rates->accepted_per_s);
    line(text, "server CPU per task", "us", rates->server_us_per_task);
    line(text, "server CPU per visit", "us", rates->server_us_per_visit);
    line(text, "server CPU", "cores", rates->server_share);
    line(text, "server peak memory", "MiB", (double)outcome->after.peak_bytes / 1048576);
    line(text, "written to disk per task", "bytes", rates->written_bytes_per_task);
    line(text, "database grew per task", "bytes", rates->database_bytes_per_task);
    line(text, "transactions (one sync each)", "/s", rates->cycles_per_s);
    line(text, "tasks per transaction", "", rates->tasks_per_cycle);
}

static void say_trouble(const struct outcome *outcome, struct buffer *text)
{
    const struct figures *figures = &outcome->figures;

    if (figures->visits_without_work > 0)
        (void)buffer_printf(text, NULL,
                            "  note: %" PRId64 " of %" PRId64
                            " visits got no work: what is measured may be a lack of it\n",
                            figures->visits_without_work, figures->visits);
    if (figures->refused + figures->repeated + figures->failed + figures->late > 0)
        (void)buffer_printf(text, NULL,
                            "  note: %" PRId64 " refused, %" PRId64 " sent again, %" PRId64
                            " given up, %" PRId64 " late\n",
                            figures->refused, figures->repeated, figures->failed, figures->late);
    if (*outcome->failure != '\0')
        (void)buffer_printf(text, NULL, "  first failure: %s\n", outcome->failure);
}

void report_outcome(const struct outcome *outcome, struct buffer *text)
{
    const struct figures *figures = &outcome->figures;
    struct rates rates = rates_of(outcome);

    (void)buffer_printf(text, NULL, "%s\n", outcome->name);
    line(text, "visits", "/s", rates.visits_per_s);
    line(text, "tasks granted", "/s", rates.granted_per_s);
    line(text, "reports, durable", "/s", rates.reported_per_s);
    if (figures->uploads > 0)
        line(text, "outputs uploaded", "/s", rates.uploads_per_s);
    line(text, "visit p50", "ms", (double)histogram_percentile(&figures->visit_us, 50000) / 1e3);
    line(text, "visit p99", "ms", (double)histogram_percentile(&figures->visit_us, 99000) / 1e3);
    line(text, "visit p99.9", "ms", (double)histogram_percentile(&figures->visit_us, 99900) / 1e3);
    line(text, "bytes on the wire per task", "bytes", rates.wire_bytes_per_task);
    line(text, "generator CPU", "cores", rates.own_share);
    if (outcome->has_server)
        say_server(outcome, &rates, text);
    say_trouble(outcome, text);
}

void report_limits(const struct outcome *outcome, const struct limits_table *limits,
                   struct buffer *text)
{
    double reached = rates_of(outcome).reported_per_s;

    (void)buffer_printf(text, NULL, "what bounds it%31s %12s %s\n", "per second", "CPU us",
                        "  reached");
    for (size_t i = 0; i < limits->count; i++) {
        const struct limit *limit = &limits->limits[i];

        (void)buffer_printf(text, NULL, "  %-32s %10.0f %12.1f %8.0f %%\n", limit->name,
                            limit->per_s, limit->us_of_server, 100 * share(reached, limit->per_s));
    }
}

/* --- JSON --------------------------------------------------------------------------------------*/

static void put(json_t *object, const char *name, double value)
{
    build_set(object, name, json_real(value));
}

static void put_count(json_t *object, const char *name, int64_t value)
{
    build_set(object, name, json_integer(value));
}

static void put_rates(json_t *object, const struct rates *rates)
{
    put(object, "visits_per_s", rates->visits_per_s);
    put(object, "granted_per_s", rates->granted_per_s);
    put(object, "reported_per_s", rates->reported_per_s);
    put(object, "accepted_per_s", rates->accepted_per_s);
    put(object, "uploads_per_s", rates->uploads_per_s);
    put(object, "server_us_per_task", rates->server_us_per_task);
    put(object, "server_us_per_visit", rates->server_us_per_visit);
    put(object, "wire_bytes_per_task", rates->wire_bytes_per_task);
    put(object, "written_bytes_per_task", rates->written_bytes_per_task);
    put(object, "database_bytes_per_task", rates->database_bytes_per_task);
    put(object, "transactions_per_s", rates->cycles_per_s);
    put(object, "tasks_per_transaction", rates->tasks_per_cycle);
    put(object, "generator_cores", rates->own_share);
    put(object, "server_cores", rates->server_share);
}

json_t *report_outcome_json(const struct outcome *outcome)
{
    const struct figures *figures = &outcome->figures;
    struct rates rates = rates_of(outcome);
    json_t *object = json_object(), *counts = json_object();

    build_set(object, "name", json_string(outcome->name));
    put_count(object, "tasks_per_visit", outcome->tasks_per_visit);
    put(object, "seconds", (double)outcome->span_us / 1e6);
    put_count(object, "cores", outcome->cores);
    put_rates(object, &rates);
    put_count(object, "p50_us", histogram_percentile(&figures->visit_us, 50000));
    put_count(object, "p99_us", histogram_percentile(&figures->visit_us, 99000));
    put_count(object, "p999_us", histogram_percentile(&figures->visit_us, 99900));
    put_count(object, "server_peak_bytes", outcome->after.peak_bytes);
#define X(name, what) put_count(counts, #name, figures->name);
    FIGURES_TABLE(X)
#undef X
    build_set(object, "counts", counts);
    if (*outcome->failure != '\0')
        build_set(object, "first_failure", json_string(outcome->failure));
    return object;
}

json_t *report_limits_json(const struct outcome *outcome, const struct limits_table *limits)
{
    double reached = rates_of(outcome).reported_per_s;
    json_t *list = json_array();

    for (size_t i = 0; i < limits->count; i++) {
        const struct limit *limit = &limits->limits[i];
        json_t *object = json_object();

        build_set(object, "name", json_string(limit->name));
        put(object, "per_s", limit->per_s);
        put(object, "cpu_us", limit->us_of_server);
        put(object, "reached", share(reached, limit->per_s));
        build_append(list, object);
    }
    return list;
}
