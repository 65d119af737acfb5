/* tests/sim/sim --seed N --steps N: see sim.h. Without a seed: 1; the seed is printed. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "tests/sim/sim.h"

#define SETTLE_STEPS 60000

static void something_happens(struct sim *sim)
{
    struct fake_env *env = &sim->env;

    fake_env_pass(env, (int64_t)fake_env_below(env, 40000));
    if (fake_env_below(env, 250) == 0)
        fake_env_pass(env, (int64_t)fake_env_below(env, 10) * 3600 * 1000);
    if (fake_env_below(env, 150) == 0) {
        sim_site_crash(sim);
        sim->counts.crashes++;
    }
    if (fake_env_below(env, 20) == 0)
        sim_publish_units(sim, 5);
    if (fake_env_below(env, 2000) == 0)
        sim_renew_freshness(sim);
    engine_tick(sim->engine);
}

static void one_step(struct sim *sim)
{
    sim->step++;
    something_happens(sim);
    sim_host_step(sim, &sim->hosts[fake_env_below(&sim->env, SIM_HOSTS)]);
}

/* I6: with honest hosts about, every unit ends. */
static void settle(struct sim *sim)
{
    sim_publish_units(sim, SIM_UNITS);
    sim_close_batch(sim);
    for (size_t i = 0; i < SIM_HOSTS; i++)
        sim_host_reform(&sim->hosts[i]);
    for (int i = 0; i < SETTLE_STEPS && sim_units_open(sim) > 0; i++) {
        one_step(sim);
        if (i % 50 == 0)
            sim_check(sim);
    }
    sim_check(sim);
    if (sim_units_open(sim) > 0)
        sim_fail(sim, "I6: %lld units never end", (long long)sim_units_open(sim));
}

static void parse(int argc, char **argv, struct sim *sim, long *ret_steps)
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'}, {"steps", required_argument, NULL, 'n'}, {0}};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's')
            sim->seed = strtoull(optarg, NULL, 10);
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

    sim->seed = 1;
    parse(argc, argv, sim, &steps);
    printf("seed %llu, %ld steps\n", (unsigned long long)sim->seed, steps);
    fake_env_init(&sim->env, sim->seed);
    log_init(&sim->env.base, LOG_ERROR, 2);
    sim_site_open(sim, "file:/sim?vfs=memdb");
    sim_hosts_enrol(sim);
    sim_publish_units(sim, 50);
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
    sim_site_close(sim);
    free(sim);
    return 0;
}
