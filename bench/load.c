#include "bench/load.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bench/lane.h"
#include "bench/world/clock.h"
#include "common/base/env.h"

#define EVENTS_MAX 256
#define WAIT_MS    20
#define LATE_US    10000

struct player {
    struct load *load;
    pthread_t thread;
    struct lane_world world;
    size_t lane_count;
    struct lane *lanes;
    struct lane **idle; /* open loop: those without a turn */
    size_t idle_count;
    struct schedule schedule; /* this thread's part of the rate */
    int64_t begun_us;         /* when arrivals began; 0: not yet */
    int64_t arrivals;
    atomic_size_t unfilled; /* lanes; for others to look at */
    struct figures figures, uncounted;
};

struct load {
    struct load_config config;
    _Atomic(enum load_phase) phase;
    size_t player_count;
    struct player *players;
};

/* In closed loop the next turn begins as soon as one is over; filling is one, too. */
static bool goes_on(const struct player *player, const struct lane *lane, enum load_phase phase)
{
    if (phase == LOAD_FILL)
        return !lane_is_filled(lane);
    return player->load->config.plan->per_s == 0;
}

static void move(struct player *player, struct lane *lane, enum load_phase phase)
{
    lane_move(lane, clock_mono_us());
    while (!lane_is_busy(lane) && goes_on(player, lane, phase)) {
        if (!lane_begin(lane, clock_mono_us()))
            return;
        lane_move(lane, clock_mono_us());
    }
}

/* Lanes that wait for time to pass, or that nobody has begun yet. */
static void wake(struct player *player, enum load_phase phase)
{
    int64_t now_us = clock_mono_us();
    size_t unfilled = 0;

    for (size_t i = 0; i < player->lane_count; i++) {
        struct lane *lane = &player->lanes[i];

        if (lane_is_busy(lane) ? lane->again_us != 0 && lane->again_us <= now_us
                               : goes_on(player, lane, phase))
            move(player, lane, phase);
        unfilled += !lane_is_filled(lane) || lane_is_busy(lane);
    }
    if (phase == LOAD_FILL)
        atomic_store(&player->unfilled, unfilled);
}

/* --- arrivals at a rate ------------------------------------------------------------------------*/

static void find_idle(struct player *player)
{
    player->idle_count = 0;
    for (size_t i = 0; i < player->lane_count; i++)
        if (!lane_is_busy(&player->lanes[i]))
            player->idle[player->idle_count++] = &player->lanes[i];
}

static void arrive(struct player *player, enum load_phase phase)
{
    int64_t now_us = clock_mono_us();

    if (player->load->config.plan->per_s == 0 || phase == LOAD_FILL)
        return;
    if (player->begun_us == 0)
        player->begun_us = now_us;
    find_idle(player);
    for (;;) {
        int64_t due_us = player->begun_us + schedule_due_us(&player->schedule, player->arrivals);

        if (due_us > now_us)
            return;
        if (player->idle_count == 0)
            return;
        player->arrivals++;
        player->world.kit.figures->late += now_us - due_us > LATE_US;
        if (lane_begin(player->idle[--player->idle_count], due_us))
            lane_move(player->idle[player->idle_count], now_us);
    }
}

static int wait_ms(const struct player *player, enum load_phase phase)
{
    int64_t left_us;

    if (player->load->config.plan->per_s == 0 || phase == LOAD_FILL)
        return WAIT_MS;
    left_us =
        player->begun_us + schedule_due_us(&player->schedule, player->arrivals) - clock_mono_us();
    if (left_us < 0)
        left_us = 0;
    return left_us < WAIT_MS * 1000 ? (int)((left_us + 999) / 1000) : WAIT_MS;
}

/* --- the thread --------------------------------------------------------------------------------*/

static void *play(void *context)
{
    struct player *player = context;
    struct env *env = player->load->config.env;
    struct epoll_event events[EVENTS_MAX];
    enum load_phase phase;

    while ((phase = atomic_load(&player->load->phase)) != LOAD_STOP) {
        int count;

        player->world.kit.figures = phase == LOAD_MEASURE ? &player->figures : &player->uncounted;
        player->world.kit.now_s = env->now_s(env);
        wake(player, phase);
        arrive(player, phase);
        count = epoll_wait(player->world.epoll, events, EVENTS_MAX, wait_ms(player, phase));
        for (int i = 0; i < count; i++)
            move(player, events[i].data.ptr, phase);
    }
    return NULL;
}

