#include "server/engine/moves.h"

#include <assert.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "server/engine/gathering.h"
#include "server/engine/reports.h"
#include "server/engine/settle.h"
#include "server/engine/tails.h"
#include "server/engine/withdrawals.h"
#include "server/policy/estimate.h"
#include "server/policy/moving.h"
#include "server/policy/quorum.h"

/* --------------------------------------------------------------------------- what a visit tells */

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* When a task that runs began: as it was expected at the visit before, else by what is left. A host
 * that visits often must not seem to have begun just now each time. */
static int64_t begun_ms(const struct stock_task *known, const struct burden_task *task,
                        int64_t now_ms)
{
    if (known == NULL)
        return now_ms - task->left_ms;
    return known->begins_up_ms < now_ms ? known->begins_up_ms : now_ms;
}

/* By the progress that its host tells of; 0: not known. */
static int64_t length_of(const struct burden_task *task, int64_t now_s)
{
    return task->is_waiting
               ? 0
               : estimate_whole_ms(task->done_permille, task->busy_ms, now_s - task->sent_s);
}

/* It is taken to stand still for as long again as it has, while its host says so. */
static int64_t advanced_up_ms(const struct burden_task *task, const struct stock_task *known,
                              int64_t now_ms)
{
    bool stands_still = known != NULL && task->busy_ms > 0 && known->busy_ms == task->busy_ms;

    return stands_still ? known->advanced_up_ms : now_ms;
}

/* `known`: what was known of it before. */
static struct stock_task foresee(const struct burden_task *task, const struct stock_task *known,
                                 int64_t free_ms, int64_t now_ms, int64_t now_s)
{
    int64_t begins_ms = task->is_waiting ? free_ms : begun_ms(known, task, now_ms);
    int64_t whole_ms = task->task_ms > 0 ? task->task_ms : SHARE_UNKNOWN_MS;
    int64_t until_ms = begins_ms - moving_patience_ms(task->task_ms);
    int64_t length_ms = length_of(task, now_s), advanced_ms = advanced_up_ms(task, known, now_ms);

    if (length_ms > 0) /* by the rate so far, the time included in which it was suspended */
        whole_ms = later(now_ms - begins_ms, 1) * 1000 / task->done_permille;
    if (advanced_ms < now_ms)
        whole_ms = later(whole_ms, now_ms - begins_ms) + now_ms - advanced_ms;
    return (struct stock_task){.task = task->task,
                               .begins_up_ms = begins_ms,
                               .ends_up_ms = begins_ms + whole_ms,
                               .busy_ms = task->busy_ms,
                               .advanced_up_ms = advanced_ms,
                               .length_ms = length_ms,
                               .until_up_ms = task->is_waiting && until_ms > 0 ? until_ms : 0,
                               .passed_until_up_ms = known != NULL ? known->passed_until_up_ms : 0};
}

/* The host begins them in this order, on as many slots as it has. */
static struct stock stock_of(const struct cycle *cycle, const struct visit_state *state,
                             const struct burden *burden)
{
    const struct host_hints *hints = &cycle->engine->hosts;
    struct stock stock = {.tasks = must_alloc(burden->count, sizeof *stock.tasks)};
    int64_t now_ms = cycle->clock.up_s * 1000, slots = visit_slots(cycle, state), ahead_ms = 0;

    for (size_t i = 0; i < burden->count; i++) {
        const struct burden_task *task = &burden->tasks[i];
        int64_t free_ms = now_ms + ((int64_t)i < slots ? 0 : ahead_ms / slots);

        stock.tasks[stock.count++] =
            foresee(task, host_hints_find_task(hints, state->visit->host, task->task), free_ms,
                    now_ms, cycle->clock.now_s);
        ahead_ms += task->left_ms;
    }
    return stock;
}

static struct idler idler_of(const struct cycle *cycle, const struct visit_state *state)
{
    const struct host *host = work_host(&cycle->set, state->visit->host);
    struct idler idler = {
        .who = {.host = host->id, .volunteer = host->volunteer, .organisation = host->organisation},
        .agreed = host->agreed,
        .speed = state->speed};

    (void)text_fit(idler.prefix, sizeof idler.prefix,
                   host->is_without_account ? state->visit->prefix : "");
    return idler;
}

void moves_note(struct cycle *cycle, const struct visit_state *state, const struct burden *burden)
{
    struct host_hints *hints = &cycle->engine->hosts;
    struct stock stock = stock_of(cycle, state, burden);

    host_hints_stock(hints, state->visit->host, &stock);
    if (state->has_share && state->granted < state->wanted && state->share.idle > 0) {
        struct idler idler = idler_of(cycle, state);

        host_hints_idle(hints, &idler);
    }
}

bool moves_are_near(struct engine *engine)
{
    const struct host_hints *hints = &engine->hosts;

    return engine->movable > 0 &&
           chance_below(&engine->chance, (size_t)hints->idle + 1) <= 2 * (size_t)engine->movable;
}

/* ------------------------------------------------------------------------------------- undoing */

void moves_undo(struct cycle *cycle, const struct visit_state *state)
{
    const struct scheduler_request *request = state->visit->request;

    for (size_t i = 0; i < request->held_count; i++) {
        struct unit *unit = NULL;
        struct task *task =
            reports_own_task(&cycle->set, state->visit->host, request->held[i].task, &unit);

        if (task == NULL || request->held[i].state == HELD_WAITING ||
            !moving_is_undone(unit, (size_t)(task - unit->tasks)))
            continue;
        withdraw_not(cycle, unit, task);
        cycle->counts.tasks_moved_back++;
    }
}

