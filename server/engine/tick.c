/* What time brings, in slices: each step loads what is due, judges it and saves it like a cycle. */
#include <stdio.h>
#include <string.h>

#include "common/base/disk.h"
#include "common/base/env.h"
#include "common/base/log.h"
#include "db/query.h"
#include "server/engine/actions.h"
#include "server/engine/hails.h"
#include "server/engine/moves.h"
#include "server/engine/publications.h"
#include "server/engine/publishing.h"
#include "server/engine/rollbacks.h"
#include "server/engine/settle.h"
#include "server/engine/silences.h"
#include "server/policy/transition.h"

#define DEADLINES_BUDGET_MS 250 /* of one tick; visits wait meanwhile */

/* Units that a step is about. */
struct due {
    int64_t units[ENGINE_SLICE];
    size_t count;
    struct deadline_hint hints[ENGINE_SLICE]; /* that named them; to be put back on failure */
    enum unit_failure failure;                /* for units that have to end */
};

static enum status load_due(struct cycle *cycle, struct due *due, struct error *err)
{
    struct work_request request = {.units = due->units, .unit_count = due->count};

    TRY(cycle_load(cycle, &request, err));
    return cycle_load_holders(cycle, due->units, due->count, err);
}

/* ------------------------------------------------------------------------------------- deadlines
 */

static void expire_tasks(struct cycle *cycle, struct unit *unit)
{
    for (size_t i = 0; i < unit->task_count; i++) {
        struct task *task = &unit->tasks[i];

        if (task->state == TASK_SENT && task->deadline_up_s <= cycle->clock.up_s)
            settle_task(cycle, unit, task, transition_task(task->state, EVENT_OVERDUE));
    }
}

/* A unit is settled even if no task of it was late: its body may be. */
static enum status judge_late(struct cycle *cycle, void *context, struct error *err)
{
    TRY(load_due(cycle, context, err));
    for (size_t i = 0; i < cycle->set.unit_count; i++) {
        struct unit *unit = &cycle->set.units[i];

        expire_tasks(cycle, unit);
        if (unit->state == UNIT_AGREED)
            settle_unit(cycle, unit);
    }
    settle_all(cycle);
    return STATUS_OK;
}

/* *ret_count 0: nothing is due. */
static enum status meet_some(struct engine *engine, int64_t up_now_s, size_t *ret_count,
                             struct error *err)
{
    struct due due = {0};
    const struct cycle_work work = {.run = judge_late, .context = &due};
    enum status status;

    while (due.count < ENGINE_SLICE &&
           deadlines_take(&engine->deadlines, up_now_s, &due.hints[due.count])) {
        due.units[due.count] = due.hints[due.count].unit;
        due.count++;
    }
    *ret_count = due.count;
    if (due.count == 0)
        return STATUS_OK;
    status = cycle_do(engine, &work, NULL, err);
    for (size_t i = 0; status != STATUS_OK && i < due.count; i++)
        deadlines_add(&engine->deadlines, due.hints[i]);
    return status;
}

/* Slice after slice: a busy hour brings more than one a second. */
static enum status meet_deadlines(struct engine *engine, int64_t up_now_s, struct error *err)
{
    struct env *env = engine->env;
    int64_t until_mono_ms = env->now_mono_ms(env) + DEADLINES_BUDGET_MS;
    size_t most = engine->deadlines.count / ENGINE_SLICE + 1, count = ENGINE_SLICE;

    for (size_t i = 0; i < most && count == ENGINE_SLICE; i++) {
        TRY(meet_some(engine, up_now_s, &count, err));
        if (env->now_mono_ms(env) >= until_mono_ms)
            break;
    }
    return STATUS_OK;
}

/* ------------------------------------------------------------------------- validity, revocation */

static enum status end_units(struct cycle *cycle, void *context, struct error *err)
{
    const struct due *due = context;

    TRY(load_due(cycle, context, err));
    for (size_t i = 0; i < cycle->set.unit_count; i++) {
        struct unit *unit = &cycle->set.units[i];

        if (unit->state != UNIT_ACCEPTED && unit->state != UNIT_FAILED)
            settle_failure(cycle, unit, due->failure);
    }
    settle_all(cycle);
    return STATUS_OK;
}

static enum status end_expired(struct engine *engine, int64_t now_s, struct error *err)
{
    struct due due = {.failure = FAILURE_EXPIRED};
    const struct cycle_work work = {.run = end_units, .context = &due};

    TRY(engine->store->work->scan_expired(engine->store, now_s, due.units, ENGINE_SLICE, &due.count,
                                          err));
    engine->has_expired = due.count == ENGINE_SLICE;
    return due.count > 0 ? cycle_do(engine, &work, NULL, err) : STATUS_OK;
}

static enum status end_revoked(struct engine *engine, struct error *err)
{
    struct due due = {.failure = FAILURE_REVOKED};
    const struct cycle_work work = {.run = end_units, .context = &due};

    if (!engine->has_revoked)
        return STATUS_OK;
    TRY(engine->store->publish->revoked_units(engine->store, engine->revoked_after, due.units,
                                              ENGINE_SLICE, &due.count, err));
    if (due.count > 0)
        TRY(cycle_do(engine, &work, NULL, err));
    engine->has_revoked = due.count == ENGINE_SLICE;
    if (due.count > 0)
        engine->revoked_after = due.units[due.count - 1];
    return STATUS_OK;
}

/* ------------------------------------------------------------------------------- room on the disk
 */

static bool is_below(const struct disk_space *space, const struct engine_floor *floor)
{
    return space->free_bytes < floor->bytes ||
           space->free_bytes / 100 < space->total_bytes / 10000 * floor->percent;
}

