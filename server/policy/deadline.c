#include "server/policy/deadline.h"

#include <stdlib.h>

static int64_t running_s(const struct clock_facts *facts)
{
    int64_t ran_ms = facts->now_mono_ms - facts->started_mono_ms;

    return ran_ms > 0 ? ran_ms / 1000 : 0;
}

enum clock_judgement clock_judge(const struct clock_facts *facts)
{
    int64_t drift_s = facts->now_s - facts->started_s - running_s(facts);

    if (drift_s > CLOCK_MAX_DRIFT_S || drift_s < -CLOCK_MAX_DRIFT_S)
        return CLOCK_JUMPED;
    if (!facts->is_confirmed && facts->last_commit_s > facts->now_s + CLOCK_MAX_DRIFT_S)
        return CLOCK_BEFORE_COMMIT;
    if (!facts->is_confirmed && facts->last_commit_s > 0 &&
        facts->started_s - facts->last_commit_s > CLOCK_MAX_STANDSTILL_S)
        return CLOCK_LONG_AFTER_COMMIT;
    return CLOCK_SOUND;
}

const char *clock_judgement_words(enum clock_judgement judgement)
{
    switch (judgement) {
    case CLOCK_SOUND:
        return "the clock is sound";
    case CLOCK_JUMPED:
        return "the wall clock jumped by more than an hour; nothing expires until the clock is put "
               "right, or confirmed";
    case CLOCK_BEFORE_COMMIT:
        return "the last commit lies in the future; nothing expires until the clock is put right, "
               "or confirmed";
    case CLOCK_LONG_AFTER_COMMIT:
        return "the last commit is more than 60 days old; nothing expires until the clock is put "
               "right, or confirmed";
    }
    abort();
}

int64_t deadline_up_now(int64_t base_up_s, const struct clock_facts *facts)
{
    return base_up_s + running_s(facts);
}

struct deadline deadline_of_task(int64_t span_s, int64_t not_after_s, int64_t up_now_s,
                                 int64_t now_s)
{
    int64_t left_s = not_after_s - now_s;
    int64_t allowed_s = span_s < left_s ? span_s : left_s;

    if (allowed_s < 0)
        allowed_s = 0;
    return (struct deadline){.up_s = up_now_s + allowed_s, .wall_s = now_s + allowed_s};
}
