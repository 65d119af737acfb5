/* server/api with everything below it: work is published, computed, agreed and collected. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/batch.h"
#include "protocol/result_line.h"
#include "tests/support/grid.h"

static struct grid grid;

static void set_up(void)
{
    grid_open(&grid, NULL);
}

static void tear_down(void)
{
    grid_close(&grid);
}

TestSuite(flow, .init = set_up, .fini = tear_down, .timeout = 60);

/* Ask for one task; its number and unit. */
static int64_t get_task(struct grid_host *host, struct digest *ret_unit)
{
    struct scheduler_reply reply;
    struct envelope unit;
    int64_t task;

    cr_assert(eq(int, grid_visit(&grid, host, 1, NULL, 0, &reply), 200), "%s", grid_body(&grid));
    cr_assert(eq(sz, reply.grant_count, 1), "%s", reply.why);
    task = reply.grants[0].task;
    cr_assert(eq(int,
                 envelope_decode(reply.grants[0].unit, strlen(reply.grants[0].unit),
                                 ENVELOPE_PAYLOAD_MAX, &unit, NULL),
                 STATUS_OK));
    *ret_unit = unit.digest;
    envelope_clear(&unit);
    scheduler_reply_clear(&reply);
    return task;
}

static enum visit_ack report(struct grid_host *host, int64_t task, const struct digest *unit,
                             const char *output)
{
    struct grid_report report = {.task = task, .unit = *unit, .output = output};
    struct scheduler_reply reply;
    enum visit_ack ack;

    cr_assert(eq(int, grid_visit(&grid, host, 0, &report, 1, &reply), 200), "%s", grid_body(&grid));
    ack = reply.acks[0].state;
    scheduler_reply_clear(&reply);
    return ack;
}

Test(flow, one_unit_goes_the_whole_way)
{
    struct grid_host hosts[2];
    struct digest unit;
    struct result_line line;
    int64_t tasks[2];

    grid_publish(&grid);
    grid_add_units(&grid, 0, 1);
    cr_assert(
        eq(int, grid_post(&grid, grid_batch(&grid, "/actions"), "{\"action\":\"close\"}"), 200));
    for (unsigned i = 0; i < 2; i++) {
        grid_enrol(&grid, i, &hosts[i]);
        tasks[i] = get_task(&hosts[i], &unit);
    }
    cr_expect(eq(int, report(&hosts[0], tasks[0], &unit, "42\n"), ACK_STORED));
    cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "/explain")), 200));
    cr_expect(grid_says(&grid, "1 unit is being computed"), "%s", grid_body(&grid));
    cr_expect(eq(int, report(&hosts[1], tasks[1], &unit, "42\n"), ACK_STORED));
    cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "")), 200));
    cr_expect(grid_says(&grid, "\"state\":\"finished\""), "%s", grid_body(&grid));
    cr_expect(grid_says(&grid, "\"accepted\":1"));
    cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "/results")), 200));
    cr_assert(
        eq(int,
           result_line_decode(grid.client.body.bytes, grid.client.body.length - 1, &line, NULL),
           STATUS_OK),
        "%s", grid_body(&grid));
    cr_expect(eq(int, line.state, RESULT_ACCEPTED));
    cr_expect(eq(sz, line.task_count, 2));
    cr_expect(eq(sz, line.outputs[0].body.length, 3));
    result_line_clear(&line);
    for (unsigned i = 0; i < 2; i++)
        grid_host_clear(&hosts[i]);
}

Test(flow, metrics_say_how_work_came_to_idle_hosts)
{
    cr_assert(eq(int, grid_get(&grid, "/metrics"), 200));
    cr_expect(grid_says(&grid, "\ndugnad_tasks_resent_total 0\n"));
    cr_expect(grid_says(&grid, "\ndugnad_tasks_moved_total 0\n"));
    cr_expect(grid_says(&grid, "\ndugnad_tasks_moved_back_total 0\n"));
    cr_expect(grid_says(&grid, "\ndugnad_last_copies_total 0\n"));
}

Test(flow, a_task_that_ended_at_a_limit_is_explained_in_words)
{
    static const char words[] = "ended at its limit of memory: probably, for it died of SIGSEGV";
    struct grid_host host;
    struct scheduler_reply reply;
    struct grid_report report = {.limit = LIMIT_MEMORY, .why = "probably, for it died of SIGSEGV"};
    CLEANUP(freep) char *path = NULL;

    grid_publish(&grid);
    grid_add_units(&grid, 0, 1);
    grid_enrol(&grid, 1, &host);
    report.task = get_task(&host, &report.unit);
    cr_assert(eq(int, grid_visit(&grid, &host, 0, &report, 1, &reply), 200), "%s",
              grid_body(&grid));
    scheduler_reply_clear(&reply);
    cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "/explain")), 200));
    cr_expect(grid_says(&grid, words), "%s", grid_body(&grid));
    path = text_format("/v1/units/%s", digest_format(&report.unit).text + strlen("sha256:"));
    cr_assert(eq(int, grid_get(&grid, path), 200), "%s", grid_body(&grid));
    cr_expect(grid_says(&grid, "\"limit\":\"memory\""), "%s", grid_body(&grid));
    cr_expect(grid_says(&grid, words), "%s", grid_body(&grid));
    grid_host_clear(&host);
}

