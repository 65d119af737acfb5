/* What is printed of the cases: a row each with both rules' figures, of one run or as the medians
 * of several. */
#ifndef TESTS_SIM_TABLE_H
#define TESTS_SIM_TABLE_H

#include "tests/sim/scene.h"

#define TABLE_ROWS  100
#define TABLE_SEEDS 9

struct table_row {
    struct scene scene;
    struct figures runs[RULES][TABLE_SEEDS];
    size_t counts[RULES];
};

/* Zeroed: empty. */
struct table {
    struct table_row rows[TABLE_ROWS];
    size_t count;
    size_t place; /* behind the row filled last */
};

/* Cases come in the same order with each seed; of a case all rules together, Dugnad's first. */
void table_restart(struct table *table);
void table_add(struct table *table, const struct scene *scene, const struct figures *figures);

void table_print(const struct table *table);

#endif
