#include "tests/support/site_work.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

#define NOW_S (SITE_TIME_S + 100)

/* A transaction with the working set of one unit and some of its hosts. */
struct cycle {
    struct test_site *site;
    struct txn txn;
    struct work_set set;
    struct unit *unit;
    struct batch *batch;
};

static void cycle_begin(struct cycle *cycle, struct test_site *site, size_t unit)
{
    const struct work_request request = {.units = &site->units[unit],
                                         .unit_count = 1,
                                         .hosts = site->hosts,
                                         .host_count = site->host_count};

    *cycle = (struct cycle){.site = site};
    SITE_MUST(txn_begin(&cycle->txn, site->store, err));
    SITE_MUST(site->store->work->load(site->store, &request, &cycle->set, err));
    cycle->unit = work_unit(&cycle->set, site->units[unit]);
    cycle->batch = work_batch(&cycle->set, cycle->unit->batch);
    cycle->unit->is_changed = true;
}

static void cycle_end(struct cycle *cycle)
{
    SITE_MUST(cycle->site->store->work->save(cycle->site->store, &cycle->set, err));
    SITE_MUST(txn_commit(&cycle->txn, err));
    work_set_clear(&cycle->set);
}

static void tell(struct cycle *cycle, enum journal_kind kind, int64_t subject, int64_t detail)
{
    work_add_journal(&cycle->set,
                     (struct journal_entry){
                         .time_s = NOW_S, .kind = kind, .subject = subject, .detail = detail});
}

/* As an engine would, which alone can read it. */
static void count_visit(struct cycle *cycle, struct host *host)
{
    host->visit++;
    host->is_changed = true;
    work_add_answer(&cycle->set, (struct answer_record){.host = host->id,
                                                        .visit = host->visit,
                                                        .reply = "an answer",
                                                        .length = strlen("an answer")});
}

void site_send(struct test_site *site, size_t unit, size_t host)
{
    struct cycle cycle;
    struct host *taker;
    struct task *task;

    cycle_begin(&cycle, site, unit);
    assert(cycle.unit->task_count < UNIT_TASKS_MAX);
    taker = work_host(&cycle.set, site->hosts[host]);
    count_visit(&cycle, taker);
    task = &cycle.unit->tasks[cycle.unit->task_count];
    *task = (struct task){
        .id = TASK_ID(cycle.unit->id, cycle.unit->task_count),
        .state = TASK_SENT,
        .at_dispatch = {.host = taker->id,
                        .volunteer = taker->volunteer,
                        .organisation = taker->organisation},
        .prefix = text_copy(taker->prefix),
        .visit = taker->visit,
        .variant = site->variant_digest,
        .sent_s = NOW_S,
        .deadline_up_s = 5000,
        .deadline_s = NOW_S + 5000,
        .is_changed = true,
    };
    task->now = task->at_dispatch;
    cycle.unit->task_count++;
    if (cycle.unit->copies_wanted > 0)
        cycle.unit->copies_wanted--;
    tell(&cycle, JOURNAL_TASK_SENT, task->id, taker->id);
    cycle_end(&cycle);
}

static struct task *task_of(struct cycle *cycle, size_t host)
{
    for (size_t i = 0; i < cycle->unit->task_count; i++)
        if (cycle->unit->tasks[i].at_dispatch.host == cycle->site->hosts[host])
            return &cycle->unit->tasks[i];
    abort();
}

/* The visit that ends the task, and its report. */
static struct task *end_task(struct cycle *cycle, size_t host, enum task_state state,
                             const char *stderr_tail)
{
    static const char statement[] = "{\"visit\":true}";
    struct task *task = task_of(cycle, host);
    struct host *reporter = work_host(&cycle->set, task->at_dispatch.host);

    count_visit(cycle, reporter);
    task->state = state;
    task->reported_s = NOW_S;
    task->is_changed = true;
    work_add_visit(&cycle->set, (struct visit_record){.host = reporter->id,
                                                      .number = reporter->visit,
                                                      .statement = statement,
                                                      .statement_length = strlen(statement),
                                                      .time_s = NOW_S});
    work_add_report(&cycle->set, (struct report_record){.task = task->id,
                                                        .visit = reporter->visit,
                                                        .exit_status = state == TASK_ERROR,
                                                        .why = "",
                                                        .stderr_tail = stderr_tail,
                                                        .stderr_length = strlen(stderr_tail)});
    tell(cycle, JOURNAL_TASK_STATE, task->id, state);
    return task;
}