/* Regression: they were one group, and the example of another unit explained both. */
Test(flow, outputs_that_are_not_there_are_not_explained_by_those_that_are_not_fit)
{
    static const char *const why[] = {"output out was not written",
                                      "output out is not a regular file"};

    grid_publish(&grid);
    grid_add_units(&grid, 0, 2);
    for (size_t i = 0; i < 2; i++) {
        struct grid_host host;
        struct scheduler_reply reply;
        struct grid_report report = {.why = why[i], .exited_with_zero = true};

        grid_enrol(&grid, i + 1, &host);
        report.task = get_task(&host, &report.unit);
        cr_assert(eq(int, grid_visit(&grid, &host, 0, &report, 1, &reply), 200), "%s",
                  grid_body(&grid));
        scheduler_reply_clear(&reply);
        grid_host_clear(&host);
    }
    cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "/explain")), 200));
    cr_expect(grid_says(&grid, why[0]), "%s", grid_body(&grid));
    cr_expect(grid_says(&grid, why[1]), "%s", grid_body(&grid));
}

Test(flow, a_batch_says_that_it_needs_more_volunteers)
{
    struct grid_host host;
    struct digest unit;

    grid_publish(&grid);
    grid_add_units(&grid, 0, 1);
    cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "/explain")), 200));
    cr_expect(grid_says(&grid, "no host that can run this app"), "%s", grid_body(&grid));
    grid_enrol(&grid, 1, &host);
    (void)get_task(&host, &unit);
    cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "/explain")), 200));
    cr_expect(grid_says(&grid, "needs 2 independent volunteers; 1 enrolled"), "%s",
              grid_body(&grid));
    grid_host_clear(&host);
}

/* A jump of the wall clock, which the engine has noticed when this returns. */
static void make_clock_doubtful(struct grid_host *host)
{
    struct scheduler_reply reply;

    grid.ahead_s += INT64_C(365) * DAY_S;
    cr_assert(eq(int, grid_visit(&grid, host, 0, NULL, 0, &reply), 200), "%s", grid_body(&grid));
    scheduler_reply_clear(&reply);
}

/* Regression: by the wall clock nobody had been there in the last day; hosts are dated by the
 * engine's, which goes on as it was last believed. */
Test(flow, in_doubt_of_the_clock_a_host_is_seen_as_the_engine_saw_it)
{
    struct grid_host host;
    struct digest unit;

    grid_publish(&grid);
    grid_add_units(&grid, 0, 2);
    grid_enrol(&grid, 1, &host);
    (void)get_task(&host, &unit);
    make_clock_doubtful(&host);
    cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "/explain")), 200));
    cr_expect(grid_says(&grid, "clock jumped"), "%s", grid_body(&grid));
    cr_expect(grid_says(&grid, "needs 2 independent volunteers; 1 enrolled"), "%s",
              grid_body(&grid));
    cr_expect(not(grid_says(&grid, "no host")), "%s", grid_body(&grid));
    grid_host_clear(&host);
}

static struct batch_status get_batch(void)
{
    struct batch_status status;

    cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "")), 200), "%s", grid_body(&grid));
    cr_assert(eq(int,
                 batch_status_decode(grid_body(&grid), strlen(grid_body(&grid)), &status, NULL),
                 STATUS_OK),
              "%s", grid_body(&grid));
    return status;
}

/* Regression: a batch that began minutes ago had a year behind it, and another one to go. */
Test(flow, in_doubt_of_the_clock_a_batch_is_as_old_as_the_engine_says)
{
    struct grid_host hosts[2];
    struct digest unit;
    int64_t tasks[2];

    grid_publish(&grid);
    grid_add_units(&grid, 0, 1);
    for (unsigned i = 0; i < 2; i++) {
        grid_enrol(&grid, i, &hosts[i]);
        tasks[i] = get_task(&hosts[i], &unit);
    }
    for (unsigned i = 0; i < 2; i++)
        cr_assert(eq(int, report(&hosts[i], tasks[i], &unit, "42\n"), ACK_STORED));
    grid_add_units(&grid, 1, 1);
    grid_pass(&grid, 600);
    make_clock_doubtful(&hosts[0]);
    cr_assert(eq(i64, get_batch().accepted, 1));
    cr_expect(lt(i64, SAMPLE_NOW_S, get_batch().finish_estimate_s));
    cr_expect(lt(i64, get_batch().finish_estimate_s, SAMPLE_NOW_S + DAY_S));
    cr_assert(eq(int, grid_get(&grid, "/v1/batches"), 200));
    cr_expect(grid_says(&grid, "\"finish_estimate_s\""), "%s", grid_body(&grid));
    for (unsigned i = 0; i < 2; i++)
        grid_host_clear(&hosts[i]);
}