/* Hosts from first to last, spread over the lanes of one thread. */
static void make_lanes(struct player *player, struct actor *hosts, size_t count)
{
    const struct plan *plan = player->load->config.plan;
    size_t lanes = player->lane_count;

    player->lanes = must_alloc(lanes, sizeof *player->lanes);
    player->idle = must_alloc(lanes, sizeof *player->idle);
    for (size_t i = 0; i < lanes; i++) {
        size_t from = count * i / lanes, to = count * (i + 1) / lanes;

        lane_init(&player->lanes[i], &player->world, hosts + from, to - from, plan->output_bytes);
    }
    atomic_init(&player->unfilled, lanes);
}

static size_t part(int64_t of, size_t index, size_t count)
{
    return (size_t)of * (index + 1) / count - (size_t)of * index / count;
}

static void make_player(struct load *load, size_t index)
{
    const struct load_config *config = &load->config;
    const struct plan *plan = config->plan;
    struct player *player = &load->players[index];
    size_t count = load->player_count;
    size_t first = (size_t)plan->hosts * index / count, hosts;

    player->load = load;
    player->world = (struct lane_world){.target = config->target,
                                        .context = config->context,
                                        .epoll = epoll_create1(EPOLL_CLOEXEC),
                                        .is_fresh = plan->is_fresh,
                                        .kit = {.project = config->project,
                                                .authority = config->target->authority,
                                                .platform = plan->platform,
                                                .tasks = plan->tasks,
                                                .output_bytes = plan->output_bytes,
                                                .trust = config->trust,
                                                .figures = &player->uncounted}};
    if (player->world.epoll < 0)
        abort();
    player->schedule = (struct schedule){.per_hour = plan->per_s * 3600 / (int64_t)count,
                                         .ramp_us = plan->ramp_s * 1000000};
    hosts = part(plan->hosts, index, count);
    player->lane_count = part(plan->connections, index, count);
    if (player->lane_count > hosts)
        player->lane_count = hosts;
    make_lanes(player, config->hosts + first, hosts);
}

void load_start(const struct load_config *config, struct load **ret_load)
{
    struct load *load = must_alloc(1, sizeof *load);

    load->config = *config;
    atomic_init(&load->phase, LOAD_FILL);
    load->player_count = (size_t)config->plan->threads;
    load->players = must_alloc(load->player_count, sizeof *load->players);
    for (size_t i = 0; i < load->player_count; i++) {
        make_player(load, i);
        if (pthread_create(&load->players[i].thread, NULL, play, &load->players[i]) != 0)
            abort();
    }
    *ret_load = load;
}

void load_enter(struct load *load, enum load_phase phase)
{
    atomic_store(&load->phase, phase);
}

int64_t load_unfilled(struct load *load)
{
    size_t unfilled = 0;

    for (size_t i = 0; i < load->player_count; i++)
        unfilled += atomic_load(&load->players[i].unfilled);
    return (int64_t)unfilled;
}

static void end_player(struct player *player)
{
    for (size_t i = 0; i < player->lane_count; i++)
        lane_clear(&player->lanes[i]);
    (void)close(player->world.epoll);
    kit_clear(&player->world.kit);
    free(player->lanes);
    free(player->idle);
}

void load_stop(struct load *load, struct figures *ret_figures, struct error *ret_first_failure)
{
    load_enter(load, LOAD_STOP);
    *ret_figures = (struct figures){0};
    *ret_first_failure = (struct error){0};
    for (size_t i = 0; i < load->player_count; i++)
        (void)pthread_join(load->players[i].thread, NULL);
    for (size_t i = 0; i < load->player_count; i++) {
        struct player *player = &load->players[i];

        figures_merge(ret_figures, &player->figures);
        if (ret_first_failure->status == STATUS_OK)
            *ret_first_failure = player->world.first_failure;
        end_player(player);
    }
    free(load->players);
    free(load);
}
