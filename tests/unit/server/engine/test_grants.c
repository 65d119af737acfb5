/* server/engine: how much a host gets, and whose outputs are alike. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "tests/support/village.h"

static struct village village;
static size_t ann, bob;

static void set_up(void)
{
    village_open(&village, NULL);
    ann = village_join(&village);
    bob = village_join(&village);
}

static void tear_down(void)
{
    village_close(&village);
}

TestSuite(grants, .init = set_up, .fini = tear_down);

/* What it got before, it holds. */
static size_t get_more(struct held_task *held, size_t held_count)
{
    struct village_visit visit;
    size_t count;

    village_visit_begin(&village, &visit, ann);
    village_visit_want(&visit, 64);
    visit.request.host.cores = 4;
    for (size_t i = 0; i < held_count; i++)
        village_visit_hold(&visit, held[i].task);
    cr_assert(eq(int, village_visit_make(&village, &visit, ann), STATUS_OK));
    count = visit.reply.grant_count;
    for (size_t i = 0; i < count; i++)
        held[held_count + i].task = visit.reply.grants[i].task;
    village_visit_clear(&visit);
    return count;
}

/* Else a new host would have all of a batch, in small portions. */
Test(grants, a_host_that_never_agreed_has_no_more_out_than_it_can_run_however_often_it_comes)
{
    struct held_task held[128];

    village_add_units(&village, 20, NULL);
    cr_assert(eq(sz, get_more(held, 0), 4));
    cr_expect(eq(sz, get_more(held, 4), 0));
    cr_expect(eq(sz, get_more(held, 4), 0));
    cr_expect(eq(i64, village_count(&village, "count(*) FROM task"), 4));
}

/* --- an app of two outputs --- */

static void publish_two_outputs(void)
{
    struct app_version *app = &village.sample.app_version;

    app->version = 2;
    app->outputs = realloc(app->outputs, 2 * sizeof *app->outputs);
    cr_assert(app->outputs != NULL);
    app->outputs[1] = (struct app_output){.name = {"log"}, .max_bytes = 1000};
    app->output_count = 2;
    village_publish_app(&village);
    village_open_batch(&village, "second", 0);
}

static void add_output(struct village_visit *visit, const char *name, const char *text)
{
    struct named_outputs *outputs = &visit->finished[0].outputs;
    struct scheduler_report *report = &visit->reports[0];

    outputs->outputs[outputs->count] =
        (struct named_output){.digest = digest_of(text, strlen(text)), .size = 2};
    (void)strcpy(outputs->outputs[outputs->count++].name.text, name);
    report->bodies[report->body_count] =
        (struct scheduler_body){.body = {.bytes = text_copy(text), .length = 2}};
    (void)strcpy(report->bodies[report->body_count++].name.text, name);
}

static void report_both(size_t host, bool is_turned)
{
    int64_t task = village_get(&village, host);
    struct village_visit visit;

    cr_assert(task != 0);
    village_visit_begin(&village, &visit, host);
    village_visit_done(&village, &visit, task, is_turned ? "l\n" : "o\n", true);
    if (is_turned) {
        (void)strcpy(visit.finished[0].outputs.outputs[0].name.text, "log");
        (void)strcpy(visit.reports[0].bodies[0].name.text, "log");
    }
    add_output(&visit, is_turned ? "out" : "log", is_turned ? "o\n" : "l\n");
    cr_assert(eq(int, village_visit_make(&village, &visit, host), STATUS_OK));
    village_visit_clear(&visit);
}

Test(grants, equal_outputs_agree_in_whatever_order_they_are_named)
{
    publish_two_outputs();
    village_add_units(&village, 1, NULL);
    report_both(ann, false);
    report_both(bob, true);
    cr_expect(eq(i64, village_count(&village, "state FROM unit"), UNIT_ACCEPTED));
}
