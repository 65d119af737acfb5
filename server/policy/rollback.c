#include "server/policy/rollback.h"

const char *rollback_sign_name(enum rollback_sign sign)
{
    static const char *const names[] = {[ROLLBACK_NONE] = "",
                                        [ROLLBACK_VISITS] = "visits-skipped",
                                        [ROLLBACK_TASK] = "task-unknown",
                                        [ROLLBACK_SIGNED] = "newer-known"};

    return names[sign];
}

static bool may_know_more(const struct rollback_facts *facts)
{
    return facts->restored_s != 0 && (facts->now_s - facts->restored_s < ROLLBACK_TOLD_S ||
                                      facts->last_visit == 0 || facts->last_s < facts->restored_s);
}

static bool skips_visits(const struct rollback_facts *facts)
{
    int64_t spans = (facts->now_s - facts->last_s) / ROLLBACK_VISITS_SPAN_S;
    int64_t skipped = facts->visit - facts->last_visit;

    return facts->last_visit > 0 && skipped <= ROLLBACK_VISITS_BELIEVED &&
           skipped > ROLLBACK_VISITS_MOST + (spans > 0 ? spans : 0);
}

enum rollback_sign rollback_sign_of(const struct rollback_facts *facts)
{
    if (may_know_more(facts))
        return ROLLBACK_NONE;
    if (skips_visits(facts))
        return ROLLBACK_VISITS;
    if (facts->names_unknown_task)
        return ROLLBACK_TASK;
    return facts->refuses_newest ? ROLLBACK_SIGNED : ROLLBACK_NONE;
}

/* The volunteer's own; else a new one, at last in place of the oldest. */
static struct rollback_hint *place_for(struct rollback *rollback, int64_t volunteer)
{
    struct rollback_hint *oldest = &rollback->hints[0];

    for (size_t i = 0; i < rollback->count; i++) {
        if (rollback->hints[i].volunteer == volunteer)
            return &rollback->hints[i];
        if (rollback->hints[i].up_s < oldest->up_s)
            oldest = &rollback->hints[i];
    }
    return rollback->count < ROLLBACK_HINTS_MAX ? &rollback->hints[rollback->count++] : oldest;
}

void rollback_note(struct rollback *rollback, int64_t volunteer, int64_t up_s)
{
    *place_for(rollback, volunteer) = (struct rollback_hint){.volunteer = volunteer, .up_s = up_s};
}

bool rollback_is_likely(const struct rollback *rollback, int64_t up_s)
{
    size_t count = 0;

    for (size_t i = 0; i < rollback->count; i++)
        count += up_s - rollback->hints[i].up_s < ROLLBACK_WITHIN_S;
    return count >= ROLLBACK_VOLUNTEERS;
}

bool rollback_say(struct rollback *rollback, bool is_kept, int64_t up_s)
{
    if ((!is_kept && !rollback_is_likely(rollback, up_s)) ||
        (rollback->was_said && up_s - rollback->said_up_s < ROLLBACK_SAY_S))
        return false;
    rollback->was_said = true;
    rollback->said_up_s = up_s;
    return true;
}
