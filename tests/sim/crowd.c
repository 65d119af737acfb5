#include "tests/sim/crowd.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/agent/choose.h"
#include "client/agent/delay.h"
#include "client/agent/talk.h"
#include "common/base/text.h"

#define HOUR_MS       INT64_C(3600000)
#define CHECKPOINT_MS INT64_C(300000) /* apps save their work so often */

/* Log-normal: two of three cores are within a factor of 1.5 of the median. */
#define SPEED_SIGMA 0.4
#define FETCH_MS    3000 /* the median; bandwidths differ more than speeds */
#define FETCH_SIGMA 1.0

/* Published shares, and spans of hours around them. */
#define ON_SHARE        0.81
#define ON_SPAN_MS      (16 * HOUR_MS)
#define ALLOWED_SHARE   0.84
#define ALLOWED_SPAN_MS (4 * HOUR_MS)
#define LIARS_PERCENT   2
#define LEAVERS_PERCENT 5

/* ---------------------------------------------------------------------------------- by chance */

static double uniform(struct crowd_host *host) /* above 0, up to 1 */
{
    return (double)((fake_env_draw(&host->chance) >> 11) + 1) / 9007199254740992.0;
}

static double normal(struct crowd_host *host)
{
    double radius = sqrt(-2 * log(uniform(host)));

    return radius * cos(2 * M_PI * uniform(host));
}

static int64_t span_ms(struct crowd_host *host, double mean_ms)
{
    return (int64_t)(-mean_ms * log(uniform(host))) + 1;
}

static void flip_on(struct crowd_host *host, int64_t now_ms)
{
    double mean_ms = host->is_on ? ON_SPAN_MS : ON_SPAN_MS * (1 - ON_SHARE) / ON_SHARE;

    host->flips_on_ms = now_ms + span_ms(host, mean_ms);
}

static void flip_allowed(struct crowd_host *host, int64_t now_ms)
{
    double mean_ms =
        host->is_allowed ? ALLOWED_SPAN_MS : ALLOWED_SPAN_MS * (1 - ALLOWED_SHARE) / ALLOWED_SHARE;

    host->flips_allowed_ms = now_ms + span_ms(host, mean_ms);
}

/* ------------------------------------------------------------------------------------ the crowd */

static void make_host(struct crowd *crowd, struct crowd_host *host, size_t number)
{
    static const int64_t cores[] = {1, 2, 4, 4, 4, 6, 8, 8, 12, CROWD_CORES_MOST};

    fake_env_init(&host->chance, crowd->kind.seed * 1000003 + number);
    (void)fake_env_draw(&host->chance);
    host->speed = exp(SPEED_SIGMA * normal(host));
    host->cores = cores[fake_env_below(&host->chance, sizeof cores / sizeof *cores)];
    host->fetch_ms = (int64_t)(FETCH_MS * exp(FETCH_SIGMA * normal(host)));
    host->is_on = host->is_allowed = true;
    host->flips_on_ms = host->flips_allowed_ms = host->leaves_ms = TALK_NEVER;
    host->visited_ms = INT64_MIN;
    host->hailed_ms = TALK_NEVER;
}

static void enrol(struct crowd_host *host, struct sim_site *site, int number)
{
    CLEANUP(private_key_clear) struct private_key key = {0};
    struct sim_enrolment enrolment = {.key = &key, .prefix = host->prefix, .volunteer = number};

    (void)snprintf(host->prefix, sizeof host->prefix, "10.%d.%d.0/24", number / 256, number % 256);
    sim_account(site, number);
    sim_enrol(site, &enrolment);
    host->id = enrolment.host;
    host->visit = enrolment.next_visit - 1;
    host->at_ms = site->env.now_mono_ms;
    /* They do not all come in the same second. */
    host->wake_ms = host->at_ms + (int64_t)fake_env_below(&host->chance, 60000);
    host->return_ms = host->look_ms = host->wake_ms;
}

void crowd_open(struct crowd *crowd, struct sim_site *site, const struct crowd_kind *kind)
{
    *crowd = (struct crowd){.kind = *kind,
                            .project = site->project,
                            .epoch_s = site->env.now_s - site->env.now_mono_ms / 1000};
    crowd->hosts = must_alloc(kind->hosts, sizeof *crowd->hosts);
    for (size_t i = 0; i < kind->hosts; i++) {
        make_host(crowd, &crowd->hosts[i], i);
        enrol(&crowd->hosts[i], site, (int)i);
    }
}

void crowd_clear(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->kind.hosts; i++)
        free(crowd->hosts[i].tasks);
    free(crowd->hosts);
}

void crowd_begin_churn(struct crowd *crowd, int64_t now_ms, int64_t within_ms)
{
    for (size_t i = 0; i < crowd->kind.hosts; i++) {
        struct crowd_host *host = &crowd->hosts[i];

        host->is_on = uniform(host) <= ON_SHARE;
        host->is_allowed = uniform(host) <= ALLOWED_SHARE;
        host->is_liar = fake_env_below(&host->chance, 100) < LIARS_PERCENT;
        flip_on(host, now_ms);
        flip_allowed(host, now_ms);
        if (fake_env_below(&host->chance, 100) < LEAVERS_PERCENT)
            host->leaves_ms = now_ms + (int64_t)fake_env_below(&host->chance, (uint64_t)within_ms);
    }
}

