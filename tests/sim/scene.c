#include "tests/sim/scene.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "server/engine/state.h"

#define SHORT_MS     INT64_C(60000)
#define HOUR_MS      INT64_C(3600000)
#define MOST_MS      (30 * 24 * HOUR_MS)
#define PUBLISHED_ON (0.81 * 0.84) /* tests/sim/crowd.h */

/* BOINC's clients ask for 0.1 days of work and 0.5 more, its scheduler sends what is asked, and
 * what came first from a project is computed first. */
static const struct crowd_rule rules[RULES] = {
    [RULE_DUGNAD] = {.buffer_s = 7200, .visit_interval_ms = 60000},
    [RULE_BOINC] = {.buffer_s = 51840,
                    .visit_interval_ms = 60000,
                    .is_in_order = true,
                    .is_deaf = true},
};

const struct crowd_rule *scene_rule(enum scene_rule rule)
{
    return &rules[rule];
}

static int measure_batches(struct race *race, const struct scene *scene)
{
    const struct race_batch batch = {
        .name = "batch", .units = scene->units, .mean_ms = SCENE_MEAN_MS, .shape = scene->shape};
    const struct race_batch rival = {
        .name = "rival", .units = scene->units, .mean_ms = SCENE_MEAN_MS};
    const struct race_batch last = {.name = "short", .units = 30, .mean_ms = SHORT_MS};
    int number = race_publish(race, &batch);

    if (scene->kind == SCENE_RIVAL)
        (void)race_publish(race, &rival);
    if (scene->kind != SCENE_BEHIND)
        return number;
    (void)race_run(race, race_now_ms(race) + HOUR_MS / 2);
    return race_publish(race, &last);
}

/* Those that leave do so while there is work, or soon after. */
static void begin_churn(struct race *race, const struct scene *scene)
{
    double work_ms =
        (double)scene->units * CROWD_QUORUM * SCENE_MEAN_MS / crowd_speed(&race->crowd);

    crowd_begin_churn(&race->crowd, race_now_ms(race), HOUR_MS + 2 * (int64_t)work_ms);
}

static struct outcome run_case(struct race *race, const struct scene *scene)
{
    struct outcome outcome;
    clock_t begun = clock();
    int number;

    race->crowd.rule = rules[scene->rule];
    race->crowd.rule.is_silent = scene->kind == SCENE_SILENT;
    race->site->engine->config.sends_as_asked = scene->rule == RULE_BOINC;
    crowd_count_from(&race->crowd, race_now_ms(race));
    if (scene->has_churn)
        begin_churn(race, scene);
    number = measure_batches(race, scene);
    (void)race_run(race, race_now_ms(race) + MOST_MS);
    outcome.figures = figures_of(race, number);
    if (scene->kind == SCENE_RIVAL) {
        outcome.figures.ideal_s += figures_ideal_s(race, number + 1);
        outcome.figures.greedy_s += figures_greedy_s(race, number + 1);
    }
    if (scene->has_churn) {
        outcome.figures.greedy_s /= PUBLISHED_ON;
        outcome.figures.ideal_s /= PUBLISHED_ON;
    }
    outcome.cpu_s = (double)(clock() - begun) / CLOCKS_PER_SEC;
    return outcome;
}

struct outcome scene_run(struct race *race, const struct scene *scene)
{
    struct outcome outcome = {0};
    int ends[2], status = 0;
    pid_t child = pipe(ends) == 0 ? fork() : -1;

    if (child < 0)
        sim_fail(race->site, "no process for a case");
    if (child == 0) {
        outcome = run_case(race, scene);
        _exit(write(ends[1], &outcome, sizeof outcome) == sizeof outcome ? 0 : 1);
    }
    (void)close(ends[1]);
    if (read(ends[0], &outcome, sizeof outcome) != sizeof outcome ||
        waitpid(child, &status, 0) != child || status != 0)
        sim_fail(race->site, "a case failed");
    (void)close(ends[0]);
    return outcome;
}
