#include "bench/report.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "common/base/buffer.h"

static bool is_about(double value, double expected)
{
    return value > expected * 0.999999 && value < expected * 1.000001;
}

static struct outcome sample(void)
{
    struct outcome outcome = {.name = "a run",
                              .tasks_per_visit = 2,
                              .span_us = 2000000,
                              .own_us = 500000,
                              .has_server = true,
                              .before = {.cpu_us = 1000000, .written_bytes = 1000},
                              .after = {.cpu_us = 1600000, .written_bytes = 41000},
                              .counts_before = {10, 100, 1000},
                              .counts_after = {1010, 300, 9000}};

    outcome.figures.visits = 1000;
    outcome.figures.granted = 1900;
    outcome.figures.reported = 2000;
    outcome.figures.bytes_in = 300000;
    outcome.figures.bytes_out = 100000;
    return outcome;
}

Test(report, rates_are_by_second_task_and_visit)
{
    struct outcome outcome = sample();
    struct rates rates = rates_of(&outcome);

    cr_expect(is_about(rates.visits_per_s, 500));
    cr_expect(is_about(rates.granted_per_s, 950));
    cr_expect(is_about(rates.reported_per_s, 1000));
    cr_expect(is_about(rates.accepted_per_s, 500));
    cr_expect(is_about(rates.server_us_per_task, 300));
    cr_expect(is_about(rates.server_us_per_visit, 600));
    cr_expect(is_about(rates.wire_bytes_per_task, 200));
    cr_expect(is_about(rates.written_bytes_per_task, 20));
    cr_expect(is_about(rates.database_bytes_per_task, 4));
    cr_expect(is_about(rates.tasks_per_cycle, 10));
    cr_expect(is_about(rates.own_share, 0.25));
    cr_expect(is_about(rates.server_share, 0.3));
}

Test(report, a_run_in_which_nothing_happened_divides_by_nothing)
{
    struct outcome outcome = {.name = "nothing", .counts_before = {-1, -1, -1}};
    struct rates rates = rates_of(&outcome);

    cr_expect(rates.visits_per_s <= 0 && rates.server_us_per_task <= 0);
}

Test(report, trouble_is_said)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = 65536};
    struct outcome outcome = sample();

    outcome.figures.visits_without_work = 7;
    outcome.figures.failed = 3;
    (void)strcpy(outcome.failure, "the server answered 429");
    report_outcome(&outcome, &text);
    cr_expect(strstr(buffer_text(&text), "7 of 1000 visits got no work") != NULL);
    cr_expect(strstr(buffer_text(&text), "3 given up") != NULL);
    cr_expect(strstr(buffer_text(&text), "answered 429") != NULL);
}

Test(report, a_limit_is_shown_with_the_share_of_it_that_was_reached)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = 65536};
    struct outcome outcome = sample();
    struct limits_table limits = {.count = 1, .limits = {{"echo", 4000, 100}}};
    json_t *json = report_limits_json(&outcome, &limits);

    report_limits(&outcome, &limits, &text);
    cr_expect(strstr(buffer_text(&text), "25 %") != NULL, "%s", buffer_text(&text));
    cr_expect(is_about(json_real_value(json_object_get(json_array_get(json, 0), "reached")), 0.25));
    json_decref(json);
}

static const char *const names[] = {
#define X(name, what) #name,
    FIGURES_TABLE(X)
#undef X
};

Test(report, every_figure_is_there_for_programs)
{
    struct outcome outcome = sample();
    json_t *json = report_outcome_json(&outcome), *counts = json_object_get(json, "counts");

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        cr_expect(json_object_get(counts, names[i]) != NULL, "%s", names[i]);
    cr_expect(eq(i64, json_integer_value(json_object_get(counts, "granted")), 1900));
    json_decref(json);
}
