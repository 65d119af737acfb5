/* One run: the crew, its phases, and what was used meanwhile. */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "bench/crew.h"
#include "bench/load.h"
#include "bench/world/clock.h"
#include "common/base/disk.h"
#include "common/base/env.h"
#include "common/base/text.h"

#define LOOK_EVERY_MS  100
#define METRICS_MAX    (256 * 1024)
#define FILL_PATIENT_S 1800 /* for each host's first turn */

struct crew {
    size_t count;
    struct actor *hosts;   /* owned */
    struct crew_file file; /* as read, or begun */
};

static void crew_clear(struct crew *crew)
{
    for (size_t i = 0; i < crew->count; i++)
        actor_clear(&crew->hosts[i]);
    free(crew->hosts);
    crew_file_clear(&crew->file);
}

/* An unreadable file is not written over: who keeps a crew wants it kept. */
static enum status read_crew(const struct bench *bench, const struct outcome_wish *wish,
                             struct crew_file *ret_file, struct error *err)
{
    struct env *env = bench->env;
    enum status status = STATUS_NOT_FOUND;

    if (wish->crew != NULL)
        status = crew_file_read(env->disk, wish->crew, ret_file, err);
    if (status == STATUS_OK && !digest_equals(&ret_file->project, &wish->opponent->project))
        return error_set(err, STATUS_INVALID, "the crew is of another project");
    if (status != STATUS_NOT_FOUND)
        return status;
    ret_file->project = wish->opponent->project;
    env->random(env, ret_file->secret.bytes, sizeof ret_file->secret.bytes);
    return STATUS_OK;
}

static enum status make_crew(const struct bench *bench, const struct outcome_wish *wish,
                             struct crew *crew, struct error *err)
{
    struct env *env = bench->env;
    int64_t first_visit = env->now_s(env) * 1000000;

    TRY(read_crew(bench, wish, &crew->file, err));
    crew->hosts = must_alloc((size_t)wish->plan->hosts, sizeof *crew->hosts);
    for (; crew->count < (size_t)wish->plan->hosts; crew->count++) {
        struct actor *host = &crew->hosts[crew->count];

        actor_init(host, &crew->file.secret, crew->count, first_visit, &wish->plan->shares);
        if (crew->count < crew->file.count)
            host->token = crew->file.tokens[crew->count];
    }
    return STATUS_OK;
}

/* Up to the first host that could not be enrolled. */
static enum status keep_crew(const struct bench *bench, const char *path, struct crew *crew,
                             struct error *err)
{
    struct crew_file file = {.project = crew->file.project, .secret = crew->file.secret};
    enum status status;

    if (path == NULL || crew->count <= crew->file.count)
        return STATUS_OK;
    file.tokens = must_alloc(crew->count, sizeof *file.tokens);
    while (file.count < crew->count && *crew->hosts[file.count].token.text != '\0') {
        file.tokens[file.count] = crew->hosts[file.count].token;
        file.count++;
    }
    status = crew_file_write(bench->env->disk, path, &file, err);
    crew_file_clear(&file);
    return status;
}

/* --- looking at the server ---------------------------------------------------------------------*/

static void look(const struct bench *bench, const struct opponent *opponent,
                 struct process_use *ret_use, struct server_counts *ret_counts)
{
    CLEANUP(buffer_clear) struct buffer text = {.max = METRICS_MAX};

    *ret_counts = (struct server_counts){-1, -1, -1};
    if (opponent->pid != 0 && process_look(bench->env->disk, opponent->pid, bench->ticks_per_s,
                                           ret_use, NULL) != STATUS_OK)
        *ret_use = (struct process_use){0};
    if (!opponent->has_metrics || bench_get(bench, opponent, "/metrics", &text, NULL) != STATUS_OK)
        return;
    ret_counts->units_accepted = process_number(buffer_text(&text), "dugnad_units_accepted_total ");
    ret_counts->cycles = process_number(buffer_text(&text), "dugnad_cycles_total ");
    ret_counts->database_bytes = process_number(buffer_text(&text), "dugnad_database_bytes ");
}