/* Regression: an app of today was taken, and each of its units refused as run out a year ago. */
Test(flow, in_doubt_of_the_clock_units_of_today_are_taken)
{
    struct grid_host host;

    grid_publish(&grid);
    grid_enrol(&grid, 1, &host);
    make_clock_doubtful(&host);
    grid_add_units(&grid, 0, 2);
    cr_expect(eq(i64, get_batch().units, 2));
    grid_host_clear(&host);
}

Test(flow, a_repeated_visit_gets_the_same_bytes_and_a_lower_one_is_a_clone)
{
    struct grid_host host;
    CLEANUP(freep) char *text = NULL;
    CLEANUP(freep) char *first = NULL;
    struct grid_request request = {
        .method = "POST", .path = "/v1/scheduler", .type = "application/json"};
    struct scheduler_reply reply;

    grid_publish(&grid);
    grid_add_units(&grid, 0, 4);
    grid_enrol(&grid, 1, &host);
    text = grid_visit_text(&grid, &host, 5, 1, NULL, 0);
    request.token = host.token.text;
    request.body = text;
    cr_assert(eq(int, grid_ask(&grid, &request), 200));
    first = text_copy(grid_body(&grid));
    cr_assert(eq(int, grid_ask(&grid, &request), 200));
    cr_expect(eq(str, (char *)grid_body(&grid), first));
    grid_restart(&grid);
    cr_assert(eq(int, grid_ask(&grid, &request), 200));
    cr_expect(eq(str, (char *)grid_body(&grid), first), "receipts, too, after a restart");
    host.visit = 3;
    cr_expect(eq(int, grid_visit(&grid, &host, 0, NULL, 0, &reply), 409));
    cr_expect(grid_says(&grid, "\"code\":\"clone\""), "%s", grid_body(&grid));
    grid_host_clear(&host);
}

/* Two instances in step have the same statement to make: nothing finished, the same number. */
Test(flow, one_number_and_statement_in_two_requests_mark_a_clone)
{
    struct grid_host host;
    CLEANUP(freep) char *text = NULL;
    CLEANUP(freep) char *other = NULL;
    struct grid_request request = {
        .method = "POST", .path = "/v1/scheduler", .type = "application/json"};

    grid_publish(&grid);
    grid_add_units(&grid, 0, 4);
    grid_enrol(&grid, 1, &host);
    text = grid_visit_text(&grid, &host, 5, 1, NULL, 0);
    other = grid_visit_text(&grid, &host, 5, 2, NULL, 0); /* what it wants is not signed */
    request.token = host.token.text;
    request.body = text;
    cr_assert(eq(int, grid_ask(&grid, &request), 200));
    cr_assert(eq(int, grid_ask(&grid, &request), 200), "the same bytes are a repeat");
    request.body = other;
    cr_expect(eq(int, grid_ask(&grid, &request), 409));
    cr_expect(grid_says(&grid, "\"code\":\"clone\""), "%s", grid_body(&grid));
    request.body = text;
    cr_expect(eq(int, grid_ask(&grid, &request), 409), "neither instance goes on");
    grid_host_clear(&host);
}

Test(flow, what_was_stored_is_there_after_a_restart)
{
    struct grid_host host;
    struct digest unit;
    int64_t task;

    grid_publish(&grid);
    grid_add_units(&grid, 0, 3);
    grid_enrol(&grid, 1, &host);
    task = get_task(&host, &unit);
    grid_restart(&grid);
    cr_expect(eq(int, report(&host, task, &unit, "42\n"), ACK_STORED));
    cr_assert(eq(int, grid_get(&grid, "/v1/batches/by-name/sample"), 200));
    cr_expect(grid_says(&grid, "\"units\":3"), "%s", grid_body(&grid));
    grid_host_clear(&host);
}

Test(flow, more_units_than_a_slice_come_in_and_coming_again_changes_nothing)
{
    grid_publish(&grid);
    grid_add_units(&grid, 0, 700);
    cr_expect(grid_says(&grid, "\"received\":700"));
    cr_expect(grid_says(&grid, "\"new\":700"));
    grid_add_units(&grid, 300, 500);
    cr_expect(grid_says(&grid, "\"new\":100"), "%s", grid_body(&grid));
    cr_expect(grid_says(&grid, "\"known\":400"));
    cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "/units?limit=1000")), 200));
    cr_expect(grid_says(&grid, "\"name\":\"unit-799\""));
}

Test(flow, explain_says_why_units_failed_that_nobody_had)
{
    grid_publish(&grid);
    grid_add_units(&grid, 0, 300);
    cr_assert(
        eq(int, grid_post(&grid, grid_batch(&grid, "/actions"), "{\"action\":\"cancel\"}"), 200));
    for (int i = 0; i < 50; i++) {
        cr_assert(eq(int, grid_get(&grid, grid_batch(&grid, "/explain")), 200));
        if (grid_says(&grid, "\"count\":300"))
            break;
        grid_pass(&grid, 1);
        grid.real->sleep_ms(grid.real, 100);
    }
    cr_expect(grid_says(&grid, "cancelled by an operator"), "%s", grid_body(&grid));
    cr_expect(grid_says(&grid, "\"count\":300"), "%s", grid_body(&grid));
    cr_expect(not(grid_says(&grid, "units_examined")), "%s", grid_body(&grid));
}
