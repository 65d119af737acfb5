#include "server/engine/timing.h"

#include "server/policy/estimate.h"

void timing_learn(struct cycle *cycle, const struct unit *unit, const struct task *task,
                  int64_t said_ms)
{
    struct allowance *allowance =
        work_allowance(&cycle->set, task->at_dispatch.host, unit->app_version);
    struct estimate_facts facts = {
        .pace = allowance->pace, .usual_pace = allowance->usual_pace, .timed = allowance->timed};

    facts = estimate_after_task(&facts, unit->declared_ops,
                                estimate_took_ms(said_ms, task->sent_s, cycle->clock.now_s));
    allowance->pace = facts.pace;
    allowance->usual_pace = facts.usual_pace;
    allowance->timed = facts.timed;
    allowance->is_changed = true;
}

void timing_teach(struct cycle *cycle)
{
    for (size_t i = 0; i < cycle->set.allowance_count; i++) {
        const struct allowance *row = &cycle->set.allowances[i];
        const struct host *host = work_host(&cycle->set, row->host);

        if (row->timed == 0 || host == NULL || host->agreed == 0)
            continue;
        paces_teach(&cycle->engine->paces, row->app_version, host->volunteer, row->pace);
        paces_teach(&cycle->engine->usual_paces, row->app_version, host->volunteer,
                    row->usual_pace);
    }
}

int64_t timing_speed(const struct cycle *cycle, int64_t host)
{
    int64_t sum = 0, count = 0;

    for (size_t i = 0; i < cycle->set.allowance_count; i++) {
        const struct allowance *row = &cycle->set.allowances[i];
        int64_t speed;

        if (row->host != host || row->timed == 0)
            continue;
        speed = estimate_speed(row->usual_pace,
                               paces_median(&cycle->engine->usual_paces, row->app_version));
        sum += speed;
        count += speed > 0;
    }
    return count > 0 ? sum / count : 0;
}

static int64_t own_pace(const struct cycle *cycle, int64_t host, int64_t app_version)
{
    for (size_t i = 0; i < cycle->set.allowance_count; i++)
        if (cycle->set.allowances[i].host == host &&
            cycle->set.allowances[i].app_version == app_version)
            return cycle->set.allowances[i].pace;
    return 0;
}

int64_t timing_task_ms(const struct cycle *cycle, int64_t host, int64_t speed,
                       const struct unit *unit)
{
    const struct estimate_sources sources = {
        .own_pace = own_pace(cycle, host, unit->app_version),
        .app_pace = paces_median(&cycle->engine->paces, unit->app_version),
        .speed = speed};

    return estimate_task_ms(&sources, unit->declared_ops);
}