void site_report(struct test_site *site, size_t unit, size_t host, const char *text)
{
    struct cycle cycle;
    struct task *task;

    cycle_begin(&cycle, site, unit);
    task = end_task(&cycle, host, TASK_REPORTED, "");
    task->output_count = 1;
    task->outputs = must_alloc(1, sizeof *task->outputs);
    task->outputs[0] = (struct output){.name = text_copy("out.txt"),
                                       .digest = digest_of(text, strlen(text)),
                                       .size_bytes = (int64_t)strlen(text),
                                       .is_stored = true};
    task->result = result_digest(task->outputs, 1);
    work_add_body(&cycle.set, (struct body_record){.digest = task->outputs[0].digest,
                                                   .bytes = text,
                                                   .length = strlen(text)});
    cycle_end(&cycle);
}

void site_fail(struct test_site *site, size_t unit, size_t host, const char *stderr_tail)
{
    struct cycle cycle;
    struct task *task;

    cycle_begin(&cycle, site, unit);
    task = end_task(&cycle, host, TASK_ERROR, stderr_tail);
    task->cause = CAUSE_EXIT;
    task->cause_detail = 1;
    task->is_told = true;
    work_host(&cycle.set, task->at_dispatch.host)->errors++;
    cycle.unit->copies_wanted++;
    cycle_end(&cycle);
}

static void agree(struct cycle *cycle, struct task *task, struct acceptance *acceptance)
{
    struct host *host = work_host(&cycle->set, task->at_dispatch.host);

    task->state = TASK_AGREED;
    task->credit = cycle->unit->declared_ops;
    task->is_told = true;
    task->is_changed = true;
    host->credit += task->credit;
    host->agreed++;
    host->is_changed = true;
    acceptance->tasks[acceptance->task_count++] = task->id;
    tell(cycle, JOURNAL_TASK_STATE, task->id, TASK_AGREED);
    tell(cycle, JOURNAL_CREDIT, task->id, task->credit);
}

void site_accept(struct test_site *site, size_t unit)
{
    struct acceptance acceptance = {.time_s = NOW_S};
    struct cycle cycle;

    cycle_begin(&cycle, site, unit);
    cycle.unit->state = UNIT_ACCEPTED;
    cycle.unit->copies_wanted = 0;
    cycle.unit->revision++;
    acceptance.unit = cycle.unit->id;
    acceptance.revision = cycle.unit->revision;
    acceptance.quorum = cycle.unit->rule.quorum;
    acceptance.independence = cycle.unit->rule.independence;
    for (size_t i = 0; i < cycle.unit->task_count; i++)
        if (cycle.unit->tasks[i].state == TASK_REPORTED)
            agree(&cycle, &cycle.unit->tasks[i], &acceptance);
    work_add_acceptance(&cycle.set, acceptance);
    cycle.batch->units_accepted++;
    cycle.batch->is_changed = true;
    tell(&cycle, JOURNAL_UNIT_ACCEPTED, cycle.unit->id, cycle.unit->revision);
    cycle_end(&cycle);
}

void site_give_up(struct test_site *site, size_t unit, enum unit_failure failure)
{
    struct cycle cycle;

    cycle_begin(&cycle, site, unit);
    cycle.unit->state = UNIT_FAILED;
    cycle.unit->failure = failure;
    cycle.unit->copies_wanted = 0;
    for (size_t i = 0; i < cycle.unit->task_count; i++) {
        if (cycle.unit->tasks[i].state != TASK_SENT)
            continue;
        cycle.unit->tasks[i].state = TASK_DROPPED;
        cycle.unit->tasks[i].is_changed = true;
    }
    cycle.batch->units_failed++;
    cycle.batch->is_changed = true;
    tell(&cycle, JOURNAL_UNIT_FAILED, cycle.unit->id, failure);
    cycle_end(&cycle);
}

void site_reopen(struct test_site *site, size_t unit)
{
    struct cycle cycle;

    cycle_begin(&cycle, site, unit);
    cycle.unit->state = UNIT_OPEN;
    cycle.unit->copies_wanted = 1;
    cycle.batch->units_accepted--;
    cycle.batch->is_changed = true;
    tell(&cycle, JOURNAL_UNIT_REOPENED, cycle.unit->id, cycle.unit->revision);
    cycle_end(&cycle);
}

void site_play(struct test_site *site)
{
    site_send(site, 0, 0);
    site_send(site, 0, 1);
    site_report(site, 0, 0, "42\n");
    site_report(site, 0, 1, "42\n");
    site_accept(site, 0);
    site_send(site, 1, 2);
    site_fail(site, 1, 2, "no such input\n");
}

void site_want(struct test_site *site, size_t unit, uint32_t copies)
{
    struct cycle cycle;

    cycle_begin(&cycle, site, unit);
    cycle.unit->copies_wanted = copies;
    cycle_end(&cycle);
}
