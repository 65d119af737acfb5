#include "tests/sim/figures.h"

#include <math.h>
#include <stdlib.h>

#include "common/base/text.h"

#define PLACES 16 /* of copies of a unit */

double figures_ideal_s(const struct race *race, int batch)
{
    const struct race_load *load = &race->loads[batch];
    const struct crowd *crowd = &race->crowd;
    double all = load->total_ms * CROWD_QUORUM / crowd_speed(crowd);
    double others = load->total_ms / (crowd_speed(crowd) - crowd_largest(crowd));

    return fmax(fmax(all, others), load->longest_ms / crowd_fastest(crowd)) / 1000;
}

static size_t units_of(const struct race *race, int batch)
{
    const struct crowd_unit *unit;
    size_t cursor = 0, count = 0;

    while ((unit = map_next(&race->units, &cursor)) != NULL)
        count += unit->batch == batch ? 1 : 0;
    return count;
}

static int compare_down(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x > y ? -1 : x < y;
}

static int64_t *lengths_of(const struct race *race, int batch, size_t count)
{
    int64_t *lengths = must_alloc(count, sizeof *lengths);
    const struct crowd_unit *unit;
    size_t cursor = 0, place = 0;

    while ((unit = map_next(&race->units, &cursor)) != NULL)
        if (unit->batch == batch)
            lengths[place++] = unit->length_ms;
    qsort(lengths, count, sizeof *lengths, compare_down);
    return lengths;
}

/* Cores of one speed, as a heap by when each is free. */
static void sink(double *free_ms, size_t count)
{
    size_t i = 0, least;

    while ((least = 2 * i + 1) < count) {
        double moved;

        least += least + 1 < count && free_ms[least + 1] < free_ms[least] ? 1 : 0;
        if (free_ms[i] <= free_ms[least])
            return;
        moved = free_ms[i];
        free_ms[i] = free_ms[least];
        free_ms[least] = moved;
        i = least;
    }
}

/* To another host than `but`, and which; crowd->kind.hosts: to any. */
static double give(const struct crowd *crowd, double (*free_ms)[CROWD_CORES_MOST],
                   int64_t length_ms, size_t but, size_t *ret_host)
{
    double best_ms = INFINITY;
    size_t best = 0;

    for (size_t i = 0; i < crowd->kind.hosts; i++) {
        double end_ms = free_ms[i][0] + (double)length_ms / crowd->hosts[i].speed;

        if (i != but && end_ms < best_ms) {
            best_ms = end_ms;
            best = i;
        }
    }
    free_ms[best][0] = best_ms;
    sink(free_ms[best], (size_t)crowd->hosts[best].cores);
    *ret_host = best;
    return best_ms;
}

double figures_greedy_s(const struct race *race, int batch)
{
    size_t count = units_of(race, batch);
    int64_t *lengths = lengths_of(race, batch, count);
    double(*free_ms)[CROWD_CORES_MOST] = must_alloc(race->crowd.kind.hosts, sizeof *free_ms),
    all_ms = 0;
    size_t host;

    for (size_t i = 0; i < count; i++) {
        all_ms =
            fmax(all_ms, give(&race->crowd, free_ms, lengths[i], race->crowd.kind.hosts, &host));
        all_ms = fmax(all_ms, give(&race->crowd, free_ms, lengths[i], host, &host));
    }
    free(free_ms);
    free(lengths);
    return all_ms / 1000;
}

static const struct crowd_unit *unit_of(const struct race *race, int64_t id, int batch)
{
    const struct crowd_unit *unit = map_get(&race->units, id);

    return unit != NULL && unit->batch == batch ? unit : NULL;
}

/* Times of acceptance, as they rose. */
static void read_acceptances(struct race *race, int batch, struct figures *figures)
{
    CLEANUP(sim_finalize)
    sqlite3_stmt *row =
        sim_prepare(race->site, "SELECT subject, time_s FROM journal WHERE kind = 1 ORDER BY seq");
    size_t most = (size_t)ceil((double)figures->units * 0.95);

    while (sqlite3_step(row) == SQLITE_ROW) {
        double after_s = (double)(sqlite3_column_int64(row, 1) - race->loads[batch].published_s);

        if (unit_of(race, sqlite3_column_int64(row, 0), batch) == NULL)
            continue;
        figures->accepted++;
        if (figures->accepted == most)
            figures->most95_s = after_s;
        figures->all_s = after_s;
    }
}

static bool is_lost(enum task_state state, int64_t reported_s, int64_t deadline_s)
{
    return state == TASK_ERROR || state == TASK_OVERDUE || state == TASK_OUTVOTED ||
           state == TASK_ABANDONED || reported_s > deadline_s;
}

/* Of each unit: copies that ran and were of use, or could have been. */
static void read_copies(struct race *race, int batch, struct figures *figures)
{
    CLEANUP(sim_finalize)
    sqlite3_stmt *row =
        sim_prepare(race->site, "SELECT id, state, reported_s, deadline_s FROM task ORDER BY id");
    double wanted = (double)figures->units * CROWD_QUORUM, beyond = 0, lost = 0;
    int64_t last = 0;
    int good = 0;

    while (sqlite3_step(row) == SQLITE_ROW) {
        int64_t task = sqlite3_column_int64(row, 0);
        const struct crowd_unit *unit = unit_of(race, task / PLACES, batch);

        if (unit == NULL || (unit->started & 1U << (task % PLACES)) == 0)
            continue;
        good = unit->id == last ? good : 0;
        last = unit->id;
        if (is_lost((enum task_state)sqlite3_column_int(row, 1), sqlite3_column_int64(row, 2),
                    sqlite3_column_int64(row, 3)))
            lost++;
        else if (++good > CROWD_QUORUM)
            beyond++;
    }
    figures->waste = beyond / wanted;
    figures->churn = lost / wanted;
}

struct figures figures_of(struct race *race, int batch)
{
    const struct crowd *crowd = &race->crowd;
    const struct crowd_batch *seen = &crowd->batches[batch];
    int64_t published_ms = (race->loads[batch].published_s - crowd->epoch_s) * 1000;
    struct figures figures = {.units = units_of(race, batch)};

    for (size_t i = 0; i < crowd->kind.hosts; i++)
        crowd_pass(&race->crowd, &crowd->hosts[i], race_now_ms(race));
    figures.ideal_s = figures_ideal_s(race, batch);
    figures.greedy_s = figures_greedy_s(race, batch);
    figures.first_s = (double)(seen->first_ms - published_ms) / 1000;
    figures.idle = crowd->able_ms > 0 ? (double)crowd->idle_ms / (double)crowd->able_ms : 0;
    read_acceptances(race, batch, &figures);
    read_copies(race, batch, &figures);
    return figures;
}
