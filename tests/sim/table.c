#include "tests/sim/table.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

void table_restart(struct table *table)
{
    table->place = 0;
}

void table_add(struct table *table, const struct scene *scene, const struct figures *figures)
{
    struct table_row *row = &table->rows[table->place++];

    assert(table->place <= TABLE_ROWS && row->count < TABLE_SEEDS);
    row->scene = *scene;
    row->runs[row->count++] = *figures;
    table->count = table->count < table->place ? table->place : table->count;
}

/* ------------------------------------------------------------------------------------- columns */

static double ideal(const struct figures *f)
{
    return f->ideal_s;
}

static double of_ideal(const struct figures *f)
{
    return f->all_s / f->ideal_s;
}

static double of_greedy(const struct figures *f)
{
    return f->all_s / f->greedy_s;
}

static double first(const struct figures *f)
{
    return f->first_s;
}

static double most95(const struct figures *f)
{
    return f->most95_s;
}

static double all(const struct figures *f)
{
    return f->all_s;
}

static double of_95(const struct figures *f)
{
    return f->all_s / f->most95_s;
}

static double tail(const struct figures *f)
{
    return f->all_s - f->most95_s;
}

static double idle(const struct figures *f)
{
    return 100 * f->idle;
}

static double waste(const struct figures *f)
{
    return 100 * f->waste;
}

static double churn(const struct figures *f)
{
    return 100 * f->churn;
}

static const struct {
    const char *head;
    int decimals;
    double (*value)(const struct figures *f);
} columns[] = {
    {"ideal, s", 0, ideal},       {"of ideal", 2, of_ideal}, {"of greedy", 2, of_greedy},
    {"first start, s", 0, first}, {"95 %, s", 0, most95},    {"100 %, s", 0, all},
    {"of 95 %", 2, of_95},        {"tail, s", 0, tail},      {"idle, %", 0, idle},
    {"waste, %", 1, waste},       {"churn, %", 1, churn},
};

#define COLUMNS (sizeof columns / sizeof *columns)

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(const struct table_row *row, double (*value)(const struct figures *f))
{
    double values[TABLE_SEEDS];

    for (size_t i = 0; i < row->count; i++)
        values[i] = value(&row->runs[i]);
    qsort(values, row->count, sizeof *values, compare);
    return values[row->count / 2];
}

/* ------------------------------------------------------------------------------------------ rows
 */

static void print_scene(const struct scene *scene)
{
    static const char *const kinds[] = {
        [SCENE_ALONE] = "", [SCENE_RIVAL] = ", a rival", [SCENE_BEHIND] = ": 30 short behind"};

    printf("| %zu | %zu %s%s | %s%s | %s |", scene->hosts, scene->units,
           scene->shape == RACE_EQUAL ? "equal" : "heavy", kinds[scene->kind],
           scene->is_idle ? "idle for a day" : "awake", scene->has_churn ? ", off and on" : "",
           scene->rule == RULE_DUGNAD ? "Dugnad" : "BOINC");
}

static void print_row(const struct table_row *row)
{
    size_t left = 0;

    for (size_t i = 0; i < row->count; i++)
        left += row->runs[i].units - row->runs[i].accepted;
    print_scene(&row->scene);
    for (size_t i = 0; i < COLUMNS; i++)
        printf(" %.*f |", columns[i].decimals, median(row, columns[i].value));
    printf(left > 0 ? " %zu units failed\n" : "\n", left);
}

void table_print(const struct table *table)
{
    printf("| hosts | batch | machines | rule |");
    for (size_t i = 0; i < COLUMNS; i++)
        printf(" %s |", columns[i].head);
    printf("\n|---|---|---|---|");
    for (size_t i = 0; i < COLUMNS; i++)
        printf("---|");
    printf("\n");
    for (size_t i = 0; i < table->count; i++)
        print_row(&table->rows[i]);
}
