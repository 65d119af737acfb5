#include "server/engine/tails.h"

#include "server/engine/settle.h"
#include "server/policy/estimate.h"
#include "server/policy/quorum.h"
#include "server/policy/tail.h"

#define SPEEDS_MAX 512 /* hosts that are asked how fast they are */

/* ------------------------------------------------------------------------------- what there is */

/* Its place among those remembered; NULL: it is none. */
static int64_t *find(struct tails *tails, int64_t unit)
{
    for (size_t i = 0; i < tails->count; i++)
        if (tails->units[i] == unit)
            return &tails->units[i];
    return NULL;
}

void tails_learn(struct cycle *cycle)
{
    struct tails *tails = &cycle->engine->tails;

    for (size_t i = 0; tails->count > 0 && i < cycle->set.unit_count; i++) {
        const struct unit *unit = &cycle->set.units[i];
        int64_t *place = find(tails, unit->id);

        if (place == NULL || unit->state == UNIT_OPEN)
            continue;
        tails->count--;
        *place = tails->units[tails->count];
        tails->batches[place - tails->units] = tails->batches[tails->count];
    }
}

bool tails_let_have(const struct cycle *cycle, const struct unit *unit, int64_t host, int64_t speed)
{
    struct tails *tails = &cycle->engine->tails;

    if (unit->copies_wanted > unit->extra || find(tails, unit->id) == NULL)
        return true;
    return tail_suits(work_host(&cycle->set, host)->agreed, speed, tails->slow);
}

/* --------------------------------------------------------------------------------------- choosing
 */

/* Tasks that will be long, those first that are left longest. */
struct late_ones {
    int64_t tasks[TAILS_AT_ONCE];
    int64_t left_ms[TAILS_AT_ONCE];
    size_t count;
    int64_t speeds[SPEEDS_MAX];
    size_t speed_count;
    size_t known; /* units that had such a copy before */
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
static void look_at(struct late_ones *late, struct tails *tails, const struct host_hint *hint,
                    int64_t now_ms)
{
    for (size_t i = 0; i < hint->stock.count; i++) {
        const struct stock_task *task = &hint->stock.tasks[i];

        if (find(tails, TASK_UNIT(task->task)) == NULL)
            consider(late, task->task,
                     hint->part.slots == 0
                         ? INT64_MAX
                         : tail_left_ms(task->begins_up_ms, task->ends_up_ms, now_ms));
    }
    if (hint->part.slots > 0 && late->speed_count < SPEEDS_MAX)
        late->speeds[late->speed_count++] = hint->part.weight / hint->part.slots;
}

/* Units that have such a copy are passed over: they would keep others out as long as they last. */
static struct late_ones choose(struct engine *engine, int64_t now_ms)
{
    const struct host_hints *hints = &engine->hosts;
    struct late_ones late = {0};
    const struct host_hint *hint;
    size_t cursor = 0;

    while ((hint = map_next(&hints->map, &cursor)) != NULL)
        look_at(&late, &engine->tails, hint, now_ms);
    return late;
}

/* ----------------------------------------------------------------------------------------- making
 */

static bool has_taker(const struct engine *engine, const struct unit *unit)
{
    const struct host_hints *hints = &engine->hosts;

    for (size_t i = 0; i < hints->idler_count; i++) {
        const struct idler *idler = &hints->idlers[i];

        if (host_hints_is_idle(hints, idler->who.host) &&
            tail_suits(idler->agreed, idler->speed, engine->tails.slow) &&
            quorum_is_independent(unit, &idler->who, idler->prefix))
            return true;
    }
    return false;
}

static bool is_at_its_end(const struct engine *engine, const struct batch *batch,
                          const struct unit *unit)
{
    struct tail_batch facts = {.units = batch->units,
                               .ended = batch->units_accepted + batch->units_failed};

    if (batch->state != BATCH_OPEN && batch->state != BATCH_CLOSED)
        return false;
    for (size_t i = 0; i < engine->tails.count; i++)
        facts.alive += engine->tails.batches[i] == batch->id;
    return tail_is_near(&facts, unit->rule.copies);
}

/* What the copy takes a usual host. */
static int64_t usual_ms(const struct engine *engine, const struct unit *unit)
{
    const struct estimate_sources sources = {.app_pace =
                                                 paces_median(&engine->paces, unit->app_version)};

    return estimate_task_ms(&sources, unit->declared_ops);
}

static void remember(struct tails *tails, const struct unit *unit)
{
    tails->units[tails->count] = unit->id;
    tails->batches[tails->count++] = unit->batch;
}

static void add_copy(struct cycle *cycle, int64_t id, int64_t left_ms)
{
    struct engine *engine = cycle->engine;
    struct task *task = NULL;
    struct unit *unit = work_unit_of_task(&cycle->set, id, &task);
    const struct batch *batch = unit != NULL ? work_batch(&cycle->set, unit->batch) : NULL;

    if (batch == NULL || engine->tails.count == TAILS_MAX ||
        find(&engine->tails, unit->id) != NULL ||
        !tail_waits_for(unit, (size_t)(task - unit->tasks)) ||
        !is_at_its_end(engine, batch, unit) || !has_taker(engine, unit) ||
        !tail_is_worth_it(left_ms, usual_ms(engine, unit)))
        return;
    unit->extra++;
    unit->is_changed = true;
    settle_unit(cycle, unit);
    remember(&engine->tails, unit);
}

static enum status add_copies(struct cycle *cycle, void *context, struct error *err)
{
    const struct late_ones *late = context;
    struct work_request request = {.tasks = late->tasks, .task_count = late->count};

    cycle->engine->tails.count = late->known; /* what a cycle that was void remembered */
    TRY(cycle_load(cycle, &request, err));
    for (size_t i = 0; i < late->count; i++)
        add_copy(cycle, late->tasks[i], late->left_ms[i]);
    return STATUS_OK;
}

enum status tails_make(struct engine *engine, int64_t up_s, struct error *err)
{
    struct late_ones late = choose(engine, up_s * 1000);
    const struct cycle_work work = {.run = add_copies, .context = &late};
    enum status status;

    late.known = engine->tails.count;
    engine->tails.slow = tail_slow(late.speeds, late.speed_count);
    if (late.count == 0)
        return STATUS_OK;
    status = cycle_do(engine, &work, NULL, err);
    if (status != STATUS_OK)
        engine->tails.count = late.known;
    return status;
}
