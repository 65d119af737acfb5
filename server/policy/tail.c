#include "server/policy/tail.h"

#include <assert.h>
#include <stdlib.h>

#include "server/policy/estimate.h"
#include "server/policy/quorum.h"

#define LEAST_ALIVE   2
#define ALIVE_PERCENT 5
#define LOST_PERCENT  20 /* where more is missing at once, it is the network that is gone */
#define LEAST_MADE    3
#define MADE_PERCENT  4 /* one more in a hundred is begun twice where copies are moved */
#define TENTH         10
#define LAST_ONES     200
#define TOLERANCE     10 /* an estimate may be off by one in so many */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t most(int64_t least, int64_t percent, int64_t copies)
{
    return larger(least, copies * percent / 100);
}

bool tail_is_near(const struct tail_batch *batch, uint32_t copies, bool is_lost)
{
    int64_t left = batch->units - batch->ended, all = batch->units * copies;

    if (left <= 0)
        return false;
    if (is_lost)
        return batch->lost < most(LEAST_ALIVE, LOST_PERCENT, all);
    return left <= larger(1, batch->units / TENTH) &&
           batch->alive < most(LEAST_ALIVE, ALIVE_PERCENT, all) &&
           (batch->made < most(LEAST_MADE, MADE_PERCENT, all) ||
            left <= larger(1, batch->units / LAST_ONES));
}

/* Copies that are missing to an agreement, were those tasks gone whose bit is set. */
static uint32_t missing_without(const struct unit *unit, uint32_t gone)
{
    struct unit without = *unit; /* shallow: to try what would become of it */

    for (size_t i = 0; i < unit->task_count; i++)
        if ((gone >> i & 1) != 0)
            without.tasks[i].state = TASK_DROPPED;
    return quorum_decide(&without).copies_wanted;
}

static uint32_t all_out(const struct unit *unit)
{
    uint32_t out = 0;

    for (size_t i = 0; i < unit->task_count; i++)
        out |= (uint32_t)(unit->tasks[i].state == TASK_SENT) << i;
    return out;
}

static size_t last_of(uint32_t tasks, const int64_t left_ms[])
{
    size_t last = UNIT_TASKS_MAX;

    for (size_t i = 0; i < UNIT_TASKS_MAX; i++)
        if ((tasks >> i & 1) != 0 && (last == UNIT_TASKS_MAX || left_ms[i] > left_ms[last]))
            last = i;
    return last;
}

static bool has_room(const struct unit *unit)
{
    return unit->state == UNIT_OPEN && unit->copies_wanted == 0 && unit->extra == 0 &&
           1 + unit->rule.quorum <= unit_room(unit);
}

/* Leave out one after the other, the last one first, until those that remain are too few. */
struct tail_wait tail_waits(const struct unit *unit, const int64_t left_ms[])
{
    const uint32_t out = all_out(unit);
    struct tail_wait wait = {0};
    uint32_t gone = 0;

    if (!has_room(unit))
        return wait;
    while (gone != out) {
        wait.task = last_of(out & ~gone, left_ms);
        wait.left_ms = left_ms[wait.task];
        gone |= UINT32_C(1) << wait.task;
        if (missing_without(unit, gone) > 0) {
            wait.may_have = wait.spare < missing_without(unit, out);
            return wait;
        }
        wait.spare += wait.left_ms != TAIL_NEVER;
    }
    return wait;
}

int64_t tail_left_ms(int64_t begins_ms, int64_t ends_ms, int64_t now_ms)
{
    assert(begins_ms <= ends_ms);
    return ends_ms > now_ms ? ends_ms - now_ms : now_ms - begins_ms;
}

int64_t tail_other_ms(int64_t length_ms, int64_t speed)
{
    double of_one = (double)length_ms * ESTIMATE_SPEED_ONE;

    return (int64_t)(of_one / (double)estimate_believed_speed(speed));
}

bool tail_is_worth_it(int64_t left_ms, int64_t other_ms, bool is_known)
{
    int64_t worth_ms = is_known ? left_ms : left_ms / 2;

    return other_ms > 0 && worth_ms > other_ms;
}

static size_t soonest(const struct horizon_slot slots[], size_t count, int64_t length_ms,
                      int64_t *ret_end_ms)
{
    size_t best = count;

    for (size_t i = 0; i < count; i++) {
        int64_t end_ms = slots[i].free_in_ms + tail_other_ms(length_ms, slots[i].speed);

        if (best < count && end_ms >= *ret_end_ms)
            continue;
        best = i;
        *ret_end_ms = end_ms;
    }
    return best;
}

int64_t tail_end_ms(const struct tail_need needs[], size_t count, struct horizon_slot slots[],
                    size_t slot_count)
{
    int64_t all_ms = 0;

    for (size_t i = 0; i < count; i++) {
        int64_t end_ms = needs[i].left_ms, other_ms = 0;
        size_t slot = soonest(slots, slot_count, needs[i].length_ms, &other_ms);

        if (slot < slot_count && other_ms < end_ms) {
            slots[slot].free_in_ms = other_ms;
            end_ms = other_ms;
        }
        all_ms = larger(all_ms, end_ms);
    }
    return all_ms;
}

bool tail_is_late(int64_t left_ms, int64_t end_ms)
{
    return left_ms > end_ms + end_ms / TOLERANCE;
}

bool tail_is_spared(int64_t copy_ms, int64_t end_ms)
{
    return copy_ms - copy_ms / TOLERANCE > end_ms;
}

int64_t tail_patience_ms(int64_t left_ms)
{
    return left_ms / 4 < TAIL_PATIENCE_MS ? left_ms / 4 : TAIL_PATIENCE_MS;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

int64_t tail_slow(int64_t *speeds, size_t count)
{
    size_t quarter = (count + 3) / 4; /* rounded up: of three hosts one is slow */

    if (count == 0)
        return 0;
    qsort(speeds, count, sizeof *speeds, compare);
    return speeds[quarter < count ? quarter : count - 1];
}

bool tail_suits(int64_t agreed, int64_t speed, int64_t slow)
{
    return agreed >= TAIL_KNOWN && estimate_believed_speed(speed) >= slow;
}
