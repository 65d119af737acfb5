#include "server/policy/tail.h"

#include <assert.h>
#include <stdlib.h>

#include "server/policy/estimate.h"
#include "server/policy/quorum.h"

#define LEAST_ALIVE 2
#define PERCENT     5
#define TENTH       10

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

bool tail_is_near(const struct tail_batch *batch, uint32_t copies)
{
    int64_t left = batch->units - batch->ended;
    int64_t most = larger(LEAST_ALIVE, batch->units * copies * PERCENT / 100);

    return left > 0 && left <= larger(1, batch->units / TENTH) && batch->alive < most;
}

/* Would its loss make another one necessary? Then there is none to spare. */
static bool is_needed(const struct unit *unit, size_t i)
{
    struct unit without = *unit; /* shallow: to try what would become of it */

    without.tasks[i].state = TASK_DROPPED;
    return quorum_decide(&without).copies_wanted > 0;
}

bool tail_waits_for(const struct unit *unit, size_t i)
{
    return unit->state == UNIT_OPEN && unit->tasks[i].state == TASK_SENT &&
           unit->copies_wanted == 0 && unit->extra == 0 &&
           1 + unit->rule.quorum <= unit_room(unit) && is_needed(unit, i);
}

int64_t tail_left_ms(int64_t begins_ms, int64_t ends_ms, int64_t now_ms)
{
    assert(begins_ms <= ends_ms);
    return ends_ms > now_ms ? ends_ms - now_ms : now_ms - begins_ms;
}

bool tail_is_worth_it(int64_t left_ms, int64_t other_ms)
{
    return other_ms > 0 && left_ms / 2 > other_ms;
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
    return agreed >= TAIL_KNOWN && (speed > 0 ? speed : ESTIMATE_SPEED_ONE) >= slow;
}