/* --- phases ------------------------------------------------------------------------------------*/

static void wait_for(const struct bench *bench, int64_t seconds)
{
    int64_t end_ms = bench->env->now_mono_ms(bench->env) + seconds * 1000;
    int64_t left_ms;

    while ((left_ms = end_ms - bench->env->now_mono_ms(bench->env)) > 0 &&
           !bench_is_interrupted(bench))
        bench->env->sleep_ms(bench->env, left_ms < LOOK_EVERY_MS ? left_ms : LOOK_EVERY_MS);
}

static enum status wait_until_filled(const struct bench *bench, struct load *load,
                                     struct error *err)
{
    int64_t end_ms = bench->env->now_mono_ms(bench->env) + FILL_PATIENT_S * 1000;

    while (load_unfilled(load) > 0) {
        if (bench_is_interrupted(bench))
            return error_set(err, STATUS_BUSY, "interrupted");
        if (bench->env->now_mono_ms(bench->env) > end_ms)
            return error_set(err, STATUS_BUSY, "after %d s not every host has had an answer",
                             FILL_PATIENT_S);
        bench->env->sleep_ms(bench->env, LOOK_EVERY_MS);
    }
    return STATUS_OK;
}

static void measure(const struct bench *bench, const struct outcome_wish *wish, struct load *load,
                    struct outcome *outcome)
{
    int64_t began_us, own_us;

    load_enter(load, LOAD_WARM);
    wait_for(bench, wish->plan->warm_s + wish->plan->ramp_s);
    look(bench, wish->opponent, &outcome->before, &outcome->counts_before);
    began_us = clock_mono_us();
    own_us = clock_process_us();
    load_enter(load, LOAD_MEASURE);
    wait_for(bench, wish->plan->seconds);
    load_enter(load, LOAD_WARM);
    outcome->span_us = clock_mono_us() - began_us;
    outcome->own_us = clock_process_us() - own_us;
    look(bench, wish->opponent, &outcome->after, &outcome->counts_after);
}

static enum status run_phases(const struct bench *bench, const struct outcome_wish *wish,
                              struct crew *crew, const struct load_config *config,
                              struct outcome *outcome, struct error *err)
{
    struct error failure = {0};
    struct load *load = NULL;
    enum status status;

    bench_say(bench, "%s: %zu hosts on %lld connections take their first work …", wish->name,
              crew->count, (long long)wish->plan->connections);
    load_start(config, &load);
    status = wait_until_filled(bench, load, err);
    if (status == STATUS_OK)
        measure(bench, wish, load, outcome);
    load_stop(load, &outcome->figures, &failure);
    (void)text_fit(outcome->failure, sizeof outcome->failure, failure.text);
    if (status != STATUS_OK && failure.status != STATUS_OK)
        return error_set(err, failure.status, "%.200s", failure.text);
    return status;
}

enum status bench_play(const struct bench *bench, const struct outcome_wish *wish,
                       struct outcome *ret_outcome, struct error *err)
{
    CLEANUP(crew_clear) struct crew crew = {0};
    CLEANUP(dial_context_freep) SSL_CTX *context = NULL;
    struct dial_target target;
    struct outcome *outcome = ret_outcome;
    struct load_config config = {.plan = wish->plan,
                                 .target = &target,
                                 .project = wish->opponent->project,
                                 .env = bench->env};

    *outcome = (struct outcome){.name = wish->name,
                                .tasks_per_visit = wish->plan->tasks,
                                .cores = bench->cores,
                                .has_server = wish->opponent->pid != 0};
    TRY(dial_find(wish->opponent->url, &target, err));
    TRY(dial_context(wish->opponent->ca, &context, err));
    TRY(make_crew(bench, wish, &crew, err));
    config.context = context;
    config.hosts = crew.hosts;
    config.trust = wish->plan->verifies ? &wish->opponent->trust : NULL;
    TRY(run_phases(bench, wish, &crew, &config, outcome, err));
    return keep_crew(bench, wish->crew, &crew, err);
}
