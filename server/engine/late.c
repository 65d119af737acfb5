/* The search for tasks that the end of a batch waits for, and what is done about them. */
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "server/engine/hails.h"
#include "server/engine/settle.h"
#include "server/engine/tails.h"
#include "server/policy/estimate.h"
#include "server/policy/quorum.h"
#include "server/policy/tail.h"

#define TAILS_AT_ONCE 64
#define SPEEDS_MAX    512 /* hosts that are asked how fast they are */

/* What a copy takes a host, `length_ms` being known (0: it is not). */
static int64_t copy_ms(int64_t length_ms, int64_t speed, int64_t estimate_ms)
{
    return length_ms > 0 ? tail_other_ms(length_ms, speed) : estimate_ms;
}

/* ------------------------------------------------------------------------------ which are late */

/* Tasks that will be long, those first that are left longest. */
struct late_ones {
    int64_t tasks[TAILS_AT_ONCE];
    int64_t left_ms[TAILS_AT_ONCE];
    size_t count;
    int64_t speeds[SPEEDS_MAX];
    size_t speed_count;
    struct tail made[TAILS_AT_ONCE]; /* what was done about them */
    size_t made_count;
};

static void consider(struct late_ones *late, int64_t task, int64_t left_ms)
{
    size_t place = late->count < TAILS_AT_ONCE ? late->count++ : TAILS_AT_ONCE - 1;

    if (late->tasks[place] != 0 && late->left_ms[place] >= left_ms)
        return;
    for (; place > 0 && late->left_ms[place - 1] < left_ms; place--) {
        late->tasks[place] = late->tasks[place - 1];
        late->left_ms[place] = late->left_ms[place - 1];
    }
    late->tasks[place] = task;
    late->left_ms[place] = left_ms;
}

/* Of a host that is no longer expected nobody knows how long it takes. */
static int64_t left_ms(const struct host_hint *hint, const struct stock_task *task, int64_t now_ms)
{
    return hint->part.slots == 0 ? TAIL_NEVER
                                 : tail_left_ms(task->begins_up_ms, task->ends_up_ms, now_ms);
}

static void look_at(struct late_ones *late, const struct host_hint *hint, int64_t now_ms)
{
    for (size_t i = 0; i < hint->stock.count; i++) {
        const struct stock_task *task = &hint->stock.tasks[i];

        if (task->passed_until_up_ms <= now_ms)
            consider(late, task->task, left_ms(hint, task, now_ms));
    }
    if (hint->part.slots > 0 && late->speed_count < SPEEDS_MAX)
        late->speeds[late->speed_count++] = hint->part.weight / hint->part.slots;
}

static struct late_ones choose(const struct engine *engine, int64_t now_ms)
{
    struct late_ones late = {0};
    const struct host_hint *hint;
    size_t cursor = 0;

    while ((hint = map_next(&engine->hosts.map, &cursor)) != NULL)
        look_at(&late, hint, now_ms);
    return late;
}

/* ----------------------------------------------------------------------------------------- making
 */

/* How long each of the unit's tasks will be out. One look at a unit is enough for a while. */
static void foresee(const struct engine *engine, const struct unit *unit, int64_t now_ms,
                    int64_t ret_left_ms[UNIT_TASKS_MAX])
{
    for (size_t i = 0; i < unit->task_count; i++) {
        int64_t host = unit->tasks[i].at_dispatch.host;
        struct stock_task *task = host_hints_find_task(&engine->hosts, host, unit->tasks[i].id);

        ret_left_ms[i] = 0;
        if (task == NULL)
            continue;
        ret_left_ms[i] = left_ms(host_hints_find(&engine->hosts, host), task, now_ms);
        task->passed_until_up_ms = now_ms + STOCK_PASSED_MS;
    }
}

static bool may_take(const struct engine *engine, const struct unit *unit,
                     const struct idler *idler)
{
    return host_hints_is_idle(&engine->hosts, idler->who.host) &&
           tail_suits(idler->agreed, idler->speed, engine->tails.slow) &&
           quorum_is_independent(unit, &idler->who, idler->prefix);
}

/* What the copy takes the fastest host that is idle and may have it; 0: there is none, or nothing
 * is known. `length_ms`: as in struct tail. */
static int64_t best_ms(const struct engine *engine, const struct unit *unit, int64_t length_ms)
{
    struct estimate_sources sources = {.app_pace = paces_median(&engine->paces, unit->app_version)};
    int64_t best = 0;

    for (size_t i = 0; i < engine->hosts.idler_count; i++) {
        const struct idler *idler = &engine->hosts.idlers[i];
        int64_t task_ms;

        sources.speed = idler->speed;
        task_ms = copy_ms(length_ms, idler->speed, estimate_task_ms(&sources, unit->declared_ops));
        if ((best == 0 || task_ms < best) && may_take(engine, unit, idler))
            best = task_ms;
    }
    return best;
}