/* -------------------------------------------------------------------------------------- offering
 */

/* Copies to be offered anew, those first that would be begun last. */
struct offers {
    struct stock_task tasks[MOVES_MOST];
    int64_t hosts[MOVES_MOST]; /* that have them */
    bool are_over[MOVES_MOST]; /* moved now, or ended before */
    size_t count;
    size_t most;
    int64_t all; /* that there are */
};

static size_t soonest(const struct offers *offers)
{
    size_t best = 0;

    for (size_t i = 1; i < offers->count; i++)
        if (offers->tasks[i].until_up_ms < offers->tasks[best].until_up_ms)
            best = i;
    return best;
}

static void consider(struct offers *offers, int64_t host, const struct stock_task *task)
{
    size_t place = offers->count;

    offers->all++;
    if (offers->most == 0)
        return;
    if (offers->count == offers->most) {
        place = soonest(offers);
        if (task->until_up_ms <= offers->tasks[place].until_up_ms)
            return;
    } else {
        offers->count++;
    }
    offers->tasks[place] = *task;
    offers->hosts[place] = host;
}

/* Of a host that is no longer expected, whatever waits there. */
static bool is_movable(const struct host_hint *hint, const struct stock_task *task, int64_t now_ms)
{
    return task->until_up_ms > 0 && task->passed_until_up_ms <= now_ms &&
           (hint->part.slots == 0 || task->until_up_ms > now_ms);
}

static struct offers choose(const struct host_hints *hints, int64_t now_ms)
{
    struct offers offers = {.most = hints->idle < MOVES_MOST ? (size_t)hints->idle : MOVES_MOST};
    const struct host_hint *hint;
    size_t cursor = 0;

    while ((hint = map_next(&hints->map, &cursor)) != NULL)
        for (size_t i = 0; i < hint->stock.count; i++)
            if (is_movable(hint, &hint->stock.tasks[i], now_ms))
                consider(&offers, hint->host, &hint->stock.tasks[i]);
    return offers;
}

/* Is somebody idle who could take a copy of it? Else it would wait for a stranger. */
static bool has_taker(const struct engine *engine, const struct unit *unit)
{
    const struct host_hints *hints = &engine->hosts;

    for (size_t i = 0; i < hints->idler_count; i++)
        if (host_hints_is_idle(hints, hints->idlers[i].who.host) &&
            quorum_is_independent(unit, &hints->idlers[i].who, hints->idlers[i].prefix))
            return true;
    return false;
}

static bool is_issued(const struct batch *batch)
{
    return batch != NULL && (batch->state == BATCH_OPEN || batch->state == BATCH_CLOSED);
}

/* Returns whether there is nothing to move any more. */
static bool offer(struct cycle *cycle, int64_t id)
{
    struct task *task = NULL;
    struct unit *unit = work_unit_of_task(&cycle->set, id, &task);

    if (unit == NULL || task->state != TASK_SENT)
        return true;
    if (!is_issued(work_batch(&cycle->set, unit->batch)) ||
        !moving_is_allowed(unit, (size_t)(task - unit->tasks)) || !has_taker(cycle->engine, unit))
        return false;
    withdraw_task(cycle, unit, task);
    cycle->counts.tasks_moved++;
    return true;
}

static enum status offer_all(struct cycle *cycle, void *context, struct error *err)
{
    struct offers *offers = context;
    int64_t ids[MOVES_MOST], units[MOVES_MOST];
    struct work_request request = {.tasks = ids, .task_count = offers->count};

    for (size_t i = 0; i < offers->count; i++) {
        ids[i] = offers->tasks[i].task;
        units[i] = TASK_UNIT(ids[i]);
    }
    TRY(cycle_load(cycle, &request, err));
    TRY(cycle_load_holders(cycle, units, offers->count, err));
    for (size_t i = 0; i < offers->count; i++)
        offers->are_over[i] = offer(cycle, ids[i]);
    settle_all(cycle);
    return STATUS_OK;
}

/* Those that could not be moved let others have their turn. */
static void note(struct host_hints *hints, const struct offers *offers, int64_t now_ms)
{
    for (size_t i = 0; i < offers->count; i++)
        if (offers->are_over[i])
            host_hints_forget_task(hints, offers->hosts[i], offers->tasks[i].task);
        else
            host_hints_find_task(hints, offers->hosts[i], offers->tasks[i].task)
                ->passed_until_up_ms = now_ms + STOCK_PASSED_MS;
}

enum status moves_make(struct engine *engine, int64_t up_s, struct error *err)
{
    struct host_hints *hints = &engine->hosts;
    struct offers offers;
    const struct cycle_work work = {.run = offer_all, .context = &offers};

    if (engine->config.sends_as_asked || up_s < engine->moves_up_s + MOVES_EVERY_S)
        return STATUS_OK;
    engine->moves_up_s = up_s;
    engine->movable = 0;
    (void)host_hints_grid(hints, up_s);
    if (hints->stocked == 0 || queue_copies(engine->queue) > engine->tails.alive)
        return STATUS_OK;
    offers = choose(hints, up_s * 1000);
    engine->movable = offers.all;
    if (hints->idle == 0)
        return STATUS_OK;
    if (offers.count == 0)
        return tails_make(engine, up_s, err);
    TRY(cycle_do(engine, &work, NULL, err));
    note(hints, &offers, up_s * 1000);
    return STATUS_OK;
}
