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
    struct table_row *row;
    size_t *count;

    table->place += scene->rule == RULE_DUGNAD ? 1 : 0;
    assert(table->place >= 1 && table->place <= TABLE_ROWS);
    row = &table->rows[table->place - 1];
    count = &row->counts[scene->rule];
    assert(*count < TABLE_SEEDS);
    row->scene = *scene;
    row->runs[scene->rule][(*count)++] = *figures;
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

/* In pairs: the same by BOINC's rule. */
static const struct {
    const char *head;
    enum scene_rule rule;
    int decimals;
    double (*value)(const struct figures *f);
} columns[] = {
    {"ideal, s", RULE_DUGNAD, 0, ideal}, {"of ideal", RULE_DUGNAD, 2, of_ideal},
    {"BOINC", RULE_BOINC, 2, of_ideal},  {"of greedy", RULE_DUGNAD, 2, of_greedy},
    {"first, s", RULE_DUGNAD, 0, first}, {"BOINC", RULE_BOINC, 0, first},
    {"of 95 %", RULE_DUGNAD, 2, of_95},  {"BOINC", RULE_BOINC, 2, of_95},
    {"tail, s", RULE_DUGNAD, 0, tail},   {"BOINC", RULE_BOINC, 0, tail},
    {"idle, %", RULE_DUGNAD, 0, idle},   {"BOINC", RULE_BOINC, 0, idle},
    {"waste, %", RULE_DUGNAD, 1, waste}, {"churn, %", RULE_DUGNAD, 1, churn},
};

#define COLUMNS (sizeof columns / sizeof *columns)

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(const struct table_row *row, size_t column)
{
    const enum scene_rule rule = columns[column].rule;
    const size_t count = row->counts[rule];
    double values[TABLE_SEEDS];

    for (size_t i = 0; i < count; i++)
        values[i] = columns[column].value(&row->runs[rule][i]);
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

/* ------------------------------------------------------------------------------------------ rows
 */

static void print_scene(const struct scene *scene)
{
    static const char *const kinds[] = {[SCENE_ALONE] = "",
                                        [SCENE_RIVAL] = ", a rival",
                                        [SCENE_BEHIND] = ": 30 short behind",
                                        [SCENE_SILENT] = ", silent"};

    printf("| %zu | %zu %s%s | %s%s |", scene->hosts, scene->units,
           scene->shape == RACE_EQUAL ? "equal" : "heavy", kinds[scene->kind],
           scene->is_idle ? "idle for a day" : "awake", scene->has_churn ? ", off and on" : "");
}

static size_t failed(const struct table_row *row)
{
    size_t units = 0;

    for (int rule = 0; rule < RULES; rule++)
        for (size_t i = 0; i < row->counts[rule]; i++)
            units += row->runs[rule][i].units - row->runs[rule][i].accepted;
    return units;
}

static void print_row(const struct table_row *row)
{
    print_scene(&row->scene);
    for (size_t i = 0; i < COLUMNS; i++)
        printf(" %.*f |", columns[i].decimals, median(row, i));
    if (failed(row) > 0)
        printf(" %zu units not accepted", failed(row));
    printf("\n");
}

void table_print(const struct table *table)
{
    printf("| hosts | batch | machines |");
    for (size_t i = 0; i < COLUMNS; i++)
        printf(" %s |", columns[i].head);
    printf("\n|---|---|---|");
    for (size_t i = 0; i < COLUMNS; i++)
        printf("---|");
    printf("\n");
    for (size_t i = 0; i < table->count; i++)
        print_row(&table->rows[i]);
}