static bool is_at_its_end(const struct cycle *cycle, const struct late_ones *late,
                          const struct unit *unit, bool is_lost)
{
    const struct batch *batch = work_batch(&cycle->set, unit->batch);
    const struct tail_count *count = map_get(&cycle->engine->tails.batches, unit->batch);
    struct tail_batch facts = {0};

    if (batch == NULL || (batch->state != BATCH_OPEN && batch->state != BATCH_CLOSED))
        return false;
    facts.units = batch->units;
    facts.ended = batch->units_accepted + batch->units_failed;
    facts.alive = count != NULL ? count->alive : 0;
    facts.made = count != NULL ? count->made : 0;
    facts.lost = count != NULL ? count->lost : 0;
    for (size_t i = 0; i < late->made_count; i++)
        if (late->made[i].batch == unit->batch) {
            facts.lost += late->made[i].is_lost ? 1 : 0;
            facts.alive += late->made[i].is_lost ? 0 : 1;
            facts.made += late->made[i].is_lost ? 0 : 1;
        }
    return tail_is_near(&facts, unit->rule.copies, is_lost);
}

/* Of a unit, on a host of speed one, by the progress of this task; 0: not known. */
static int64_t length_of(const struct engine *engine, const struct task *task,
                         const struct stock_task *known)
{
    const struct host_hint *hint = host_hints_find(&engine->hosts, task->at_dispatch.host);

    return known != NULL ? estimate_on_usual_ms(known->length_ms, hint->part.speed) : 0;
}

/* Made for what the unit waits for. */
static struct tail tail_of(const struct cycle *cycle, const struct unit *unit,
                           const struct tail_wait *wait)
{
    const struct task *task = &unit->tasks[wait->task];
    const struct stock_task *known =
        host_hints_find_task(&cycle->engine->hosts, task->at_dispatch.host, task->id);
    bool is_lost = wait->left_ms == TAIL_NEVER;

    return (struct tail){.unit = unit->id,
                         .batch = unit->batch,
                         .alive = wait->spare + 1,
                         .begins_up_ms = is_lost || known == NULL ? 0 : known->begins_up_ms,
                         .ends_up_ms = is_lost || known == NULL ? TAIL_NEVER : known->ends_up_ms,
                         .spared_until_up_ms =
                             cycle->clock.up_s * 1000 + tail_patience_ms(wait->left_ms),
                         .length_ms = is_lost ? 0 : length_of(cycle->engine, task, known),
                         .is_lost = is_lost};
}

/* Units that late tasks are of, each once, those first that are left longest. */
struct waiting {
    struct unit *units[TAILS_AT_ONCE];
    struct tail_wait waits[TAILS_AT_ONCE];
    struct tail tails[TAILS_AT_ONCE]; /* were a copy made */
    size_t count;
    struct tail_need needs[TAILS_AT_ONCE]; /* of those that may have one, or are to have it */
    int64_t need_batches[TAILS_AT_ONCE];
    size_t need_count;
};

static bool is_there(const struct waiting *waiting, const struct unit *unit)
{
    for (size_t i = 0; i < waiting->count; i++)
        if (waiting->units[i] == unit)
            return true;
    return false;
}

static void add_need(const struct cycle *cycle, const struct unit *unit, const struct tail *tail,
                     struct waiting *waiting)
{
    const struct estimate_sources sources = {
        .app_pace = paces_median(&cycle->engine->paces, unit->app_version)};
    struct tail_need *need = &waiting->needs[waiting->need_count];

    waiting->need_batches[waiting->need_count++] = unit->batch;
    need->length_ms = copy_ms(tail->length_ms, 0, estimate_task_ms(&sources, unit->declared_ops));
    need->left_ms =
        tail->ends_up_ms == TAIL_NEVER
            ? need->length_ms
            : tail_left_ms(tail->begins_up_ms, tail->ends_up_ms, cycle->clock.up_s * 1000);
}

static void add_waiting(struct cycle *cycle, const struct late_ones *late, struct unit *unit,
                        struct waiting *waiting)
{
    const struct engine *engine = cycle->engine;
    const struct tail *pending = unit->extra > 0 ? map_get(&engine->tails.units, unit->id) : NULL;
    size_t place = waiting->count++;
    struct tail_wait *wait = &waiting->waits[place];
    struct tail *tail = &waiting->tails[place];
    int64_t left[UNIT_TASKS_MAX];

