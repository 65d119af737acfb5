/* tests/sim/sim --seed N --steps N: see sim.h. Without a seed: 1; the seed is printed. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "tests/sim/sim.h"

#define SETTLE_STEPS 60000

static void publish_units(struct sim *sim, size_t count)
{
    size_t left = SIM_UNITS - sim->units_published;
    const struct sim_units units = {.batch = sim->batch,
                                    .first = (int64_t)sim->units_published,
                                    .count = count < left ? count : left,
                                    .deadline_s = 12 * 3600,
                                    .declared_ops = 100};

    sim_publish_units(&sim->site, &units);
    sim->units_published += units.count;
}

static void something_happens(struct sim *sim)
{
    struct fake_env *env = &sim->site.env;

    fake_env_pass(env, (int64_t)fake_env_below(env, 40000));
    if (fake_env_below(env, 250) == 0)
        fake_env_pass(env, (int64_t)fake_env_below(env, 10) * 3600 * 1000);
    if (fake_env_below(env, 150) == 0) {
        sim_site_crash(&sim->site);
        sim->counts.crashes++;
    }
    if (fake_env_below(env, 20) == 0)
        publish_units(sim, 5);
    if (fake_env_below(env, 2000) == 0)
        sim_renew_freshness(&sim->site);
    engine_tick(sim->site.engine);
}

static void one_step(struct sim *sim)
{
    sim->site.step++;
    something_happens(sim);
    sim_host_step(sim, &sim->hosts[fake_env_below(&sim->site.env, SIM_HOSTS)]);
}

/* I6: with honest hosts about, every unit ends. */
static void settle(struct sim *sim)
{
    publish_units(sim, SIM_UNITS);
    sim_act(&sim->site, &sim->batch, ACTION_CLOSE);
    for (size_t i = 0; i < SIM_HOSTS; i++)
        sim_host_reform(&sim->hosts[i]);
    for (int i = 0; i < SETTLE_STEPS && sim_units_open(sim) > 0; i++) {
        one_step(sim);
        if (i % 50 == 0)
            sim_check(sim);
    }
    sim_check(sim);
    if (sim_units_open(sim) > 0)
        sim_fail(&sim->site, "I6: %lld units never end", (long long)sim_units_open(sim));
}

static void parse(int argc, char **argv, struct sim *sim, long *ret_steps)
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'}, {"steps", required_argument, NULL, 'n'}, {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's')
            sim->site.seed = strtoull(optarg, NULL, 10);
        else if (option == 'n')
            *ret_steps = strtol(optarg, NULL, 10);
        else
            exit(2);
    }
}

int main(int argc, char **argv)
{
    struct sim *sim = must_alloc(1, sizeof *sim);
    long steps = 1500;

    sim->site.seed = 1;
    sim->site.program = "sim";
    parse(argc, argv, sim, &steps);
    printf("seed %llu, %ld steps\n", (unsigned long long)sim->site.seed, steps);
    fake_env_init(&sim->site.env, sim->site.seed);
    log_init(&sim->site.env.base, LOG_ERROR, 2);
    sim_site_open(&sim->site, "file:/sim?vfs=memdb");
    sim->batch = sim_publish_batch(&sim->site, "answers");
    sim_hosts_enrol(sim);
    publish_units(sim, 50);
    for (long i = 0; i < steps; i++) {
        one_step(sim);
        sim_check(sim);
        if (i % 50 == 0)
            sim_check_store(sim);
    }
    settle(sim);
    sim_check_store(sim);
    printf("%lld visits, %lld grants, %lld acks, %lld uploads, %lld lost replies, %lld repeats, "
           "%lld from the past, %lld clones, %lld crashes\n",
           (long long)sim->counts.visits, (long long)sim->counts.grants,
           (long long)sim->counts.acks, (long long)sim->counts.uploads,
           (long long)sim->counts.lost_replies, (long long)sim->counts.repeats,
           (long long)sim->counts.late, (long long)sim->counts.clones,
           (long long)sim->counts.crashes);
    sim_hosts_clear(sim);
    sim_site_close(&sim->site);
    free(sim);
    return 0;
}
