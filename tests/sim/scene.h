/* One case: which crowd, which batches, by whose rules; and how it goes. */
#ifndef TESTS_SIM_SCENE_H
#define TESTS_SIM_SCENE_H

#include "tests/sim/figures.h"

#define SCENE_MEAN_MS INT64_C(600000) /* of a batch's units, on a core of speed 1 */

enum scene_rule { RULE_DUGNAD, RULE_BOINC, RULES };

enum scene_kind {
    SCENE_ALONE,
    SCENE_RIVAL,  /* another batch of as many units, equal ones, beside it */
    SCENE_BEHIND, /* a batch of 30 short units behind it, half an hour later: that one is measured
                   */
    SCENE_SILENT, /* its app does not say how far it is */
};

struct scene {
    size_t hosts, units;
    enum race_shape shape;
    enum scene_kind kind;
    bool is_idle; /* the crowd had nothing to do for a day */
    bool has_churn;
    enum scene_rule rule;
};

/* How clients ask by these rules. */
const struct crowd_rule *scene_rule(enum scene_rule rule);

struct outcome {
    struct figures figures;
    double cpu_s;
};

/* In a process of its own: the race is as before afterwards. */
struct outcome scene_run(struct race *race, const struct scene *scene);

#endif