    foresee(engine, unit, cycle->clock.up_s * 1000, left);
    waiting->units[place] = unit;
    *wait = tail_waits(unit, left);
    wait->may_have =
        wait->may_have && is_at_its_end(cycle, late, unit, wait->left_ms == TAIL_NEVER);
    *tail = pending != NULL ? *pending : tail_of(cycle, unit, wait);
    if (wait->may_have || pending != NULL)
        add_need(cycle, unit, tail, waiting);
}

static void add_copy(struct cycle *cycle, struct late_ones *late, struct unit *unit,
                     const struct tail *tail)
{
    late->made[late->made_count++] = *tail;
    unit->extra++;
    unit->is_changed = true;
    cycle->counts.last_copies++;
    settle_unit(cycle, unit);
}

static int compare_left(const void *a, const void *b)
{
    const struct tail_need *x = a, *y = b;

    return x->left_ms > y->left_ms ? -1 : x->left_ms < y->left_ms;
}

/* When the batch may be done: another one's late units say nothing about it. */
static int64_t due_ms(const struct cycle *cycle, const struct waiting *waiting, int64_t batch)
{
    const struct engine *engine = cycle->engine;
    const struct slots_call call = hails_call(engine);
    const struct slots_least least = {.speed = engine->tails.slow, .agreed = TAIL_KNOWN};
    CLEANUP(slots_clear)
    struct slots slots = slots_of(&engine->hosts, &call, cycle->clock.up_s, least);
    struct tail_need needs[TAILS_AT_ONCE];
    size_t count = 0;

    for (size_t i = 0; i < waiting->need_count; i++)
        if (waiting->need_batches[i] == batch)
            needs[count++] = waiting->needs[i];
    qsort(needs, count, sizeof *needs, compare_left);
    return tail_end_ms(needs, count, slots.slots, slots.count);
}

/* As found for an earlier unit of the batch, else anew. */
static int64_t due_up_ms(const struct cycle *cycle, const struct waiting *waiting, size_t place)
{
    int64_t batch = waiting->units[place]->batch;

    for (size_t i = 0; i < place; i++)
        if (waiting->units[i]->batch == batch)
            return waiting->tails[i].due_up_ms;
    return cycle->clock.up_s * 1000 + due_ms(cycle, waiting, batch);
}

static void add_where_it_helps(struct cycle *cycle, struct late_ones *late, struct waiting *waiting)
{
    int64_t now_ms = cycle->clock.up_s * 1000;

    for (size_t i = 0; i < waiting->count; i++) {
        const struct tail_wait *wait = &waiting->waits[i];
        struct tail *tail = &waiting->tails[i];
        struct unit *unit = waiting->units[i];

        tail->due_up_ms = due_up_ms(cycle, waiting, i);
        if (wait->may_have &&
            (tail->length_ms == 0 || tail_is_late(wait->left_ms, tail->due_up_ms - now_ms)) &&
            is_at_its_end(cycle, late, unit, tail->is_lost) &&
            tail_is_worth_it(wait->left_ms, best_ms(cycle->engine, unit, tail->length_ms),
                             tail->length_ms > 0))
            add_copy(cycle, late, unit, tail);
    }
}

static enum status add_copies(struct cycle *cycle, void *context, struct error *err)
{
    struct late_ones *late = context;
    struct work_request request = {.tasks = late->tasks, .task_count = late->count};
    struct waiting *waiting;

    late->made_count = 0;
    TRY(cycle_load(cycle, &request, err));
    waiting = must_alloc(1, sizeof *waiting);
    for (size_t i = 0; i < late->count; i++) {
        struct task *task = NULL;
        struct unit *unit = work_unit_of_task(&cycle->set, late->tasks[i], &task);

        if (unit != NULL && !is_there(waiting, unit))
            add_waiting(cycle, late, unit, waiting);
    }
    add_where_it_helps(cycle, late, waiting);
    free(waiting);
    return STATUS_OK;
}

enum status tails_make(struct engine *engine, int64_t up_s, struct error *err)
{
    struct late_ones late = choose(engine, up_s * 1000);
    const struct cycle_work work = {.run = add_copies, .context = &late};

    if (engine->tails.units.count > TAILS_MAX || engine->tails.batches.count > TAILS_MAX)
        tails_clear(&engine->tails);
    engine->tails.slow = tail_slow(late.speeds, late.speed_count);
    if (late.count == 0)
        return STATUS_OK;
    TRY(cycle_do(engine, &work, NULL, err));
    for (size_t i = 0; i < late.made_count; i++)
        tails_remember(&engine->tails, &late.made[i]);
    return STATUS_OK;
}