double crowd_speed(const struct crowd *crowd)
{
    double speed = 0;

    for (size_t i = 0; i < crowd->kind.hosts; i++)
        speed += crowd->hosts[i].speed * (double)crowd->hosts[i].cores;
    return speed;
}

double crowd_largest(const struct crowd *crowd)
{
    double speed = 0;

    for (size_t i = 0; i < crowd->kind.hosts; i++)
        speed = fmax(speed, crowd->hosts[i].speed * (double)crowd->hosts[i].cores);
    return speed;
}

double crowd_fastest(const struct crowd *crowd)
{
    double speed = 0;

    for (size_t i = 0; i < crowd->kind.hosts; i++)
        speed = fmax(speed, crowd->hosts[i].speed);
    return speed;
}

void crowd_count_from(struct crowd *crowd, int64_t now_ms)
{
    crowd->counted_from_ms = now_ms;
    crowd->able_ms = crowd->idle_ms = 0;
}

void crowd_expect(struct crowd *crowd, int batch, size_t units)
{
    crowd->batches[batch].waiting += (int64_t)units * CROWD_QUORUM;
    crowd->counted_until_ms = TALK_NEVER;
}

/* ------------------------------------------------------------------------------- what time does */

int64_t crowd_cores(const struct crowd *crowd, const struct crowd_host *host)
{
    int64_t most = crowd->rule.cores_most;

    return most > 0 && most < host->cores ? most : host->cores;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static bool may_compute(const struct crowd_host *host)
{
    return host->is_on && host->is_allowed;
}

int64_t crowd_change_ms(const struct crowd_host *host)
{
    int64_t next = sooner(host->leaves_ms, sooner(host->flips_on_ms, host->flips_allowed_ms));

    for (size_t i = 0; i < host->task_count; i++) {
        const struct crowd_task *task = &host->tasks[i];

        if (task->phase == CROWD_FETCHING && host->is_on)
            next = sooner(next, host->at_ms + task->fetch_ms);
        if (task->phase == CROWD_RUNNING && may_compute(host))
            next = sooner(next, host->at_ms + task->left_ms);
    }
    return next;
}

static int64_t counted(const struct crowd *crowd, int64_t from_ms, int64_t until_ms)
{
    if (from_ms < crowd->counted_from_ms)
        from_ms = crowd->counted_from_ms;
    until_ms = sooner(until_ms, crowd->counted_until_ms);
    return until_ms > from_ms ? until_ms - from_ms : 0;
}

/* All are of one app version. */
static struct duration_unit duration_unit_of(const struct crowd_task *task)
{
    static const struct digest app_version;

    return (struct duration_unit){.app_version = &app_version,
                                  .declared_ops = task->unit->declared_ops,
                                  .wall_s = LIMITS_SECONDS_MAX};
}

static struct batch_id batch_of(const struct crowd_task *task)
{
    return (struct batch_id){.bytes = {(uint8_t)(task->unit->batch + 1)}};
}

/* client/daemon/lineup.c keeps all this so. */
static void note_end(struct crowd_host *host, const struct crowd_task *task)
{
    const struct duration_unit unit = duration_unit_of(task);
    const struct batch_id batch = batch_of(task);

    turns_charge(&host->turns, &batch, task->ran_ms);
    durations_learn(&host->durations, &unit, task->ran_ms);
    host->mean_task_ms = host->mean_task_ms == 0 ? task->ran_ms + 1
                                                 : (host->mean_task_ms * 3 + task->ran_ms) / 4 + 1;
}

static void finish(struct crowd_host *host, struct crowd_task *task)
{
    task->phase = CROWD_FINISHED;
    host->running--;
    note_end(host, task);
}

static void compute(struct crowd_host *host, struct crowd_task *task, int64_t ms)
{
    task->left_ms -= ms;
    task->ran_ms += ms;
    task->unsaved_ms = (task->unsaved_ms + ms) % CHECKPOINT_MS;
    if (task->left_ms <= 0)
        finish(host, task);
}

static void go_on(struct crowd *crowd, struct crowd_host *host, int64_t until_ms)
{
    int64_t ms = until_ms - host->at_ms;
    int64_t span = may_compute(host) ? counted(crowd, host->at_ms, until_ms) : 0;

    crowd->able_ms += span * host->cores;
    crowd->idle_ms += span * (host->cores - (int64_t)host->running);
    for (size_t i = 0; i < host->task_count && host->is_on; i++) {
        struct crowd_task *task = &host->tasks[i];

        if (task->phase == CROWD_FETCHING && (task->fetch_ms -= ms) <= 0)
            task->phase = CROWD_READY;
        else if (task->phase == CROWD_RUNNING && may_compute(host))
            compute(host, task, ms);
    }
    host->at_ms = until_ms;
}

/* What was not saved is computed again. */
static void switch_off(struct crowd_host *host)
{
    for (size_t i = 0; i < host->task_count; i++) {
        struct crowd_task *task = &host->tasks[i];

        if (task->phase != CROWD_RUNNING)
            continue;
        task->phase = CROWD_READY;
        task->left_ms += task->unsaved_ms;
        task->unsaved_ms = 0;
    }
    host->running = 0;
}

static void flip(struct crowd_host *host)
{
    if (host->at_ms >= host->leaves_ms) {
        host->is_on = false;
        host->flips_on_ms = host->flips_allowed_ms = host->leaves_ms = TALK_NEVER;
        switch_off(host);
        return;
    }
    if (host->at_ms >= host->flips_on_ms) {
        host->is_on = !host->is_on;
        flip_on(host, host->at_ms);
        if (!host->is_on)
            switch_off(host);
    }
    if (host->at_ms >= host->flips_allowed_ms) {
        host->is_allowed = !host->is_allowed;
        flip_allowed(host, host->at_ms);
    }
}

static void note_start(struct crowd *crowd, const struct crowd_host *host, struct crowd_task *task)
{
    struct crowd_batch *batch = &crowd->batches[task->unit->batch];
    int64_t waiting = 0;

    if (__builtin_popcount(task->unit->started) < CROWD_QUORUM) {
        batch->waiting--;
        batch->first_ms = batch->first_ms == 0 ? host->at_ms : batch->first_ms;
        batch->last_ms = host->at_ms;
    }
    task->unit->started |= 1U << (task->id % 16);
    for (size_t i = 0; i < CROWD_BATCHES; i++)
        waiting += crowd->batches[i].waiting;
    if (waiting == 0 && crowd->counted_until_ms == TALK_NEVER)
        crowd->counted_until_ms = host->at_ms;
}

static void start_one(struct crowd *crowd, struct crowd_host *host, struct crowd_task *task)
{
    task->phase = CROWD_RUNNING;
    host->running++;
    if (task->ran_ms == 0)
        note_start(crowd, host, task);
}

static void meet_batches(struct crowd_host *host)
{
    struct batch_id batches[SCHEDULER_HELD_MAX];
    size_t count = 0;

    for (size_t i = 0; i < host->task_count; i++)
        if (host->tasks[i].phase != CROWD_FINISHED)
            batches[count++] = batch_of(&host->tasks[i]);
    turns_meet(&host->turns, batches, count);
}

static int64_t estimate_ms(const struct crowd_host *host, const struct crowd_task *task)
{
    const struct duration_unit unit = duration_unit_of(task);

    return task->phase == CROWD_FINISHED ? 0 : durations_estimate_ms(&host->durations, &unit);
}

static void turns_by_now(const struct crowd_host *host, struct turns *ret_turns)
{
    *ret_turns = host->turns;
    for (size_t i = 0; i < host->task_count; i++) {
        const struct crowd_task *task = &host->tasks[i];
        const struct batch_id batch = batch_of(task);
        int64_t ms = estimate_ms(host, task);

        if (task->phase == CROWD_RUNNING)
            turns_charge(ret_turns, &batch, task->ran_ms > ms ? task->ran_ms : ms);
    }
}

static void view_tasks(const struct crowd *crowd, const struct crowd_host *host,
                       struct run_view *ret_views)
{
    struct turns turns;

    turns_by_now(host, &turns);
    for (size_t i = 0; i < host->task_count; i++) {
        const struct crowd_task *task = &host->tasks[i];
        const struct batch_id batch = batch_of(task);

        ret_views[i] = (struct run_view){.task = task->id,
                                         .deadline_s = task->deadline_s,
                                         .batch_used_ms = turns_used_ms(&turns, &batch),
                                         .estimate_ms = estimate_ms(host, task),
                                         .cores = 1,
                                         .is_running = task->phase == CROWD_RUNNING,
                                         .is_ready = task->phase == CROWD_READY,
                                         .has_begun = task->ran_ms > 0};
        if (crowd->rule.is_in_order)
            ret_views[i].batch_used_ms = ret_views[i].estimate_ms = 0;
    }
}

static void start_tasks(struct crowd *crowd, struct crowd_host *host)
{
    struct run_view views[SCHEDULER_HELD_MAX];
    const struct run_room room = {.cores = crowd_cores(crowd, host)};
    const int64_t used_ms = 0;

    if (!may_compute(host) || (int64_t)host->running >= room.cores)
        return;
    meet_batches(host);
    for (;;) {
        size_t next;

        view_tasks(crowd, host, views);
        next = choose_next(views, host->task_count, &room, &used_ms,
                           crowd->epoch_s + host->at_ms / 1000);
        if (next == CHOOSE_NONE)
            return;
        start_one(crowd, host, &host->tasks[next]);
    }
}

void crowd_pass(struct crowd *crowd, struct crowd_host *host, int64_t now_ms)
{
    while (host->at_ms < now_ms) {
        go_on(crowd, host, sooner(now_ms, crowd_change_ms(host)));
        flip(host);
        start_tasks(crowd, host);
    }
}
