/*
 * tests/sim/makespan [--table [--hosts N] [--big]] [--seed N]: how long batches take on a crowd of
 * hosts, against the shortest time there could be, by Dugnad's rules and by BOINC's. The same seed
 * prints the same table; processor time goes to stderr. Without --table: a quick one of five hosts,
 * whose figures have bounds; ends with 1 where one is not met.
 *
 * A crowd proves itself once, and each case then runs in a child process that has a copy of it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/text.h"
#include "tests/sim/figures.h"

#define MEAN_MS      INT64_C(600000)
#define SHORT_MS     INT64_C(60000)
#define HOUR_MS      INT64_C(3600000)
#define DAY_LONG_MS  (24 * HOUR_MS)
#define MOST_MS      (30 * 24 * HOUR_MS)
#define PUBLISHED_ON (0.81 * 0.84) /* tests/sim/crowd.h */

enum rule { RULE_DUGNAD, RULE_BOINC, RULES };

/* BOINC's clients ask for 0.1 days of work and 0.5 more, and its scheduler sends what is asked. */
static const struct crowd_rule rules[RULES] = {
    [RULE_DUGNAD] = {.buffer_s = 7200, .visit_interval_ms = 60000},
    [RULE_BOINC] = {.buffer_s = 51840, .visit_interval_ms = 60000},
};

enum scene {
    SCENE_ALONE,
    SCENE_RIVAL,  /* another batch of as many units, equal ones, beside it */
    SCENE_BEHIND, /* a batch of 30 short units behind it, half an hour later: that one is measured
                   */
};

struct setting {
    size_t hosts, units;
    enum race_shape shape;
    enum scene scene;
    bool is_idle, has_churn;
    enum rule rule;
};

/* What a child tells. */
struct outcome {
    struct figures figures;
    double cpu_s;
};

static int measure_batches(struct race *race, const struct setting *setting)
{
    const struct race_batch batch = {
        .name = "batch", .units = setting->units, .mean_ms = MEAN_MS, .shape = setting->shape};
    const struct race_batch rival = {.name = "rival", .units = setting->units, .mean_ms = MEAN_MS};
    const struct race_batch last = {.name = "short", .units = 30, .mean_ms = SHORT_MS};
    int number = race_publish(race, &batch);

    if (setting->scene == SCENE_RIVAL)
        (void)race_publish(race, &rival);
    if (setting->scene != SCENE_BEHIND)
        return number;
    (void)race_run(race, race_now_ms(race) + HOUR_MS / 2);
    return race_publish(race, &last);
}

/* Those that leave do so while there is work, or soon after. */
static void begin_churn(struct race *race, const struct setting *setting)
{
    double work_ms = (double)setting->units * CROWD_QUORUM * MEAN_MS / crowd_speed(&race->crowd);

    crowd_begin_churn(&race->crowd, race_now_ms(race), HOUR_MS + 2 * (int64_t)work_ms);
}

static struct outcome run_case(struct race *race, const struct setting *setting)
{
    struct outcome outcome;
    clock_t begun = clock();
    int number;

    race->crowd.rule = rules[setting->rule];
    crowd_count_from(&race->crowd, race_now_ms(race));
    if (!setting->is_idle)
        race_call_hosts(race);
    if (setting->has_churn)
        begin_churn(race, setting);
    number = measure_batches(race, setting);
    (void)race_run(race, race_now_ms(race) + MOST_MS);
    outcome.figures = figures_of(race, number);
    if (setting->has_churn)
        outcome.figures.ideal_s /= PUBLISHED_ON;
    outcome.cpu_s = (double)(clock() - begun) / CLOCKS_PER_SEC;
    return outcome;
}

/* In a process of its own: the race is as before afterwards. */
static struct outcome try_case(struct race *race, const struct setting *setting)
{
    struct outcome outcome = {0};
    int ends[2], status = 0;
    pid_t child = pipe(ends) == 0 ? fork() : -1;

