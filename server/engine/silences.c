#include "server/engine/silences.h"

#include "server/engine/cycle.h"
#include "server/engine/settle.h"
#include "server/engine/withdrawals.h"
#include "server/policy/silence.h"
#include "server/policy/withdrawing.h"

/* Units of which a task is out, as far as is known. */
struct slice {
    int64_t units[ENGINE_SLICE];
    size_t count;
};

static bool is_silent(const struct cycle *cycle, const struct task *task)
{
    const struct host *host = work_host(&cycle->set, task->at_dispatch.host);

    return host != NULL && silence_is_host_silent(host->seen_up_s, cycle->clock.up_s);
}

static void withdraw_silent(struct cycle *cycle, struct unit *unit)
{
    for (size_t i = 0; i < unit->task_count; i++)
        if (withdrawing_is_allowed(unit, i) && is_silent(cycle, &unit->tasks[i]))
            withdraw_task(cycle, unit, &unit->tasks[i]);
}

static enum status judge(struct cycle *cycle, void *context, struct error *err)
{
    const struct slice *slice = context;
    const struct work_request request = {.units = slice->units, .unit_count = slice->count};

    TRY(cycle_load(cycle, &request, err));
    TRY(cycle_load_holders(cycle, slice->units, slice->count, err));
    for (size_t i = 0; i < cycle->set.unit_count; i++)
        withdraw_silent(cycle, &cycle->set.units[i]);
    settle_all(cycle);
    return STATUS_OK;
}

/* The hints of deadlines name all that is out. They change places meanwhile: who is passed over is
 * met in the next round. The first one begins anywhere: a server that restarts before it is through
 * would look at the same ones for ever. */
static void take_slice(struct engine *engine, struct slice *slice)
{
    const struct deadlines *known = &engine->deadlines;

    if (!engine->has_looked_for_silent && known->count > 0)
        engine->silences_at = chance_below(&engine->chance, known->count);
    engine->has_looked_for_silent = true;
    if (engine->silences_at >= known->count)
        engine->silences_at = 0;
    while (slice->count < ENGINE_SLICE && engine->silences_at < known->count)
        slice->units[slice->count++] = known->hints[engine->silences_at++].unit;
}

enum status silences_meet(struct engine *engine, const struct engine_clock *clock,
                          struct error *err)
{
    struct slice slice = {.count = 0};
    const struct cycle_work work = {.run = judge, .context = &slice};

    if (!silence_is_host_silent(0, clock->up_s) || /* not even one of the site's first second */
        clock->up_s < engine->silences_up_s + SILENCES_EVERY_S)
        return STATUS_OK;
    engine->silences_up_s = clock->up_s;
    take_slice(engine, &slice);
    return slice.count > 0 ? cycle_do(engine, &work, NULL, err) : STATUS_OK;
}
