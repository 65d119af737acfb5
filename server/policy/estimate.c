#include "server/policy/estimate.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "work-units/work_unit.h"

#define MILLION             1e6
#define TOLD_LEAST_MS       30000 /* before, progress says little */
#define TOLD_LEAST_PERMILLE 5

static int64_t within(double value, int64_t most)
{
    if (value < 1)
        return 1;
    return value < (double)most ? (int64_t)(value + 0.5) : most;
}

/* Seconds of the reference host. */
static double size_s(int64_t declared_ops)
{
    return declared_ops > 0 ? (double)declared_ops / WORK_UNIT_OPS_PER_SECOND : 1;
}

int64_t estimate_took_ms(int64_t said_ms, int64_t sent_s, int64_t reported_s)
{
    int64_t seen_s = reported_s > sent_s ? reported_s - sent_s : 0;
    int64_t seen_ms = seen_s < ESTIMATE_MOST_MS / 1000 ? (seen_s + 1) * 1000 : ESTIMATE_MOST_MS;
    int64_t took_ms = said_ms > 0 && said_ms < seen_ms ? said_ms : seen_ms;

    return took_ms < ESTIMATE_MOST_MS ? took_ms : ESTIMATE_MOST_MS;
}

/* One task that was far off moves it a step, and many do all the way. */
static double bounded(int64_t timed, double known, double pace)
{
    if (timed < 2)
        return pace;
    if (pace > known * ESTIMATE_LEAP)
        return known * ESTIMATE_LEAP;
    return pace < known / ESTIMATE_LEAP ? known / ESTIMATE_LEAP : pace;
}

/* What one more task weighs. */
static double weight(int64_t timed, int64_t memory)
{
    return 1 / (timed < memory ? (double)timed + 1 : (double)memory);
}

struct estimate_facts estimate_after_task(const struct estimate_facts *facts, int64_t declared_ops,
                                          int64_t took_ms)
{
    double pace = (double)took_ms * 1000 / size_s(declared_ops), usual = pace;

    assert(took_ms >= 1 && took_ms <= ESTIMATE_MOST_MS && facts->timed >= 0);
    if (facts->timed > 0) {
        double known = (double)facts->pace, before = (double)facts->usual_pace;

        pace = known +
               (bounded(facts->timed, known, pace) - known) * weight(facts->timed, ESTIMATE_MEMORY);
        usual = before * pow(bounded(facts->timed, before, usual) / before,
                             weight(facts->timed, ESTIMATE_USUAL));
    }
    return (struct estimate_facts){.pace = within(pace, ESTIMATE_PACE_MAX),
                                   .usual_pace = within(usual, ESTIMATE_PACE_MAX),
                                   .timed = facts->timed < ESTIMATE_USUAL ? facts->timed + 1
                                                                          : ESTIMATE_USUAL};
}

/* Where this host was not timed: as others, or as declared, for a host of this speed. */
static double pace_of(const struct estimate_sources *sources, int64_t declared_ops)
{
    double speed = sources->speed > 0 ? (double)sources->speed / ESTIMATE_SPEED_ONE : 1;

    if (sources->own_pace > 0)
        return (double)sources->own_pace;
    if (sources->app_pace > 0)
        return (double)sources->app_pace / speed;
    return declared_ops > 0 ? MILLION / speed : 0;
}

int64_t estimate_task_ms(const struct estimate_sources *sources, int64_t declared_ops)
{
    double pace = pace_of(sources, declared_ops);

    return pace > 0 ? within(size_s(declared_ops) * pace / 1000, ESTIMATE_MOST_MS) : 0;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

int64_t estimate_median(int64_t *paces, size_t count)
{
    if (count == 0)
        return 0;
    qsort(paces, count, sizeof *paces, compare);
    return paces[count / 2];
}

int64_t estimate_speed(int64_t own_pace, int64_t app_pace)
{
    int64_t speed;

    if (own_pace <= 0 || app_pace <= 0)
        return 0;
    speed = within((double)app_pace / (double)own_pace * ESTIMATE_SPEED_ONE, ESTIMATE_SPEED_MOST);
    return speed > ESTIMATE_SPEED_LEAST ? speed : ESTIMATE_SPEED_LEAST;
}

int64_t estimate_believed_speed(int64_t speed)
{
    return speed > 0 ? speed : ESTIMATE_SPEED_ONE;
}

int64_t estimate_on_usual_ms(int64_t task_ms, int64_t speed)
{
    double speeds = (double)estimate_believed_speed(speed) / ESTIMATE_SPEED_ONE;

    return (int64_t)((double)task_ms * speeds);
}

int64_t estimate_whole_ms(int done_permille, int64_t busy_ms, int64_t had_s)
{
    int64_t had_ms = ((had_s > 0 ? had_s : 0) + 1) * 1000;
    int64_t ran_ms = busy_ms < had_ms ? busy_ms : had_ms;

    if (done_permille < TOLD_LEAST_PERMILLE || ran_ms < TOLD_LEAST_MS)
        return 0;
    return ran_ms * 1000 / done_permille;
}