static void look_at_space(struct engine *engine)
{
    struct disk *disk = engine->env->disk;
    struct disk_space space;
    struct published_stops stops = {0};

    if (engine->config.ignores_free_space ||
        disk->space(disk, engine->config.site, &space, NULL) != STATUS_OK)
        return;
    engine->counts.free_bytes_now = space.free_bytes;
    stops.issuing = is_below(&space, &engine->config.issue);
    stops.uploads = is_below(&space, &engine->config.uploads);
    if (stops.issuing || stops.uploads)
        (void)snprintf(
            stops.why, sizeof stops.why,
            "the project's server is short of disk space; it goes on when there is room");
    if (stops.issuing != engine->stops.issuing || stops.uploads != engine->stops.uploads)
        LOG(LOG_WARN, "disk.floor", LOG_N("free_bytes", space.free_bytes),
            LOG_N("stops_issuing", stops.issuing), LOG_N("stops_uploads", stops.uploads));
    engine->stops = stops;
    published_put_stops(engine->published, &stops);
}

/* ------------------------------------------------------------------------------------------ clock
 */

static enum status note_doubt(struct cycle *cycle, void *context, struct error *err)
{
    (void)context;
    (void)err;
    cycle_note(cycle, JOURNAL_CLOCK, cycle->engine->site.server, cycle->clock.off_s);
    return STATUS_OK;
}

/* Once per doubt it is logged, and kept in the store: a restart does not make the clock right. */
static enum status watch_clock(struct engine *engine, const struct engine_clock *clock,
                               struct error *err)
{
    const struct cycle_work work = {.run = note_doubt};

    if (clock->is_in_doubt == engine->site.is_clock_refused)
        return STATUS_OK;
    LOG(clock->is_in_doubt ? LOG_ERROR : LOG_INFO, "clock.doubt",
        LOG_N("is_in_doubt", clock->is_in_doubt), LOG_N("off_s", clock->off_s),
        LOG_S("why", clock->why));
    return cycle_do(engine, &work, NULL, err);
}

/* ------------------------------------------------------------------------------------------- tick
 */

static enum status forget_old_notices(struct engine *engine, int64_t now_s, struct error *err)
{
    if (engine->notices_until_s == 0 || now_s < engine->notices_until_s)
        return STATUS_OK;
    return publications_show_project(engine, err);
}

static enum status judge_time(struct engine *engine, const struct engine_clock *clock,
                              struct error *err)
{
    queue_let_in(engine->queue, clock->now_s);
    if (clock->is_in_doubt)
        return STATUS_OK;
    TRY(meet_deadlines(engine, clock->up_s, err));
    TRY(end_expired(engine, clock->now_s, err));
    TRY(silences_meet(engine, clock, err));
    TRY(moves_make(engine, clock->up_s, err));
    return forget_old_notices(engine, clock->now_s, err);
}

static enum status save_nothing(struct cycle *cycle, void *context, struct error *err)
{
    (void)cycle;
    (void)context;
    (void)err;
    return STATUS_OK;
}

/* The time is written with every commit, so this one touches the disk, too. */
static enum status prove_commit(struct engine *engine, struct error *err)
{
    const struct cycle_work work = {.run = save_nothing};
    struct env *env = engine->env;
    enum status status;

    if (!fitness_wants_probe(&engine->fitness, env->now_mono_ms(env)))
        return STATUS_OK;
    status = cycle_do(engine, &work, NULL, err);
    if (status == STATUS_OK)
        return STATUS_OK;
    (void)pthread_mutex_lock(&engine->lock);
    engine->fitness.is_failing = true; /* busy as well: somebody locked it */
    (void)pthread_mutex_unlock(&engine->lock);
    return status;
}

static enum status tick(struct engine *engine, struct error *err)
{
    struct engine_clock clock = clock_read(&engine->clock);

    TRY(prove_commit(engine, err));
    TRY(follow_others(engine, err));
    TRY(rollbacks_keep(engine, clock.up_s, err));
    TRY(watch_clock(engine, &clock, err));
    TRY(end_revoked(engine, err));
    TRY(actions_go_on(engine, err));
    TRY(judge_time(engine, &clock, err));
    return hails_make(engine, err);
}

static void note_failure(struct engine *engine, enum status status, const struct error *err)
{
    engine->has_failed = status != STATUS_OK;
    if (engine->has_failed)
        log_failure(LOG_WARN, "engine.tick", err);
}

void engine_tick(struct engine *engine)
{
    struct error err = {0};

    look_at_space(engine);
    rollbacks_say(engine);
    note_failure(engine, tick(engine, &err), &err);
    engine_show(engine);
}

/* ------------------------------------------------------------------------------ what takes many */

static enum status go_on(struct engine *engine, const struct engine_clock *clock, struct error *err)
{
    if (engine->has_revoked)
        return end_revoked(engine, err);
    if (engine->act_count > 0)
        return actions_go_on(engine, err);
    return end_expired(engine, clock->now_s, err);
}

/* In doubt no validity is judged: what may have expired waits for a tick after it. */
static bool is_unfinished(const struct engine *engine, const struct engine_clock *clock)
{
    return engine->has_revoked || engine->act_count > 0 ||
           (engine->has_expired && !clock->is_in_doubt);
}

bool engine_go_on(struct engine *engine)
{
    struct engine_clock clock = clock_read(&engine->clock);
    struct error err = {0};

    if (!is_unfinished(engine, &clock) || engine->has_failed)
        return false;
    note_failure(engine, go_on(engine, &clock, &err), &err);
    return is_unfinished(engine, &clock) && !engine->has_failed;
}

void engine_settle(struct engine *engine, int ticks)
{
    int64_t cycles = -1;

    for (int i = 0; i < ticks && cycles != engine->counts.cycles; i++) {
        cycles = engine->counts.cycles;
        engine_tick(engine);
    }
}