    if (child < 0)
        sim_fail(race->site, "no process for a case");
    if (child == 0) {
        outcome = run_case(race, setting);
        _exit(write(ends[1], &outcome, sizeof outcome) == sizeof outcome ? 0 : 1);
    }
    (void)close(ends[1]);
    if (read(ends[0], &outcome, sizeof outcome) != sizeof outcome ||
        waitpid(child, &status, 0) != child || status != 0)
        sim_fail(race->site, "a case failed");
    (void)close(ends[0]);
    return outcome;
}

/* ----------------------------------------------------------------------------------- the table */

struct table {
    uint64_t seed;
    size_t hosts; /* only these; 0: all */
    bool is_whole;
    bool is_big; /* batches of 100,000, too */
};

static void print_head(void)
{
    printf("| hosts | batch | machines | rule | ideal, s | of ideal | first starts, s | 95 %%, s | "
           "100 %%, s | tail, s | idle | waste | churn |\n"
           "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
}

static void print_case(const struct setting *setting)
{
    static const char *const behind[] = {
        [SCENE_ALONE] = "", [SCENE_RIVAL] = ", a rival", [SCENE_BEHIND] = ": 30 short behind"};

    printf("| %zu | %zu %s%s | %s%s | %s |", setting->hosts, setting->units,
           setting->shape == RACE_EQUAL ? "equal" : "heavy", behind[setting->scene],
           setting->is_idle ? "idle for a day" : "at work",
           setting->has_churn ? ", off and on" : "",
           setting->rule == RULE_DUGNAD ? "Dugnad" : "BOINC");
}

static void print_figures(const struct figures *f)
{
    printf(" %.0f |", f->ideal_s);
    if (f->accepted < f->units)
        printf(" %zu done |", f->accepted);
    else
        printf(" %.2f |", f->all_s / f->ideal_s);
    printf(" %.0f | %.0f | %.0f | %.0f | %.0f %% | %.1f %% | %.1f %% |\n", f->first_s, f->most95_s,
           f->all_s, f->all_s - f->most95_s, 100 * f->idle, 100 * f->waste, 100 * f->churn);
}

static struct outcome show_case(struct race *race, const struct setting *setting)
{
    struct outcome outcome;

    (void)fflush(stdout);
    outcome = try_case(race, setting);
    print_case(setting);
    print_figures(&outcome.figures);
    fprintf(stderr, "%zu hosts, %zu units: %.1f s of processor time\n", setting->hosts,
            setting->units, outcome.cpu_s);
    return outcome;
}

/* Of one crowd, as it stands: by both rules. */
static void show_both(struct race *race, struct setting setting)
{
    for (setting.rule = 0; setting.rule < RULES; setting.rule++)
        (void)show_case(race, &setting);
}

static void show_batches(struct race *race, const struct table *table, struct setting setting)
{
    static const size_t sizes[] = {30, 1000, 100000};

    for (size_t i = 0; i < (table->is_big && setting.hosts >= 100 ? 3 : 2); i++)
        for (int shape = RACE_EQUAL; shape <= RACE_HEAVY; shape++) {
            setting.units = sizes[i];
            setting.shape = (enum race_shape)shape;
            show_both(race, setting);
        }
}

static void show_scenes(struct race *race, struct setting setting)
{
    setting.units = 1000;
    setting.shape = RACE_HEAVY;
    setting.scene = SCENE_RIVAL;
    show_both(race, setting);
    setting.scene = SCENE_BEHIND;
    show_both(race, setting);
}

static void open_race(struct race *race, struct sim_site *site, const struct table *table,
                      size_t hosts)
{
    const struct crowd_kind kind = {.hosts = hosts, .seed = table->seed};
    CLEANUP(freep) char *path = text_format("file:/makespan-%zu?vfs=memdb", hosts);

    *site = (struct sim_site){.program = "makespan", .seed = table->seed};
    fake_env_init(&site->env, table->seed);
    sim_site_open(site, path);
    race_open(race, site, &kind);
    race->crowd.rule = rules[RULE_DUGNAD];
    race_prove_hosts(race, MEAN_MS);
    race_call_hosts(race);
    fprintf(stderr, "%zu hosts have proven themselves: %.1f s of processor time\n", hosts,
            (double)clock() / CLOCKS_PER_SEC);
}

static void show_crowd(const struct table *table, size_t hosts)
{
    struct sim_site site;
    struct race race;
    struct setting setting = {.hosts = hosts};

    open_race(&race, &site, table, hosts);
    show_batches(&race, table, setting);
    show_scenes(&race, setting);
    setting.has_churn = true;
    show_batches(&race, table, setting);
    race_idle(&race, DAY_LONG_MS);
    setting.is_idle = true;
    show_batches(&race, table, setting);
    setting.has_churn = false;
    show_batches(&race, table, setting);
    race_clear(&race);
    sim_site_close(&site);
}

static void show_all(const struct table *table)
{
    static const size_t crowds[] = {5, 100, 5000};

    print_head();
    for (size_t i = 0; i < sizeof crowds / sizeof *crowds; i++)
        if (table->hosts == 0 || table->hosts == crowds[i])
            show_crowd(table, crowds[i]);
}

/* ---------------------------------------------------------------------------------- the quick
 * table
 */

/* What must hold of these cases by Dugnad's rules, measured and with room for another order of
 * random draws. */
static const struct bound {
    struct setting setting;
    double of_ideal;  /* at most */
    double first_s;   /* likewise */
    double waste;     /* likewise */
    bool beats_boinc; /* done sooner than by its rule */
} bounds[] = {
    {.setting = {.units = 30}, .of_ideal = 6, .first_s = 60, .waste = 0.05},
    {.setting = {.units = 300}, .of_ideal = 1.5, .first_s = 60, .waste = 0.05, .beats_boinc = true},
    {.setting = {.units = 300, .shape = RACE_HEAVY},
     .of_ideal = 2,
     .first_s = 60,
     .waste = 0.05,
     .beats_boinc = true},
};

static int judge(const struct setting *setting, const struct bound *bound,
                 const struct figures *ours, const struct figures *theirs)
{
    bool holds = ours->accepted == ours->units && ours->all_s >= ours->ideal_s &&
                 ours->all_s <= bound->of_ideal * ours->ideal_s &&
                 ours->first_s <= bound->first_s && ours->waste <= bound->waste &&
                 (!bound->beats_boinc || ours->all_s < theirs->all_s);

    if (holds)
        return 0;
    fprintf(stderr,
            "makespan: %zu units on %zu hosts: at most %.2f of the ideal, the first start within "
            "%.0f s, %.0f %% waste%s; not met\n",
            setting->units, setting->hosts, bound->of_ideal, bound->first_s, 100 * bound->waste,
            bound->beats_boinc ? ", and sooner than by BOINC's rule" : "");
    return 1;
}

static int show_quick(const struct table *table)
{
    struct sim_site site;
    struct race race;
    int missed = 0;

    print_head();
    open_race(&race, &site, table, 5);
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        struct setting setting = bounds[i].setting;
        struct outcome outcomes[RULES];

        setting.hosts = 5;
        for (setting.rule = 0; setting.rule < RULES; setting.rule++)
            outcomes[setting.rule] = show_case(&race, &setting);
        missed += judge(&setting, &bounds[i], &outcomes[RULE_DUGNAD].figures,
                        &outcomes[RULE_BOINC].figures);
    }
    race_clear(&race);
    sim_site_close(&site);
    return missed;
}

static void parse(int argc, char **argv, struct table *table)
{
    static const struct option options[] = {{"seed", required_argument, NULL, 's'},
                                            {"hosts", required_argument, NULL, 'h'},
                                            {"big", no_argument, NULL, 'b'},
                                            {"table", no_argument, NULL, 't'},
                                            {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's')
            table->seed = strtoull(optarg, NULL, 10);
        else if (option == 'h')
            table->hosts = strtoul(optarg, NULL, 10);
        else if (option == 'b')
            table->is_big = true;
        else if (option == 't')
            table->is_whole = true;
        else
            exit(2);
    }
}

int main(int argc, char **argv)
{
    struct table table = {.seed = 1};
    struct fake_env env;

    parse(argc, argv, &table);
    fake_env_init(&env, 0);
    log_init(&env.base, LOG_ERROR, 2);
    if (!table.is_whole)
        return show_quick(&table) == 0 ? 0 : 1;
    show_all(&table);
    return 0;
}
