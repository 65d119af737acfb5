#include "server/engine/reserve.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "server/engine/chance.h"

#define FIRST_CAPACITY 8

void reserve_clear(struct reserve *reserve)
{
    free(reserve->runs);
    *reserve = (struct reserve){0};
}

static struct reserve_run *run_at(const struct reserve *reserve, size_t place)
{
    return &reserve->runs[reserve->head + place];
}

static int64_t end_of(const struct reserve_run *run)
{
    return run->first.unit + run->count;
}

/* Room for one more run behind the last. What was left in front is used first, if it is much. */
static void make_room(struct reserve *reserve)
{
    size_t capacity = reserve->capacity > 0 ? 2 * reserve->capacity : FIRST_CAPACITY;

    if (reserve->head + reserve->count < reserve->capacity)
        return;
    if (reserve->head > reserve->capacity / 2) {
        memmove(reserve->runs, run_at(reserve, 0), reserve->count * sizeof *reserve->runs);
        reserve->head = 0;
        return;
    }
    reserve->runs = reallocarray(reserve->runs, capacity, sizeof *reserve->runs);
    if (reserve->runs == NULL)
        abort();
    reserve->capacity = capacity;
}

static bool continues(const struct reserve_run *run, const struct reserve_unit *unit)
{
    return end_of(run) == unit->unit && run->first.memory_bytes == unit->memory_bytes &&
           run->first.disk_bytes == unit->disk_bytes && run->first.copies == unit->copies;
}

bool reserve_put(struct reserve *reserve, const struct reserve_unit *unit)
{
    struct reserve_run *last = reserve->count > 0 ? run_at(reserve, reserve->count - 1) : NULL;

    assert(unit->copies > 0);
    if (last != NULL && unit->unit < end_of(last))
        return false;
    reserve->units++;
    if (last != NULL && continues(last, unit)) {
        last->count++;
        return true;
    }
    make_room(reserve);
    reserve->count++;
    *run_at(reserve, reserve->count - 1) = (struct reserve_run){.first = *unit, .count = 1};
    return true;
}

/* The run that has the unit; false: none has. */
static bool find(const struct reserve *reserve, int64_t unit, size_t *ret_place)
{
    size_t low = 0, high = reserve->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (end_of(run_at(reserve, middle)) <= unit)
            low = middle + 1;
        else
            high = middle;
    }
    *ret_place = low;
    return low < reserve->count && run_at(reserve, low)->first.unit <= unit;
}

bool reserve_has(const struct reserve *reserve, int64_t unit, struct reserve_unit *ret_unit)
{
    size_t place;

    if (!find(reserve, unit, &place))
        return false;
    if (ret_unit != NULL) {
        *ret_unit = run_at(reserve, place)->first;
        ret_unit->unit = unit;
    }
    return true;
}

static void remove_run(struct reserve *reserve, size_t place)
{
    if (place == 0)
        reserve->head++;
    else
        memmove(run_at(reserve, place), run_at(reserve, place + 1),
                (reserve->count - place - 1) * sizeof *reserve->runs);
    reserve->count--;
}

/* The units of the run from `unit` on become a run of their own. */
static void split(struct reserve *reserve, size_t place, int64_t unit)
{
    struct reserve_run *run, *rest;

    make_room(reserve);
    run = run_at(reserve, place);
    rest = run + 1;
    memmove(rest + 1, rest, (reserve->count - place - 1) * sizeof *rest);
    reserve->count++;
    *rest = *run;
    rest->first.unit = unit;
    rest->count = end_of(run) - unit;
    run->count -= rest->count;
}

bool reserve_take(struct reserve *reserve, int64_t unit, struct reserve_unit *ret_unit)
{
    struct reserve_run *run;
    size_t place;

    if (!find(reserve, unit, &place))
        return false;
    if (run_at(reserve, place)->first.unit < unit) {
        split(reserve, place, unit);
        place++;
    }
    run = run_at(reserve, place);
    *ret_unit = run->first;
    run->first.unit++;
    run->count--;
    reserve->units--;
    if (run->count == 0)
        remove_run(reserve, place);
    return true;
}

int64_t reserve_first(const struct reserve *reserve)
{
    assert(reserve->count > 0);
    return run_at(reserve, 0)->first.unit;
}

int64_t reserve_somewhere(const struct reserve *reserve, struct chance *chance)
{
    const struct reserve_run *run;

    assert(reserve->count > 0);
    run = run_at(reserve, chance_below(chance, reserve->count));
    return run->first.unit + (int64_t)chance_below(chance, (size_t)run->count);
}
