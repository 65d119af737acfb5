#include "client/agent/durations.h"

#include <assert.h>
#include <string.h>

#include "work-units/work_unit.h"

static double ops_of(const struct duration_unit *unit)
{
    return (double)(unit->declared_ops > 0 ? unit->declared_ops : WORK_UNIT_OPS_PER_SECOND);
}

/* `count`: it is not known. */
static size_t find(const struct durations *durations, const struct digest *app_version)
{
    size_t i = 0;

    while (i < durations->count && !digest_equals(&durations->all[i].app_version, app_version))
        i++;
    return i;
}

static void take_out(struct durations *durations, size_t i)
{
    durations->count--;
    memmove(&durations->all[i], &durations->all[i + 1],
            (durations->count - i) * sizeof *durations->all);
}

void durations_learn(struct durations *durations, const struct duration_unit *unit, int64_t ran_ms)
{
    size_t i = find(durations, unit->app_version);
    double ms_per_op = (double)(ran_ms > 0 ? ran_ms : 1) / ops_of(unit);

    if (i < durations->count) {
        ms_per_op = (durations->all[i].ms_per_op * 3 + ms_per_op) / 4;
        take_out(durations, i);
    } else if (durations->count == DURATIONS_MAX) {
        take_out(durations, 0);
    }
    durations->all[durations->count++] =
        (struct duration){.app_version = *unit->app_version, .ms_per_op = ms_per_op};
}

static double likely_ms(const struct durations *durations, const struct duration_unit *unit)
{
    size_t i = find(durations, unit->app_version);

    if (i < durations->count)
        return durations->all[i].ms_per_op * ops_of(unit);
    return unit->declared_ops > 0 ? ops_of(unit) * 1000 / WORK_UNIT_OPS_PER_SECOND
                                  : DURATIONS_UNKNOWN_MS;
}

int64_t durations_estimate_ms(const struct durations *durations, const struct duration_unit *unit)
{
    double ms = likely_ms(durations, unit), most_ms = (double)unit->wall_s * 1000;

    assert(unit->wall_s >= 1);
    if (ms < 1)
        return 1;
    return (int64_t)(ms < most_ms ? ms : most_ms);
}
