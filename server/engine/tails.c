#include "server/engine/tails.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "server/policy/tail.h"

static void clear_map(struct map *map)
{
    void *value;
    size_t cursor = 0;

    while ((value = map_next(map, &cursor)) != NULL)
        free(value);
    map_clear(map);
}

void tails_clear(struct tails *tails)
{
    clear_map(&tails->units);
    clear_map(&tails->batches);
    tails->alive = 0;
}

static struct tail_count *count_of(struct tails *tails, int64_t batch)
{
    struct tail_count *count = map_get(&tails->batches, batch);

    if (count == NULL) {
        count = must_alloc(1, sizeof *count);
        map_put(&tails->batches, batch, count);
    }
    return count;
}

/* Of its kind, in its batch. */
static int64_t *alive_of(struct tails *tails, const struct tail *tail)
{
    struct tail_count *count = count_of(tails, tail->batch);

    return tail->is_lost ? &count->lost : &count->alive;
}

static void forget(struct tails *tails, int64_t unit)
{
    struct tail *tail = map_take(&tails->units, unit);

    if (tail == NULL)
        return;
    tails->alive -= tail->alive;
    *alive_of(tails, tail) -= tail->alive;
    free(tail);
}

void tails_remember(struct tails *tails, const struct tail *facts)
{
    struct tail *tail = must_alloc(1, sizeof *tail);
    struct tail_count *count = count_of(tails, facts->batch);

    forget(tails, facts->unit);
    *tail = *facts;
    map_put(&tails->units, facts->unit, tail);
    tails->alive += facts->alive;
    *alive_of(tails, facts) += facts->alive;
    count->made += facts->is_lost ? 0 : 1;
}

void tails_learn(struct cycle *cycle)
{
    struct tails *tails = &cycle->engine->tails;

    for (size_t i = 0; tails->units.count > 0 && i < cycle->set.unit_count; i++)
        if (cycle->set.units[i].state != UNIT_OPEN)
            forget(tails, cycle->set.units[i].id);
    for (size_t i = 0; tails->batches.count > 0 && i < cycle->set.batch_count; i++)
        if (cycle->set.batches[i].state == BATCH_FINISHED)
            free(map_take(&tails->batches, cycle->set.batches[i].id));
}

bool tails_let_have(const struct cycle *cycle, const struct visit_state *state,
                    const struct unit *unit, int64_t task_ms)
{
    const struct engine *engine = cycle->engine;
    const struct tail *tail = map_get(&engine->tails.units, unit->id);
    int64_t now_ms = cycle->clock.up_s * 1000, takes_ms;

    if (unit->copies_wanted > unit->extra || tail == NULL)
        return true;
    takes_ms = tail->length_ms > 0 ? tail_other_ms(tail->length_ms, state->speed) : task_ms;
    return tail_suits(work_host(&cycle->set, state->visit->host)->agreed, state->speed,
                      engine->tails.slow) &&
           tail_is_worth_it(tail_left_ms(tail->begins_up_ms, tail->ends_up_ms, now_ms), takes_ms,
                            tail->length_ms > 0) &&
           !(now_ms < tail->spared_until_up_ms &&
             tail_is_spared(takes_ms, tail->due_up_ms - now_ms));
}

static int64_t left_ms(const struct cycle *cycle, int64_t unit)
{
    const struct tail *tail = map_get(&cycle->engine->tails.units, unit);

    return tail == NULL
               ? 0
               : tail_left_ms(tail->begins_up_ms, tail->ends_up_ms, cycle->clock.up_s * 1000);
}

/* Not in the order of what is left, which hosts tell themselves: among those that will take about
 * as long chance decides, as it does elsewhere, who shares a unit with whom. */
void tails_sort(const struct cycle *cycle, int64_t units[], size_t count)
{
    int64_t most_ms = 0;
    size_t sorted = 0;

    for (size_t i = 0; cycle->engine->tails.units.count > 0 && i < count; i++)
        most_ms = left_ms(cycle, units[i]) > most_ms ? left_ms(cycle, units[i]) : most_ms;
    for (size_t i = 0; most_ms > 0 && i < count; i++) {
        int64_t unit = units[i];

        if (left_ms(cycle, unit) < most_ms / 2)
            continue;
        memmove(&units[sorted + 1], &units[sorted], (i - sorted) * sizeof *units);
        units[sorted++] = unit;
    }
}

bool tails_are_most(const struct engine *engine)
{
    return engine->tails.alive > 0 && queue_copies(engine->queue) <= QUEUE_DRAW_MAX;
}
