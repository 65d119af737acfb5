#include "server/policy/share.h"

#include <assert.h>

#include "server/policy/estimate.h"

int64_t share_slots(int64_t cores, int64_t agreed)
{
    int64_t most = agreed > SHARE_NEW_SLOTS ? agreed : SHARE_NEW_SLOTS;

    assert(cores >= 1 && agreed >= 0);
    return cores < most ? cores : most;
}

int64_t share_weight(int64_t slots, int64_t speed)
{
    return slots * estimate_believed_speed(speed);
}

/* Its part of all that is not computed, rounded up. */
static int64_t part_of_it(const struct share_facts *facts)
{
    double left = (double)(facts->ready + facts->grid.held);
    double part = left * (double)facts->weight / (double)facts->grid.weight;
    int64_t whole = (int64_t)part;

    return (double)whole < part ? whole + 1 : whole;
}

/* Tasks that start later are not granted. */
static int64_t within(const struct share_facts *facts)
{
    int64_t buffer_ms = facts->want_s > 0 ? facts->want_s * 1000 : INT64_MAX;
    int64_t soon_ms =
        facts->next_visit_s * 1000 > SHARE_SOON_MS ? facts->next_visit_s * 1000 : SHARE_SOON_MS;

    if (facts->ready >= 2 * facts->grid.slots)
        return buffer_ms;
    return soon_ms < buffer_ms ? soon_ms : buffer_ms;
}

struct share share_of(const struct share_facts *facts)
{
    int64_t idle = facts->slots > facts->held ? facts->slots - facts->held : 0;
    int64_t beyond;

    assert(facts->slots >= 1 && facts->weight >= 1 && facts->held >= 0);
    assert(facts->grid.weight >= facts->weight && facts->grid.slots >= facts->slots);
    beyond = part_of_it(facts) - facts->held - idle;
    return (struct share){.slots = facts->slots,
                          .idle = idle,
                          .beyond = beyond > 0 ? beyond : 0,
                          .held_ms = facts->held_ms,
                          .within_ms = within(facts)};
}

int64_t share_room(const struct share *share)
{
    return share->idle + share->beyond;
}

int64_t share_idle_in_ms(const struct share *share)
{
    return share->idle > 0 ? 0 : share->held_ms / share->slots;
}

static void hold(struct share *share, int64_t task_ms)
{
    int64_t added_ms = task_ms > 0 ? task_ms : SHARE_UNKNOWN_MS;

    share->held_ms = share->held_ms < INT64_MAX - added_ms ? share->held_ms + added_ms : INT64_MAX;
}

bool share_take(struct share *share, int64_t task_ms)
{
    if (share->idle > 0)
        share->idle--;
    else if (share->beyond > 0 && share_idle_in_ms(share) < share->within_ms)
        share->beyond--;
    else
        return false;
    hold(share, task_ms);
    return true;
}
