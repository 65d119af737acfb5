#include "db/sql/saving.h"

#include <assert.h>
#include <stdio.h>

#include "db/sql/rows.h"

void saving_mark_hosts(struct work_set *set)
{
    for (size_t i = 0; i < set->allowance_count; i++) {
        struct host *host = work_host(set, set->allowances[i].host);

        assert(!set->allowances[i].is_changed || host != NULL);
        if (set->allowances[i].is_changed)
            host->is_changed = true;
    }
}

bool saving_wants_task(const struct task *task)
{
    return task->is_changed || task->row.state == 0;
}

bool saving_wants_unit(const struct unit *unit)
{
    bool is_changed = unit->is_changed;

    for (size_t i = 0; i < unit->task_count; i++)
        is_changed = is_changed || saving_wants_task(&unit->tasks[i]);
    return is_changed;
}

void saving_name_task(const struct unit *unit, struct task *task)
{
    int64_t id = TASK_ID(unit->id, task - unit->tasks);

    assert(task->id == id || (task->row.state == 0 && task->id == 0));
    task->id = id;
}

void saving_count_task(const struct unit *unit, struct task *task, struct unit_deltas *deltas)
{
    if (task->row.state != 0)
        deltas->states[task->row.state]--;
    deltas->states[task->state]++;
    task->row = (struct task_row){.state = task->state, .is_live = task_is_live(unit, task)};
    task->is_changed = false;
}

void saving_count_unit(struct unit *unit, struct unit_deltas *deltas)
{
    enum unit_phase phase = phase_of(unit);

    deltas->phases[unit->row.phase]--;
    deltas->phases[phase]++;
    unit->row.phase = (uint8_t)phase;
}

struct hosts_text saving_format_hosts(const int64_t *hosts)
{
    struct hosts_text text = {.text = "["};
    int length = 1;

    for (size_t i = 0; i < BATCH_HOSTS_SEEN && hosts[i] != 0; i++)
        length += snprintf(text.text + length, sizeof text.text - (size_t)length,
                           i == 0 ? "%lld" : ",%lld", (long long)hosts[i]);
    (void)snprintf(text.text + length, sizeof text.text - (size_t)length, "]");
    return text;
}

int64_t saving_visit_of(const struct work_set *set, int64_t first_id,
                        const struct report_record *report)
{
    struct task *task = NULL;

    if (work_unit_of_task(set, report->task, &task) == NULL)
        return 0;
    for (size_t i = 0; i < set->visit_count; i++)
        if (set->visits[i].host == task->at_dispatch.host && set->visits[i].number == report->visit)
            return first_id + (int64_t)i;
    return 0;
}

int64_t saving_time_of(const struct work_set *set)
{
    int64_t time_s = 0;

    for (size_t i = 0; i < set->visit_count; i++)
        if (set->visits[i].time_s > time_s)
            time_s = set->visits[i].time_s;
    for (size_t i = 0; i < set->journal_count; i++)
        if (set->journal[i].time_s > time_s)
            time_s = set->journal[i].time_s;
    return time_s;
}

bool saving_is_result(enum journal_kind kind)
{
    return kind == JOURNAL_UNIT_ACCEPTED || kind == JOURNAL_UNIT_REOPENED ||
           kind == JOURNAL_UNIT_FAILED;
}

bool saving_may_have_reports(const struct unit *unit)
{
    bool may_have_some = unit->revision > 1 || unit->state == UNIT_FAILED;

    for (size_t i = 0; i < unit->task_count; i++)
        may_have_some = may_have_some || unit->tasks[i].is_asked;
    return may_have_some;
}

/* A unit that failed by itself can be retried. */
bool saving_ends_reports(const struct journal_entry *entry)
{
    return entry->kind == JOURNAL_UNIT_FAILED && entry->detail >= FAILURE_EXPIRED;
}
